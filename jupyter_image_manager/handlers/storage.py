"""Routes of where images are kept and what that takes: copies, originals, usage, clean-up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..errors import InvalidRequest
from ..models import StorageAction, UsageReport, as_json
from .base import Encoded, ImageManagerHandler, encode
from .body import flag, text

LONGEST_DAYS = 36_500
LONGEST_HISTORY = 366


def _days(value: Any, key: str) -> float:
    """Return a number of days."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LONGEST_DAYS:
        raise InvalidRequest(f"`{key}` should be a number from 0 to {LONGEST_DAYS}.", {"key": key})
    return float(value)


def _in_pieces(report: UsageReport) -> Encoded:
    """Return a report's JSON, row by row: one call for hundreds would hold the event loop."""
    rows = b",".join(encode(row) for row in report.images)
    rest = encode(as_json(replace(report, images=())))
    return Encoded(rest.replace(b'"images":[]', b'"images":[' + rows + b"]", 1))


class StorageHandler(ImageManagerHandler):
    """Base of the routes of storage."""

    auth_resource = "image_manager:images"


class StoragePreviewHandler(StorageHandler):
    """``images/{id}/storage``."""

    acts = frozenset({"GET"})

    @web.authenticated
    @authorized
    async def get(self, image_id: str) -> None:
        """Say what an action on where an image is kept would do."""
        words = self.word("action") or ""
        try:
            action = StorageAction(words)
        except ValueError:
            actions = ", ".join(each.value for each in StorageAction)
            raise InvalidRequest(f"`action` should be one of {actions}.", {"key": "action"}) from None
        await self.answer(self.manager.storage.preview, self.actor, image_id, action)


class OptimizeHandler(StorageHandler):
    """``images/{id}/optimize``."""

    acts = frozenset({"POST"})

    @web.authenticated
    @authorized
    async def post(self, image_id: str) -> None:
        """Keep a copy of an image on this machine on purpose: at once where it is here, else by a pull."""
        self.read({})
        actor = self.actor

        def optimize() -> tuple[str | None, bytes]:
            pull = self.manager.storage.optimize(actor, image_id)
            if pull is not None:
                return pull.id, encode(pull.as_json())
            return None, encode(self.manager.images.get(actor, image_id).as_json())

        pull_id, encoded = await self.call(optimize)
        if pull_id is not None:
            self.set_status(202)
            self.set_header("Location", self.location("pulls", pull_id))
        await self.finish(encoded)


class UnoptimizeHandler(StorageHandler):
    """``images/{id}/unoptimize``."""

    acts = frozenset({"POST"})

    @web.authenticated
    @authorized
    async def post(self, image_id: str) -> None:
        """Give up the optimized copy of an image."""
        values = self.read({}, {"confirm": flag})
        storage, actor = self.manager.storage, self.actor
        await self.answer(lambda: storage.unoptimize(actor, image_id, **values).as_json())


class OriginalHandler(StorageHandler):
    """``images/{id}/original``."""

    acts = frozenset({"DELETE"})

    @web.authenticated
    @authorized
    async def delete(self, image_id: str) -> None:
        """Delete the version of an image in its registry."""
        storage, actor, confirm = self.manager.storage, self.actor, bool(self.flag("confirm"))
        await self.answer(lambda: storage.delete_original(actor, image_id, confirm=confirm).as_json())


class UsageHandler(StorageHandler):
    """``usage``."""

    slow = True

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Report what images hold now and what a month of it costs: of a project, a community, or of all."""
        scope = {"project_id": self.word("project"), "community_id": self.word("community")}
        report, actor, month = self.manager.accounting.report, self.actor, self.word("month")
        await self.answer(lambda: _in_pieces(report(actor, month=month, **scope)))


class UsageHistoryHandler(StorageHandler):
    """``usage/history``."""

    slow = True

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List what each project held in each storage, day by day."""
        days = self.number("days", 30, least=1, most=LONGEST_HISTORY) or 30
        history, actor, project = self.manager.accounting.history, self.actor, self.word("project")
        await self.answer(lambda: {"items": history(actor, days=days, project_id=project)})


class PruneHandler(StorageHandler):
    """``prune``."""

    acts = frozenset({"GET", "POST"})

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Say what nobody needs; nothing changes."""
        days = self.number("days", None, least=0, most=LONGEST_DAYS)
        await self._prune(self.word("project"), days, bool(self.flag("optimized")), confirm=False)

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Remove what nobody needs."""
        values = self.read({}, {"project_id": text, "days": _days, "optimized": flag})
        optimized = values.get("optimized", False)
        await self._prune(values.get("project_id"), values.get("days"), optimized, confirm=True)

    async def _prune(self, project_id: str | None, days: float | None, optimized: bool, *, confirm: bool) -> None:
        older: Any = None if days is None else timedelta(days=days)
        prune, actor = self.manager.storage.prune, self.actor
        await self.answer(
            lambda: as_json(prune(actor, project_id=project_id, older_than=older, optimized=optimized, confirm=confirm))
        )
