"""Routes of images: look, describe, delete, compare, check."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..errors import InvalidRequest
from .base import ImageManagerHandler
from .body import text, texts


class ImageHandler(ImageManagerHandler):
    """Base of the routes of one image."""

    auth_resource = "image_manager:images"


class OneImageHandler(ImageHandler):
    """``images/{id}``."""

    acts = frozenset({"DELETE"})

    @web.authenticated
    @authorized
    async def get(self, image_id: str) -> None:
        """Show an image with its report."""
        await self.answer(lambda: self.manager.images.get(self.actor, image_id).as_json())

    @web.authenticated
    @authorized
    async def patch(self, image_id: str) -> None:
        """Change the words about an image."""
        values = self.read({}, {"description": text, "labels": texts})
        await self.answer(lambda: self.manager.images.update(self.actor, image_id, **values).as_json())

    @web.authenticated
    @authorized
    async def delete(self, image_id: str) -> None:
        """Delete an image."""
        confirm, original = bool(self.flag("confirm")), bool(self.flag("original"))
        await self.call(self.manager.images.delete, self.actor, image_id, confirm=confirm, original=original)
        self.set_status(204)
        await self.finish()


class DeletionHandler(ImageHandler):
    """``images/{id}/deletion``."""

    acts = frozenset({"GET"})

    @web.authenticated
    @authorized
    async def get(self, image_id: str) -> None:
        """Show what a deletion would do."""
        await self.answer(self.manager.images.deletion, self.actor, image_id)


class RecipeHandler(ImageHandler):
    """``images/{id}/recipe``."""

    @web.authenticated
    @authorized
    async def get(self, image_id: str) -> None:
        """Show what an image is built from."""
        await self.answer(self.manager.images.recipe, self.actor, image_id)


class PackagesHandler(ImageHandler):
    """``images/{id}/packages``."""

    @web.authenticated
    @authorized
    async def get(self, image_id: str) -> None:
        """List the Python packages in an image, or in the server environment."""
        await self.answer(lambda: {"items": self.manager.images.packages(self.actor, image_id)})


class LayersHandler(ImageHandler):
    """``images/{id}/layers``."""

    @web.authenticated
    @authorized
    async def get(self, image_id: str) -> None:
        """List an image's layers, and with which images of its project it shares each."""
        await self.answer(lambda: {"items": self.manager.images.layers(self.actor, image_id)})


class DiffHandler(ImageHandler):
    """``images/{id}/diff``."""

    @web.authenticated
    @authorized
    async def get(self, image_id: str) -> None:
        """Compare the packages of two images: what the second has more, less and otherwise."""
        other = self.word("with")
        if other is None:
            raise InvalidRequest("Say with which image to compare: `?with=<image id>`.", {"key": "with"})
        await self.answer(self.manager.images.diff, self.actor, image_id, other)


class CheckHandler(ImageHandler):
    """``images/{id}/check``."""

    acts = frozenset({"POST"})

    @web.authenticated
    @authorized
    async def post(self, image_id: str) -> None:
        """Check an image once more, as a build of kind check."""
        self.read({})
        await self.accepted(self.manager.builds.check, self.actor, image_id)


class PushHandler(ImageHandler):
    """``images/{id}/push``."""

    acts = frozenset({"POST"})

    @web.authenticated
    @authorized
    async def post(self, image_id: str) -> None:
        """Push an image that is saved on this machine only, as a build of kind push."""
        self.read({})
        await self.accepted(self.manager.builds.push, self.actor, image_id)


class FixHandler(ImageHandler):
    """``images/{id}/fix``."""

    acts = frozenset({"POST"})

    @web.authenticated
    @authorized
    async def post(self, image_id: str) -> None:
        """Build the next version with what this one lacks."""
        self.read({})
        await self.accepted(self.manager.builds.fix, self.actor, image_id)
