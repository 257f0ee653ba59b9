"""Routes of retirements: declare, list, withdraw, and whom one would hit."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..retirement.rules import SELECTORS
from .base import ImageManagerHandler
from .body import flag, text

REQUIRED = {"created_before": text, "stops": text}
OPTIONAL = {"message": text, "delete_after": text, **dict.fromkeys(SELECTORS, text)}


class RetirementHandler(ImageManagerHandler):
    """Base of the routes of retirements."""

    auth_resource = "image_manager:retirements"

    def drawn_up(self, **more: Any) -> dict[str, Any]:
        """Return what the body says of a retirement."""
        values = self.read(REQUIRED, {**OPTIONAL, **more})
        values["selector"] = {name: values.pop(name) for name in SELECTORS if name in values}
        return values


class RetirementsHandler(RetirementHandler):
    """``retirements``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List the retirements, the one that stops first at the beginning."""
        await self.answer(lambda: {"items": self.manager.retirements.list(self.actor)})

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Declare a retirement."""
        values = self.drawn_up(confirm=flag)
        await self.answer(lambda: self.manager.retirements.declare(self.actor, **values), status=201)


class RetirementPreviewHandler(RetirementHandler):
    """``retirements/preview``."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Say whom a retirement would hit; nothing changes."""
        values = self.drawn_up()
        await self.answer(lambda: self.manager.retirements.preview(self.actor, **values))


class OneRetirementHandler(RetirementHandler):
    """``retirements/{id}``."""

    @web.authenticated
    @authorized
    async def delete(self, retirement_id: str) -> None:
        """Take a retirement back."""
        await self.call(self.manager.retirements.withdraw, self.actor, retirement_id)
        self.set_status(204)
        await self.finish()
