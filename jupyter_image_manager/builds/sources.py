"""From a request to a recipe: every source is validated before anything is written (R2)."""

from __future__ import annotations

import hashlib
import json
import tarfile
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..copies import ContextFiles, Names, missing
from ..dockerfile import Dockerfile, parse
from ..errors import InvalidDockerfile, InvalidRequest, NeedsConfirmation
from ..models import BuildRequest, Project, Recipe, SourceKind, as_json
from ..reference import parse_reference
from . import snapshot
from .additions import with_packages
from .context import Context
from .importing import archive_base, reachable

if TYPE_CHECKING:
    from ..manager import ImageManager
    from ..models import Actor

DOCKERFILE_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """A recipe that may be built, and what its log should say first."""

    recipe: Recipe
    notes: tuple[str, ...] = ()


def resolve(manager: ImageManager, actor: Actor, project: Project, request: BuildRequest) -> Source:
    """Turn a request into a recipe.

    Raises
    ------
    InvalidRequest, InvalidDockerfile, NotAllowed, NeedsConfirmation
        What is wrong with it; nothing has been written.
    """
    named = [
        name
        for name in ("dockerfile_text", "dockerfile_path", "template", "reference", "archive", "from_image")
        if getattr(request, name) is not None
    ]
    # An image's recipe may be edited: its own text then stands beside the image.
    if len(named) > 1 and set(named) != {"dockerfile_text", "from_image"}:
        raise InvalidRequest(f"A build has one source; {' and '.join(named)} are named: choose one.")
    if request.add_packages and named != ["from_image"]:
        raise InvalidRequest("Packages are added to the recipe of an image; name that image, and nothing beside it.")
    for key in (*request.build_args, *request.secrets):
        if not key or any(c in key for c in "=,\n\0 "):
            raise InvalidRequest(f"{key!r} is no name of a build argument or secret.")
    base = Recipe(id=uuid.uuid4().hex, kind=SourceKind.DOCKERFILE, build_args=dict(request.build_args))
    base = replace(base, secrets=tuple(sorted(request.secrets)))
    if request.reference is not None:
        reference = str(parse_reference(request.reference))
        manager.policy.check_base(reference, request.reference)
        return _identified(Source(replace(base, kind=SourceKind.IMPORT, reference=reference)), "")
    if request.archive is not None:
        return _archive(base, request.archive)
    if request.from_image is not None:
        return _duplicate(manager, actor, project, base, request)
    if request.template is not None:
        return _template(manager, project, base, request)
    return _from_folder(manager, project, base, request)


def _checked(manager: ImageManager, recipe: Recipe) -> Dockerfile:
    read = parse(recipe.dockerfile)
    for shown in read.base_references(recipe.build_args):
        if shown.startswith("sha256:") or (recipe.kind is SourceKind.ARCHIVE and shown == archive_base(recipe)):
            continue  # an image of this engine, or the archive's, which was let in when it was imported
        if "$" in shown or not shown:
            raise InvalidDockerfile(f"The base {shown!r} depends on a variable without a value; give it a default.")
        manager.policy.check_base(str(parse_reference(shown)), shown)
    return read


def _copied(read: Dockerfile, files: ContextFiles) -> None:
    """Refuse a Dockerfile that copies what is not there, before anything is sent."""
    gone = tuple(missing(read, files))
    if gone:
        first = gone[0]
        others = f" Line {', line '.join(str(other.line) for other in gone[1:])} too copies what is not there."
        raise InvalidRequest(
            f"Line {first.line} of the Dockerfile copies what is missing: {first.message}{others if gone[1:] else ''}",
            {"missing": [{"line": g.line, "path": g.path, "why": g.presence.value, "near": g.near} for g in gone]},
        )


