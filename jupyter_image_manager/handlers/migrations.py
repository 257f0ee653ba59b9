"""Routes of migrations: start, look, cancel, go on, take back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..migration.items import MigrationRequest
from ..models import Migration
from .base import ImageManagerHandler, encode
from .body import flag, listed, text, texts

REQUEST = {
    "images": listed,
    "project_id": text,
    "community_id": text,
    "everything": flag,
    "bases": texts,
    "test": text,
    "fix": flag,
    "cache": flag,
}


class MigrationHandler(ImageManagerHandler):
    """Base of the routes of migrations."""

    auth_resource = "image_manager:migrations"
    acts = frozenset({"POST"})

    def asked(self) -> MigrationRequest:
        """Return what the body asks to migrate; a notebook is named by its Jupyter path."""
        values = self.read({}, REQUEST)
        if values.get("test"):
            values["test"] = self.absolute(values["test"])
        return MigrationRequest(**values)

    async def begun(self, function: Callable[..., Migration], *args: Any) -> None:
        """Call the service for a migration, and say where to look for it."""

        def begin() -> tuple[str, bytes]:
            migration = function(self.actor, *args)
            return migration.id, encode(migration)

        migration_id, encoded = await self.call(begin)
        self.set_status(202)
        self.set_header("Location", self.location("migrations", migration_id))
        await self.finish(encoded)


class MigrationsHandler(MigrationHandler):
    """``migrations``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List the migrations, newest first."""
        await self.answer(lambda: {"items": self.manager.migrations.list(self.actor)})

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Start a migration."""
        await self.begun(self.manager.migrations.submit, self.asked())


class MigrationPreviewHandler(MigrationHandler):
    """``migrations/preview``."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Say what a migration would do with each image; nothing changes."""
        request = self.asked()
        await self.answer(lambda: {"items": self.manager.migrations.plan(self.actor, request)})


class OneMigrationHandler(MigrationHandler):
    """``migrations/{id}``."""

    @web.authenticated
    @authorized
    async def get(self, migration_id: str) -> None:
        """Show a migration."""
        await self.answer(self.manager.migrations.get, self.actor, migration_id)

    @web.authenticated
    @authorized
    async def delete(self, migration_id: str) -> None:
        """Cancel a migration; what it has finished stays."""
        await self.answer(self.manager.migrations.cancel, self.actor, migration_id, status=202)


class ResumeHandler(MigrationHandler):
    """``migrations/{id}/resume``."""

    @web.authenticated
    @authorized
    async def post(self, migration_id: str) -> None:
        """Go on with what is not done of a migration."""
        self.read({})
        await self.begun(self.manager.migrations.resume, migration_id)


class UndoHandler(MigrationHandler):
    """``migrations/{id}/undo``."""

    @web.authenticated
    @authorized
    async def post(self, migration_id: str) -> None:
        """Activate what was active before a migration."""
        self.read({})
        await self.answer(self.manager.migrations.undo, self.actor, migration_id)
