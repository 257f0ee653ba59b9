"""Routes of archives and lock files: export, load, lock, sync."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from .base import ImageManagerHandler
from .body import flag, text


class ExportHandler(ImageManagerHandler):
    """``images/{id}/export``."""

    auth_resource = "image_manager:images"
    acts = frozenset({"POST"})

    @web.authenticated
    @authorized
    async def post(self, image_id: str) -> None:
        """Write an image with its recipe into an archive on the server."""
        values = self.read({"path": text}, {"overwrite": flag})
        path = Path(self.absolute(values["path"]))
        overwrite = values.get("overwrite", False)

        def export() -> dict[str, Any]:
            written = self.manager.portable.export(self.actor, image_id, path, overwrite=overwrite)
            return {"path": values["path"], "bytes": written}

        await self.answer(export)


class ProjectPortableHandler(ImageManagerHandler):
    """Base of the routes of one project."""

    auth_resource = "image_manager:projects"
    acts = frozenset({"POST"})


class LoadHandler(ProjectPortableHandler):
    """``projects/{id}/load``."""

    @web.authenticated
    @authorized
    async def post(self, project_id: str) -> None:
        """Take in an archive that an export wrote, with its recipe."""
        values = self.read({"path": text}, {"name": text, "activate": flag})
        path = Path(self.absolute(values.pop("path")))
        await self.accepted(lambda: self.manager.portable.load(self.actor, project_id, path, **values)[0])


class LockHandler(ProjectPortableHandler):
    """``projects/{id}/lock``."""

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """Show what the project's lock file says."""
        await self.answer(self.manager.portable.locked, self.actor, project_id)

    @web.authenticated
    @authorized
    async def put(self, project_id: str) -> None:
        """Write the lock file, of the active image or of another one."""
        values = self.read({}, {"image_id": text})

        def write() -> Any:
            self.manager.portable.lock(self.actor, project_id, values.get("image_id"))
            return self.manager.portable.locked(self.actor, project_id)

        await self.answer(write)


class SyncHandler(ProjectPortableHandler):
    """``projects/{id}/sync``."""

    @web.authenticated
    @authorized
    async def post(self, project_id: str) -> None:
        """Begin to get the image of the lock file; a build makes it where it is not here."""
        values = self.read({}, {"rebuild": flag})
        await self.answer(self.manager.portable.sync, self.actor, project_id, **values)

    @web.authenticated
    @authorized
    async def put(self, project_id: str) -> None:
        """Activate the image that this gave, once it is ready, and say in what it differs."""
        values = self.read({"image_id": text})
        await self.answer(self.manager.portable.synced, self.actor, project_id, values["image_id"])
