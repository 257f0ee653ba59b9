"""Taking in an image that exists: by reference, pinned by digest where it has one, or from an archive.

What is built on an image out of an archive names it by the archive's digest (:func:`archive_base`): a name that is
there only while such a build runs, and that a kept copy of the archive gives again at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from ..errors import Conflict, ImageNotFound, ImageUnusable
from ..models import SourceKind
from ..reference import parse_reference
from . import archive
from .snapshot import Recording, stored

if TYPE_CHECKING:
    from ..engine.port import Engine, EngineImage
    from ..manager import ImageManager
    from ..models import Image, Project, Recipe, RegistryAccess


def access_for(manager: ImageManager, project: Project, reference: str) -> RegistryAccess | None:
    """Return as whom a reference is pulled: the service agent of the project's community, if it is in its registry."""
    found = manager.communities.access(manager.communities.of(project))
    return found if found is not None and found.host == parse_reference(reference).registry else None


def pulled(
    engine: Engine,
    reference: str,
    say: Callable[[str], None],
    progress: Callable[[int, int, str], None],
    access: RegistryAccess | None = None,
) -> tuple[str, str]:
    """Get a reference, from this machine or its registry; return the id of the image and the reference pinned.

    Parameters
    ----------
    progress : callable
        Told how many layers of how many are there, and what goes on; may raise to end it.
    """
    try:
        held = engine.inspect_image(reference)
        say(f"{reference} is on this machine")
    except ImageNotFound:
        say(f"pulling {reference}")
        for step in engine.pull(reference, access=access):
            progress(step.layers_done, step.layers, step.text)
        held = engine.inspect_image(reference)
    found = pinned(reference, held)
    if "@" in found:
        say(f"pinned as {found}")
    else:
        say(f"{reference} has no digest, for no registry has it: whatever has this name later is taken by a rebuild")
    return held.id, found


def pinned(reference: str, held: EngineImage) -> str:
    """Return the reference with the digest by which its registry knows it; as it is when there is none."""
    wanted = parse_reference(reference)
    if wanted.digest:
        return reference
    for known in held.repo_digests:
        other = parse_reference(known)
        if (other.registry, other.repository) == (wanted.registry, wanted.repository):
            return f"{reference}@{other.digest}"
    return reference


def loaded(
    manager: ImageManager, recipe: Recipe, say: Callable[[str], None], check: Callable[[], None]
) -> tuple[str, Recipe]:
    """Have the image of an archive in the engine: as it is there, from the copy that is kept, or from the file.

    Returns
    -------
    tuple
        The id of the image, and the recipe with what is known of the archive now.

    Raises
    ------
    Conflict
        The archive is in none of these places, or is another one by now.
    """
    held = held_archive(manager, recipe)
    if held is not None:
        say(f"the image of {recipe.reference} is on this machine")
        return held, recipe
    contexts = manager.data_path / "contexts"
    if recipe.context_stored:
        say(f"loading {recipe.reference} from the copy that is kept")
        return _load(manager, stored(contexts, recipe.context_digest), check), recipe
    settings = manager.builds.settings
    path = Path(recipe.context_path)
    reachable(manager, recipe)
    size = archive.survey(path, settings.archive_limit, check)
    say(f"loading {path.name}: {size / 1e6:.0f} MB unpacked")
    small = path.stat().st_size <= settings.context_store_limit
    recording = Recording(archive.blocks(path), contexts, settings.context_store_limit, keep=small)
    found = _load(manager, recording, check)
    if recipe.context_digest and recipe.context_digest != recording.digest:
        raise Conflict(
            f"{path} is another archive by now than the one that this image came from; import it as a new one."
        )
    if not recording.stored:
        say(f"{path.name} is too big to keep a copy: a later build needs the file, or the image on this machine")
    return found, replace(
        recipe, context_digest=recording.digest, context_size=recording.size, context_stored=recording.stored
    )


def reachable(manager: ImageManager, recipe: Recipe) -> None:
    """Refuse to build what came from an archive that is not to be had any more.

    Raises
    ------
    Conflict
        Names the archive.
    """
    if not recipe.context_stored and not Path(recipe.context_path).is_file() and held_archive(manager, recipe) is None:
        raise Conflict(
            f"The archive {recipe.context_path} is not there any more, and was too big to be kept; import it again."
        )


def held_archive(manager: ImageManager, recipe: Recipe) -> str | None:
    """Return the id under which the engine still holds the image of an archive that was taken in."""
    parent, seen = recipe.parent_image_id, set()
    while parent is not None and parent not in seen:
        seen.add(parent)
        image = manager.store.image(parent)
        source = manager.store.recipe(image.recipe_id) if image else None
        if image is None or source is None or source.context_digest != recipe.context_digest:
            return None
        if not source.dockerfile and image.engine_image:
            try:
                return manager.engine.inspect_image(image.engine_image).id
            except ImageNotFound:
                return None
        parent = source.parent_image_id
    return None


def archive_base(recipe: Recipe) -> str:
    """Return the name by which a Dockerfile stands on the image of an archive."""
    return f"jupyter-image-manager/archive:{recipe.context_digest.removeprefix('sha256:')[:32]}"


def base_of(manager: ImageManager, image: Image, recipe: Recipe) -> str:
    """Return on what a Dockerfile stands that adds to an image which was taken in."""
    if recipe.kind is SourceKind.ARCHIVE:
        return archive_base(recipe)
    if "@" in recipe.reference:
        return recipe.reference
    try:
        same = manager.engine.inspect_image(recipe.reference).id == image.engine_image
    except ImageNotFound:
        same = False
    return recipe.reference if same else image.reference


@contextmanager
def named(manager: ImageManager, engine_image: str, base: str) -> Iterator[None]:
    """Give the image of an archive its name as long as something is built on it."""
    manager.engine.tag(engine_image, base)
    try:
        yield
    finally:
        forget_base(manager, base)


def forget_base(manager: ImageManager, base: str, known: int = 1) -> None:
    """Take the name of an archive's image away, unless more builds than the known one stand on it at the moment."""
    using = 0
    for build in manager.store.builds(active=True):
        image = manager.store.image(build.image_id)
        recipe = manager.store.recipe(image.recipe_id) if image else None
        using += recipe is not None and recipe.kind is SourceKind.ARCHIVE and archive_base(recipe) == base
    if using <= known:
        manager.engine.remove_image(base)


def _load(manager: ImageManager, blocks: Recording | Iterator[bytes], check: Callable[[], None]) -> str:
    source = iter(blocks)
    with archive.Watched(source, check) as file:
        found = manager.engine.load(cast("IO[bytes]", file))
        for _ in source:
            check()  # what follows the end of a tar belongs to the file, and to its digest
    if len(found) != 1:
        raise ImageUnusable(f"The archive holds {len(found)} images; name one with exactly one image.")
    return found[0]
