"""Folders as projects: which one a notebook belongs to, how its kernels run, and where it went."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Instance
from traitlets.config import LoggingConfigurable

from . import access, run_settings
from .errors import Conflict, EngineError, EngineUnavailable, InvalidRequest, KernelStartError, ProjectNotFound
from .models import Actor, Project, RunSettings, utcnow
from .patience import asked, awake

if TYPE_CHECKING:
    from .manager import ImageManager

NAME_LENGTH = 200


def folder_id(path: Path) -> str:
    """Return the device and inode of a folder: what stays when it is renamed or moved on its disk."""
    found = path.stat()
    return f"{found.st_dev}:{found.st_ino}"


class ProjectService(LoggingConfigurable):
    """Finds, makes and changes projects."""

    manager: ImageManager = Instance("jupyter_image_manager.manager.ImageManager")  # type: ignore[assignment]  # traitlets' descriptor gives the instance

    @property
    def root(self) -> Path:
        """The folder below which projects may lie; itself the default project."""
        return Path(self.manager.root_dir).resolve()

    # Find
    def enclosing(self, actor: Actor, path: str) -> Project | None:
        """Return the nearest project of a file or folder; None when no project encloses it.

        A project whose folder was moved or renamed is found by the folder itself, and remembers its new place.
        """
        start = Path(path).expanduser()
        if not start.is_absolute():
            raise InvalidRequest(f"{path!r} should be an absolute path.")
        real = self._real(start)
        projects = self.manager.store.projects()
        by_path = {project.path: project for project in projects}
        by_folder = {project.folder_id: project for project in projects if project.folder_id}
        for folder in (real, *real.parents):
            found = by_path.get(str(folder)) or self._moved(folder, by_folder)
            if found is not None:
                access.check(actor, "project.view", found)
                return self._seen(found)
        return None

    @staticmethod
    def _real(path: Path) -> Path:
        try:
            return path.resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise InvalidRequest(f"{str(path)!r} is no path that can be followed: {error}.") from None

    def _moved(self, folder: Path, by_folder: Mapping[str, Project]) -> Project | None:
        """Return the project that now lies in this folder, its path mended, if it was elsewhere before."""
        try:
            candidate = by_folder.get(folder_id(folder))
        except OSError:
            return None
        if candidate is None or Path(candidate.path).exists():
            return None
        self.log.info("The project %r was at %s and is now at %s.", candidate.name, candidate.path, folder)
        return self.manager.store.set_project(candidate.id, path=str(folder))

    def require(self, actor: Actor, path: str) -> Project:
        """Return the nearest project of a file or folder.

        Raises
        ------
        ProjectNotFound
            Says how the folder becomes a project.
        """
        found = self.enclosing(actor, path)
        if found is None:
            raise ProjectNotFound(
                f"{path} belongs to no project; make its folder one with `jupyter image project create`, "
                "or build an image in it."
            )
        return found

    def ensure_default(self, actor: Actor) -> Project:
        """Return the default project, the root itself; made on demand, with nothing active."""
        found = self.manager.store.project_at(str(self.root))
        if found is None:
            try:
                return self.create(actor, str(self.root))
            except Conflict:
                # Somebody else made it, or it was found again after a move.
                return self.require(actor, str(self.root))
        access.check(actor, "project.view", found)
        return self._seen(found)

    def list(self, actor: Actor) -> list[Project]:
        """Return the projects below the root, by name, each with whether its folder is there."""
        root = self.root
        found = []
        for project in self.manager.store.projects():
            if Path(project.path) == root or root in Path(project.path).parents:
                access.check(actor, "project.view", project)
                found.append(self._seen(project))
        return found

    def get(self, actor: Actor, project_id: str) -> Project:
        """Return a project by id."""
        project = self.manager.store.project(project_id)
        if project is None:
            raise ProjectNotFound("There is no such project; list the projects again.", {"project_id": project_id})
        access.check(actor, "project.view", project)
        return self._seen(project)

    @staticmethod
    def _seen(project: Project) -> Project:
        return project if Path(project.path).is_dir() else replace(project, found=False)

    def warnings(self, project: Project) -> tuple[str, ...]:
        """Return what keeps a project's kernels from working in its folder (R41), each with what to do.

        As whom kernels run depends on the engine; while none answers, there are no kernels either.
        """
        folder = Path(project.path)
        if not folder.is_dir():
            return (
                f"The folder {folder} is not there; say where it is now with "
                f"`jupyter image project relocate {project.id[:8]} DIR`.",
            )
        from .kernels import identity

        try:
            who = identity.of_folder(folder, asked(self.manager.engine.info))
            if not identity.require_access(folder, who, allow_read_only=self.manager.kernels.allow_read_only):
                return (
                    f"The folder {folder} cannot be written by the project's kernels, which see it "
                    "read-only; give access if they should write.",
                )
        except KernelStartError as error:
            return (error.message,)
        except (EngineError, EngineUnavailable, OSError) as error:
            self.log.debug("As whom the kernels of %s run is not known: %s", folder, error)
        return ()

    # Change
    def create(self, actor: Actor, path: str, name: str | None = None, *, nested: bool = False) -> Project:
        """Make a folder a project.

        Parameters
        ----------
        nested : bool
            Also inside another project, whose images its notebooks then leave.
        """
        access.check(actor, "project.create", None)
        folder = self._folder(path)
        store = self.manager.store
        if store.project_at(str(folder)) is not None:
            raise Conflict(f"{folder} is already a project.")
        outer = self.enclosing(actor, str(folder))
        if outer is not None and outer.path == str(folder):
            raise Conflict(f"{folder} is already the project {outer.name!r}; it was found again at its new place.")
        if outer is not None and not outer.is_default and not nested:
            raise Conflict(
                f"{folder} lies in the project {outer.name!r} ({outer.path}), whose image its notebooks would leave; "
                "say so (nested) if that is meant."
            )
        project = Project(
            id=uuid.uuid4().hex,
            name=self._name(name if name is not None else folder.name or "root"),
            path=str(folder),
            owner=actor.name,
            created=utcnow(),
            is_default=folder == self.root,
            folder_id=folder_id(folder),
        )
        made = store.add_project(project)
        self.manager.communities.of(
            made
        )  # the owner's personal one is there from now on: what only looks makes nothing
        return made

    def _folder(self, path: str) -> Path:
        folder = Path(path).expanduser()
        if not folder.is_absolute() or "\0" in path:
            raise InvalidRequest(f"{path!r} should be the absolute path of a folder.")
        folder = self._real(folder)
        if not folder.exists():
            raise InvalidRequest(f"There is no folder {folder}; make it first.")
        if not folder.is_dir():
            raise InvalidRequest(f"{folder} is a file; a project is a folder.")
        if not os.access(folder, os.R_OK | os.X_OK):
            raise InvalidRequest(f"The folder {folder} cannot be read by this user; change its rights.")
        root = self.root
        if folder != root and root not in folder.parents:
            raise InvalidRequest(f"{folder} lies outside {root}, below which this server's projects are.")
        return folder

    @staticmethod
    def _name(name: str) -> str:
        words = " ".join(name.split())
        if not words or len(words) > NAME_LENGTH or any(ord(c) < 32 for c in name):
            raise InvalidRequest(f"A project's name has 1 to {NAME_LENGTH} letters on one line.")
        return words

    def update(
        self,
        actor: Actor,
        project_id: str,
        *,
        name: str | None = None,
        run_settings: Mapping[str, Any] | RunSettings | None = None,
        community_id: str | None = None,
    ) -> Project:
        """Change a project's name, how its kernels run, or its community; what cannot be is refused with its reason.

        Its images stay where they are: a community says where the next ones are kept. An empty community is the
        owner's personal one.
        """
        project = self.get(actor, project_id)
        access.check(actor, "project.settings", project)
        changes: dict[str, Any] = {}
        if name is not None:
            changes["name"] = self._name(name)
        if community_id is not None:
            changes["community_id"] = self.manager.communities.get(actor, community_id).id if community_id else ""
        if run_settings is not None:
            changes["run_settings"] = self._settings(run_settings, project.run_settings)
        return self._seen(self.manager.store.set_project(project.id, **changes)) if changes else project

    def _settings(self, wanted: Mapping[str, Any] | RunSettings, before: RunSettings) -> RunSettings:
        settings = wanted if isinstance(wanted, RunSettings) else run_settings.parse(wanted, before)
        from .kernels import container

        try:
            info = asked(self.manager.engine.info)
        except (EngineError, EngineUnavailable):
            # Settings may be made while the engine is down; a start checks them again.
            return settings
        try:
            container.resources(settings, self.manager.kernels.limits(), info)
        except KernelStartError as error:
            raise InvalidRequest(error.message, error.details) from None
        return settings

    def relocate(self, actor: Actor, project_id: str, path: str) -> Project:
        """Say where a project's folder is now, when it could not be found again by itself."""
        project = self.get(actor, project_id)
        access.check(actor, "project.settings", project)
        folder = self._folder(path)
        other = self.manager.store.project_at(str(folder))
        if other is not None and other.id != project.id:
            raise Conflict(f"{folder} is already the project {other.name!r}.")
        return self.manager.store.set_project(
            project.id, path=str(folder), folder_id=folder_id(folder), is_default=folder == self.root
        )

    def delete(self, actor: Actor, project_id: str, *, delete_images: bool = False) -> None:
        """Make the folder an ordinary one; its files stay. Images go only when that is said.

        Raises
        ------
        Conflict
            It has images, builds or kernels that would be left without a project.
        """
        project = self.get(actor, project_id)
        access.check(actor, "project.delete", project)
        store = self.manager.store
        if store.builds(project_id=project.id, active=True):
            raise Conflict(f"The project {project.name!r} has running builds; cancel them first.")
        images = store.images(project.id)
        if images and not delete_images:
            raise Conflict(
                f"The project {project.name!r} has {len(images)} images; delete them with it (say so), or first."
            )
        if images:
            awake(self.manager.engine)
            running = self.manager.kernels.list(actor, project.id)
            if running:
                raise Conflict(f"{len(running)} kernels of {project.name!r} run in its images; end them first.")
            store.set_project(project.id, active_image_id=None, previous_image_id=None)
            for image in images:
                self.manager.images.delete(actor, image.id, confirm=True)
        store.delete_project(project.id)