def _kept(manager: ImageManager, project: Project, recipe: Recipe) -> ContextFiles:
    """Return what the context of a recipe that is kept holds, wherever it comes from when it is sent."""
    if recipe.context_stored and recipe.kind is not SourceKind.ARCHIVE:
        names = snapshot.names(manager.data_path / "contexts", recipe.context_digest)
        return Names(names, "the context that is kept with the recipe")
    if recipe.context_path and recipe.kind is not SourceKind.ARCHIVE:
        return folder_of(manager, project, recipe)
    return Names((), "the recipe, which has no context")


def folder_of(manager: ImageManager, project: Project, recipe: Recipe) -> Context:
    """Return the folder that a recipe sends; of a template's no more than the files it names."""
    only: tuple[str, ...] = ()
    if recipe.kind is SourceKind.TEMPLATE:
        only = tuple(source for source, _ in manager.builds.catalog.choices(recipe.template).files)
    return Context(Path(project.path), recipe.context_path, recipe.dockerfile_path, only=only)


def _template(manager: ImageManager, project: Project, base: Recipe, request: BuildRequest) -> Source:
    choices = dict(as_json(request.template))
    rendered = manager.builds.catalog.render(choices)
    recipe = replace(base, kind=SourceKind.TEMPLATE, dockerfile=rendered.dockerfile, template=choices)
    if not manager.builds.catalog.choices(choices).files:
        _checked(manager, recipe)
        return _identified(Source(recipe), "")
    path = Context(Path(project.path), request.context).relative
    return _with_folder(manager, project, replace(recipe, context_path=path), request)


def _from_folder(manager: ImageManager, project: Project, base: Recipe, request: BuildRequest) -> Source:
    text = request.dockerfile_text
    path = request.dockerfile_path or ""
    if text is None:
        path = path or str(Path(Context(Path(project.path), request.context).relative) / "Dockerfile")
        text = read_dockerfile(Path(project.path), path)
    context = Context(Path(project.path), request.context, path)
    recipe = replace(base, dockerfile=text, dockerfile_path=path, context_path=context.relative)
    return _with_folder(manager, project, recipe, request)


def _with_folder(manager: ImageManager, project: Project, recipe: Recipe, request: BuildRequest) -> Source:
    """Complete a recipe whose context is a folder of the project."""
    read = _checked(manager, recipe)
    context = folder_of(manager, project, recipe)
    preview, fingerprint = context.survey(manager.builds.settings.context_limit)
    _copied(read, context)
    if preview.size > preview.limit and not request.confirm_context:
        biggest = ", ".join(f"{name} ({size / 1e6:.0f} MB)" for name, size in preview.largest[:3])
        raise NeedsConfirmation(
            f"The context {recipe.context_path!r} is {preview.size / 1e9:.1f} GB, above the limit of "
            f"{preview.limit / 1e9:.1f} GB; ignore what the build does not need ({biggest}), or confirm it.",
            {"context": as_json(preview)},
        )
    notes = list(preview.problems)
    if preview.size > manager.builds.settings.context_store_limit:
        notes.append(
            f"The context is {preview.size / 1e6:.0f} MB: too big to keep a copy, so a later rebuild needs the folder."
        )
    recipe = replace(recipe, context_size=preview.size, context_files=preview.files)
    return _identified(Source(recipe, notes=tuple(notes)), fingerprint)


def read_dockerfile(project: Path, relative: str) -> str:
    """Return the text of a Dockerfile of a project.

    Raises
    ------
    InvalidRequest
        It lies outside the project.
    InvalidDockerfile
        It is absent, empty, too long or no text.
    """
    if Path(relative).is_absolute() or ".." in Path(relative).parts or "\0" in relative:
        raise InvalidRequest(f"The Dockerfile {relative!r} lies outside the project; name one inside it.")
    path = project / relative
    try:
        real = path.resolve(strict=True)
        root = project.resolve()
        if root not in real.parents:
            raise InvalidRequest(f"The Dockerfile {relative!r} leads out of the project; name one inside it.")
        if not real.is_file():
            raise InvalidDockerfile(f"{relative} is no file; name a Dockerfile of the project.")
        if real.stat().st_size > DOCKERFILE_LIMIT:
            raise InvalidDockerfile(f"{relative} is bigger than 1 MiB: it is hardly a Dockerfile.")
        return real.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InvalidDockerfile(
            f"There is no {relative} in {project}; write one, name another with -f, or use a template."
        ) from None
    except UnicodeDecodeError:
        raise InvalidDockerfile(f"{relative} is no UTF-8 text; save it as UTF-8.") from None
    except (OSError, RuntimeError) as error:
        raise InvalidDockerfile(f"{relative} cannot be read: {getattr(error, 'strerror', error)}.") from None


