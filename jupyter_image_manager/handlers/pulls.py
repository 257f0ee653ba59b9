"""Routes of pulls: begin, look, cancel."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from .base import ImageManagerHandler, encode


class PullHandler(ImageManagerHandler):
    """Base of the routes of pulls."""

    auth_resource = "image_manager:images"


class PullsHandler(PullHandler):
    """``pulls``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List pulls, newest first: all, or those that a project waits for."""
        active, project_id = self.flag("active"), self.word("project_id")
        pulls = self.manager.pulls
        await self.answer(
            lambda: {"items": [pull.as_json() for pull in pulls.list(self.actor, project_id, active=active)]}
        )


class OnePullHandler(PullHandler):
    """``pulls/{id}``."""

    acts = frozenset({"DELETE"})

    @web.authenticated
    @authorized
    async def get(self, pull_id: str) -> None:
        """Show a pull."""
        await self.answer(lambda: self.manager.pulls.get(self.actor, pull_id).as_json())

    @web.authenticated
    @authorized
    async def delete(self, pull_id: str) -> None:
        """Cancel a pull, for all who wait for it."""
        encoded = await self.call(lambda: encode(self.manager.pulls.cancel(self.actor, pull_id).as_json()))
        self.set_status(202)
        self.set_header("Location", self.location("pulls", pull_id))
        await self.finish(encoded)


class ImagePullHandler(PullHandler):
    """``images/{id}/pull``."""

    acts = frozenset({"POST"})

    @web.authenticated
    @authorized
    async def post(self, image_id: str) -> None:
        """Bring an image to the machine, whoever waits."""
        self.read({})
        manager, actor = self.manager, self.actor

        def ensure() -> tuple[str, bytes] | None:
            image = manager.images.image(actor, image_id)
            manager.images.usable(image)
            pull = manager.pulls.ensure(actor, image, unattended=True)
            return (pull.id, encode(pull.as_json())) if pull is not None else None

        begun = await self.call(ensure)
        if begun is None:
            self.set_status(204)
            await self.finish()
            return
        pull_id, encoded = begun
        self.set_status(202)
        self.set_header("Location", self.location("pulls", pull_id))
        await self.finish(encoded)
