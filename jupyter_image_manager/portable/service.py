"""Images between installations: export, load, lock, sync."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from traitlets import Instance
from traitlets.config import LoggingConfigurable

from .. import access, packages
from ..builds import snapshot
from ..errors import (
    Conflict,
    ImageManagerError,
    ImageNotFound,
    ImageUnusable,
    InvalidRequest,
    NoSpaceLeft,
)
from ..models import (
    Actor,
    Build,
    BuildRequest,
    Image,
    ImageState,
    PackageDiff,
    Project,
    Recipe,
    Storage,
)
from ..patience import awake
from . import carried, lock
from .lock import Lock

if TYPE_CHECKING:
    from ..manager import ImageManager

MADE = (ImageState.READY, ImageState.UNUSABLE, ImageState.MISSING)
Progress = Callable[[int, int], None]
"""Told how many bytes are written, and about how many there will be."""


@dataclass(frozen=True, slots=True)
class Sync:
    """How a project gets the image of its lock file."""

    lock: Lock
    how: str  # here | pulled | rebuilt
    image_id: str
    build: Build | None = None  # that makes it; None: it is there


@dataclass(frozen=True, slots=True)
class Synced:
    """What came of it."""

    image_id: str
    spec: str
    same: bool  # exactly the image of the lock file, not one like it
    same_recipe: bool
    diff: PackageDiff  # packages, from the lock file's to the image's


class PortableService(LoggingConfigurable):
    """Takes images with all that belongs to them from one installation to another."""

    manager: ImageManager = Instance("jupyter_image_manager.manager.ImageManager")  # type: ignore[assignment]  # traitlets' descriptor gives the instance

    # Archives
    def export(
        self, actor: Actor, image_id: str, path: Path, *, overwrite: bool = False, progress: Progress | None = None
    ) -> int:
        """Write an image with its recipe, context and report into one archive; return its bytes.

        Any tool that reads archives of `docker save` can read it. A file that is not complete is never seen under its
        name.

        Raises
        ------
        Conflict
            The file is there already.
        ImageUnusable
            It was never made, or is nowhere any more.
        NoSpaceLeft
            It would not fit.
        """
        image = self.manager.images.image(actor, image_id)
        if image.state not in MADE or not image.engine_image:
            raise ImageUnusable(f"{image.spec} was never made, so there is nothing to export; build it first.")
        recipe = self.manager.images.recipe(actor, image.id)
        path = path.expanduser().absolute()
        if path.exists() and not overwrite:
            raise Conflict(f"{path} is there already; name another file, or confirm that it is to be overwritten.")
        if not path.parent.is_dir():
            raise InvalidRequest(f"There is no folder {path.parent} to write the archive into; make it first.")
        awake(self.manager.engine)
        held = self._here(actor, image)
        free = shutil.disk_usage(path.parent).free
        if free < held:
            raise NoSpaceLeft(
                f"{path.parent} has {free / 1e9:.1f} GB free and {image.spec} has {held / 1e9:.1f} GB; make room, or "
                "name a file elsewhere.",
                {"free": free, "needed": held},
            )
        return self._write(image, recipe, path, held, progress or (lambda done, total: None))

    def _here(self, actor: Actor, image: Image) -> int:
        """Have the image on this machine; return its bytes."""
        engine = self.manager.engine
        try:
            return engine.inspect_image(image.engine_image).size
        except ImageNotFound:
            if not image.pinned:
                raise self.manager.images.gone(image) from None
        pull = self.manager.pulls.ensure(actor, image)
        if pull is not None:
            self.manager.pulls.wait(actor, pull.id)
        return engine.inspect_image(image.engine_image).size

    def _write(self, image: Image, recipe: Recipe, path: Path, total: int, progress: Progress) -> int:
        context: Path | None = None
        if recipe.context_stored:
            with suppress(Conflict):  # the copy is lost: the image can go all the same
                context = snapshot.path_of(self.manager.data_path / "contexts", recipe.context_digest)
        try:
            with tempfile.NamedTemporaryFile(prefix=f".{path.name}.", dir=path.parent, delete=False) as file:
                partial = Path(file.name)
                try:
                    done = 0
                    for blocks in (carried.head(image, recipe, context), self.manager.engine.save(image.engine_image)):
                        for block in blocks:
                            file.write(block)
                            done += len(block)
                            progress(done, total)
                    file.flush()
                    partial.chmod(0o644)
                    partial.replace(path)
                finally:
                    partial.unlink(missing_ok=True)
        except OSError as error:
            kind = NoSpaceLeft if error.errno == 28 else InvalidRequest
            raise kind(f"{path} cannot be written: {error.strerror or error}; nothing of it is left.") from error
        return done

    def load(
        self, actor: Actor, project_id: str, path: Path, *, name: str = "", activate: bool = False
    ) -> tuple[Build, carried.Carried]:
        """Take in an archive that :meth:`export` wrote, with its recipe; the image is checked again here.

        Raises
        ------
        InvalidRequest
            It is no archive of ours, or damaged.
        """
        path = path.expanduser().absolute()
        if not path.is_file():
            raise InvalidRequest(f"There is no file {path}; name one that `jupyter image export` wrote.")
        found = carried.read(path)
        if found is None:
            raise InvalidRequest(
                f"{path.name} carries no recipe; take the image in without one with `jupyter image import NAME "
                f"{path.name}`."
            )
        request = BuildRequest(
            name=name or found.name,
            archive=str(path),
            description=found.description,
            storage=Storage.LOCAL,
            activate=activate,
        )
        return self.manager.builds.submit(actor, project_id, request), found

    def adopt(self, path: Path, engine_image: str) -> Recipe | None:
        """Return the recipe that an archive carries, its context kept here; None when it carries none.

        Parameters
        ----------
        engine_image : str
            What the engine made of the archive.

        Raises
        ------
        InvalidRequest
            What it carries is damaged.
        """
        found = carried.read(path)
        if found is None:
            return None
        if found.engine_image != engine_image:
            self.log.debug("%s was %s where it came from and is %s here.", path, found.engine_image, engine_image)
        contexts, limit = self.manager.data_path / "contexts", self.manager.builds.settings.context_limit
        kept = carried.unpack_context(path, found.recipe, contexts, limit)
        return replace(found.recipe, context_stored=kept)

    # Lock file
    def lock(self, actor: Actor, project_id: str, image_id: str | None = None) -> Path:
        """Write the lock file of a project: of an image of it, by default the active one."""
        project = self.manager.projects.get(actor, project_id)
        access.check(actor, "image.activate", project)
        image_id = image_id or project.active_image_id
        if image_id is None:
            raise Conflict(f"No image is active in the project {project.name!r}; activate one, or name one.")
        image = self.manager.images.image(actor, image_id)
        if image.state not in MADE or not image.digest:
            raise ImageUnusable(f"{image.spec} was never made, so there is nothing to lock; build it first.")
        return lock.write(Path(project.path), lock.of(image, self.manager.images.recipe(actor, image.id)))

    def locked(self, actor: Actor, project_id: str) -> Lock:
        """Return what a project's lock file says.

        Raises
        ------
        NotFound
            There is none.
        """
        project = self.manager.projects.get(actor, project_id)
        access.check(actor, "image.view", project)
        return lock.read(Path(project.path))

    def relock(self, project: Project, image: Image) -> None:
        """Write a newly activated image into the project's lock file, if it has one of another image."""
        folder = Path(project.path)
        if not (folder / lock.FILE).is_file():
            return
        try:
            recipe = self.manager.store.recipe(image.recipe_id)
            if recipe is not None and not self._is(image, lock.read(folder)):
                lock.write(folder, lock.of(image, recipe))
        except ImageManagerError as error:
            # The image is active all the same; who syncs is told by the file that it names another one.
            self.log.warning("%s still names another image than the active %s: %s", folder, image.spec, error)

    def _is(self, image: Image, wanted: Lock) -> bool:
        """Return whether an image is exactly the one of a lock file."""
        if image.digest == wanted.digest:
            return True
        recipe = self.manager.store.recipe(image.recipe_id)
        return (
            bool(wanted.pinned) and recipe is not None and not recipe.dockerfile and recipe.reference == wanted.pinned
        )

    def sync(self, actor: Actor, project_id: str, *, rebuild: bool = False) -> Sync:
        """Begin to get the image of a project's lock file: as it is here, from its registry, or built again.

        Parameters
        ----------
        rebuild : bool
            Build it again though it is in a registry, for example since that cannot be reached.

        Raises
        ------
        NotFound
            There is no lock file.
        Conflict
            It is in no registry, and there is nothing to build it from.
        """
        project = self.manager.projects.get(actor, project_id)
        access.check(actor, "image.build", project)
        wanted = lock.read(Path(project.path))
        for image in self.manager.store.images(project.id):
            if image.state is ImageState.READY and self._is(image, wanted):
                return Sync(wanted, "here", image.id)
        pulled = bool(wanted.pinned) and not rebuild
        request = self._pulled(wanted) if pulled else self._rebuilt(project, wanted)
        build = self.manager.builds.submit(actor, project.id, request)
        return Sync(wanted, "pulled" if pulled else "rebuilt", build.image_id, build)

    def _pulled(self, wanted: Lock) -> BuildRequest:
        about = f"{wanted.spec} of {lock.FILE}"
        return BuildRequest(name=wanted.name, reference=wanted.pinned, storage=Storage.LOCAL, description=about)

    def _rebuilt(self, project: Project, wanted: Lock) -> BuildRequest:
        request = BuildRequest(
            name=wanted.name,
            context=wanted.context or None,
            build_args=dict(wanted.build_args),
            storage=Storage.LOCAL,  # the team's registry has it from whoever locked it, or is to have it from them
            description=f"Like {wanted.spec} of {lock.FILE}",
        )
        if wanted.template:
            return replace(request, template=wanted.template)
        for name in (wanted.dockerfile, "Dockerfile"):
            if name and (Path(project.path) / name).is_file():
                return replace(request, dockerfile_path=name)
        if wanted.text:
            return replace(request, dockerfile_text=wanted.text)
        raise Conflict(
            f"{wanted.spec} of {lock.FILE} is in no registry, and the project has no Dockerfile to build it from; ask "
            "whoever made it for the Dockerfile, or for the file that `jupyter image export` writes."
        )

    def synced(self, actor: Actor, project_id: str, image_id: str) -> Synced:
        """Activate the image that :meth:`sync` gave; say in what it differs. The lock file stays as it is."""
        project = self.manager.projects.get(actor, project_id)
        wanted = lock.read(Path(project.path))
        self.manager.images.activate(actor, project.id, image_id, lock=False)
        image = self.manager.images.image(actor, image_id)
        return Synced(
            image_id=image.id,
            spec=image.spec,
            same=self._is(image, wanted),
            same_recipe=self.manager.images.recipe(actor, image.id).digest == wanted.recipe,
            diff=packages.difference(wanted.package_list, self.manager.images.packages(actor, image.id)),
        )