def _archive(base: Recipe, archive: str) -> Source:
    path = Path(archive)
    if not path.is_absolute() or not path.is_file():
        raise InvalidRequest(f"There is no archive {archive}; name a file that `docker save` or an OCI tool wrote.")
    try:
        with tarfile.open(path) as opened:
            opened.next()  # the worker looks through all of it; what is no archive is refused at once
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise InvalidRequest(f"{path.name} cannot be read as an archive of an image: {error}.") from None
    found = path.stat()
    recipe = replace(base, kind=SourceKind.ARCHIVE, reference=path.name, context_path=str(path))
    return _identified(Source(recipe), f"{path}:{found.st_size}:{found.st_mtime_ns}")


def _duplicate(manager: ImageManager, actor: Actor, project: Project, base: Recipe, request: BuildRequest) -> Source:
    parent = manager.images.get(actor, request.from_image or "").image
    recipe = manager.images.recipe(actor, parent.id)
    if recipe.context_stored:
        # As if it were new: whoever deletes the only image that has it now leaves it to us.
        snapshot.path_of(manager.data_path / "contexts", recipe.context_digest).touch()
    if request.add_packages:
        recipe = with_packages(manager, parent, recipe, request.add_packages)
    text = request.dockerfile_text if request.dockerfile_text is not None else recipe.dockerfile
    if recipe.kind is SourceKind.ARCHIVE:
        new = replace(recipe, id=base.id, dockerfile=text, secrets=base.secrets, parent_image_id=parent.id)
        reachable(manager, new)
        if request.context is not None:
            raise InvalidRequest(f"{parent.spec} stands on an archive, and has no context; leave the context out.")
        if text:
            _copied(_checked(manager, new), _kept(manager, project, new))
        return _identified(Source(new), new.context_digest)
    text = text or f"FROM {recipe.reference}\n"
    missing = set(recipe.secrets) - set(request.secrets)
    if missing:
        raise InvalidRequest(
            f"The recipe of {parent.spec} needs secrets that are never kept: give {', '.join(sorted(missing))}."
        )
    new = replace(
        recipe,
        id=base.id,
        # With more packages a template stays one: its form can be opened again.
        kind=recipe.kind if request.add_packages and recipe.kind is SourceKind.TEMPLATE else SourceKind.DUPLICATE,
        dockerfile=text,
        reference=recipe.reference if recipe.reference in text else "",
        build_args={**recipe.build_args, **request.build_args},
        secrets=base.secrets,
        parent_image_id=parent.id,
    )
    if request.context is not None:
        # Edited to copy what it did not before: the folder is sent anew.
        folder = Context(Path(project.path), request.context, new.dockerfile_path).relative
        new = replace(new, context_path=folder, context_stored=False, context_digest="", context_size=0)
    if new.context_path and not new.context_stored:
        return _with_folder(manager, project, new, request)
    _copied(_checked(manager, new), _kept(manager, project, new))
    return _identified(Source(new), new.context_digest)


def _identified(source: Source, fingerprint: str) -> Source:
    """Give the recipe the digest by which identical builds find each other (R8)."""
    recipe = source.recipe
    decides = {
        "kind": recipe.kind.value,
        "dockerfile": recipe.dockerfile,
        "reference": recipe.reference,
        "build_args": recipe.build_args,
        "secrets": recipe.secrets,
        "context": fingerprint,
    }
    digest = "sha256:" + hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
    return replace(source, recipe=replace(recipe, digest=digest))
