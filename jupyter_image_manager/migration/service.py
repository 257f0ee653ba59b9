"""Migrations: plan, start, follow, cancel, go on, take back. The work is done by :mod:`.worker`, in its own process."""

from __future__ import annotations

import builtins
import os
import signal
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from traitlets import Float, Instance
from traitlets.config import LoggingConfigurable

from .. import access, workers
from ..errors import Conflict, ImageManagerError, InvalidRequest, MigrationNotFound
from ..models import Actor, Migration, MigrationState, as_json, utcnow
from ..processes import ProcessIdentity
from ..reference import parse_reference
from . import plan
from .items import AGAIN, UNFINISHED, Item, ItemState, MigrationRequest

if TYPE_CHECKING:
    from ..manager import ImageManager


class MigrationService(LoggingConfigurable):
    """Rebuilds images from their recipes, and activates the new versions wherever the old ones were."""

    manager: ImageManager = Instance("jupyter_image_manager.manager.ImageManager")  # type: ignore[assignment]  # traitlets' descriptor gives the instance

    cell_timeout = Float(
        600.0, help="Seconds that one cell of a notebook may take that is run as a test of a migrated image."
    ).tag(config=True)

    def plan(self, actor: Actor, request: MigrationRequest) -> builtins.list[Item]:
        """Return what a migration would do with each image; nothing changes.

        Raises
        ------
        InvalidRequest
            It says nothing that could be migrated, or what cannot be.
        """
        scopes = [request.images, request.project_id, request.community_id, request.everything]
        if sum(map(bool, scopes)) != 1:
            raise InvalidRequest("A migration has one scope: images, a project, a community, or everything.")
        bases = self._bases(request.bases)
        if request.images:
            items = plan.named(self.manager, actor, tuple(dict.fromkeys(request.images)), bases)
        else:
            if request.project_id:
                self.manager.projects.get(actor, request.project_id)
            items = plan.affected(
                self.manager, actor, bases, project_id=request.project_id, community_id=request.community_id
            )
        return plan.with_test(self.manager, actor, items, request.test) if request.test else items

    def _bases(self, wanted: Mapping[str, str]) -> dict[str, str]:
        found = {**wanted, **{o: n for o, n in self.manager.policy.base_replacements.items() if o not in wanted}}
        for old, new in found.items():
            parse_reference(new)
            if not old:
                raise InvalidRequest(f"The base that {new} replaces is missing.", {"key": "bases"})
        return found

    def submit(self, actor: Actor, request: MigrationRequest) -> Migration:
        """Start a migration, and return it.

        Raises
        ------
        Conflict
            No image that is asked for retires.
        """
        items = self.plan(actor, request)
        if not items:
            raise Conflict("No image there retires, so none needs a migration; name one to rebuild it anyway.")
        bases = self._bases(request.bases)
        migration = self.manager.store.add_migration(
            Migration(
                id=uuid.uuid4().hex,
                state=MigrationState.RUNNING,
                created=utcnow(),
                created_by=actor.name,
                options={**as_json(request), "bases": bases, "cancel": False},
                items=tuple(item.kept() for item in items),
                heartbeat=utcnow(),
            )
        )
        return self._start(migration)

    def _start(self, migration: Migration) -> Migration:
        def claim(worker: str) -> bool:
            nonlocal migration
            try:
                migration = self.manager.store.set_migration(
                    migration.id, only=MigrationState.RUNNING, worker=worker, heartbeat=utcnow()
                )
            except Conflict:
                return False
            return True

        payload = {"config": self.manager.configuration(), "migration": migration.id}
        trace = self.manager.data_path / "logs" / f"migration-{migration.id}.trace"
        workers.start("jupyter_image_manager.migration.worker", migration.id, payload, trace, claim)
        return migration

    # Look
    def list(self, actor: Actor) -> builtins.list[Migration]:
        """Return the migrations, newest first; those whose process died are marked first."""
        access.check(actor, "migration.view", None)
        self.recover()
        return self.manager.store.migrations()

    def get(self, actor: Actor, migration_id: str) -> Migration:
        """Return a migration as it is now; any unique beginning of its id will do."""
        found = [each for each in self.list(actor) if each.id.startswith(migration_id)]
        if len(found) != 1 or not migration_id:
            raise MigrationNotFound(
                "There is no such migration; list the migrations again.", {"migration_id": migration_id}
            )
        return found[0]

    def recover(self) -> builtins.list[Migration]:
        """Mark the migrations whose process has died; return them. Their builds have processes of their own."""
        workers.reap()
        found = []
        for migration in self.manager.store.migrations():
            beat = migration.heartbeat or migration.created
            if migration.state is MigrationState.RUNNING and workers.dead(migration.worker, beat):
                with suppress(Conflict):  # it has just ended by itself
                    found.append(self._ended(migration))
        return found

    def _ended(self, migration: Migration) -> Migration:
        """End a migration whose process is dead; one that was to be cancelled takes its builds along."""
        cancelled = bool(migration.options.get("cancel"))
        items = [Item.read(each) for each in migration.items]
        if cancelled:
            why = "The migration was cancelled."
            items = [replace(i, state=ItemState.CANCELLED, reason=why) if i.state in UNFINISHED else i for i in items]
        ended = self.manager.store.set_migration(
            migration.id,
            only=MigrationState.RUNNING,
            state=MigrationState.CANCELLED if cancelled else MigrationState.INTERRUPTED,
            items=tuple(item.kept() for item in items),
            finished=utcnow(),
        )
        for item in items if cancelled else ():
            build = self.manager.store.build(item.build_id) if item.build_id else None
            if item.state is ItemState.CANCELLED and build is not None and not build.done:
                self.manager.builds.cancel(self.manager.system_actor(), build.id)
        return ended

    # Change
    def cancel(self, actor: Actor, migration_id: str) -> Migration:
        """Cancel a migration with its builds; what it has finished stays as it is."""
        migration = self._may_change(actor, migration_id)
        if migration.state is not MigrationState.RUNNING:
            return migration
        self.manager.store.set_migration(migration.id, options={**migration.options, "cancel": True})
        worker = ProcessIdentity.parse(migration.worker)
        if worker is not None and worker.alive():
            with suppress(ProcessLookupError, PermissionError):  # it has just ended, or sees the request by itself
                os.kill(worker.pid, signal.SIGTERM)
        return self.get(actor, migration.id)

    def resume(self, actor: Actor, migration_id: str) -> Migration:
        """Go on with a migration that was interrupted or cancelled, or in which something failed; what is done stays.

        Raises
        ------
        Conflict
            It is running, or nothing is left to do.
        """
        migration = self._may_change(actor, migration_id)
        if migration.state is MigrationState.RUNNING:
            raise Conflict("That migration is running; cancel it first.")
        items = [Item.read(each) for each in migration.items]
        if not any(item.state in AGAIN for item in items):
            raise Conflict("Nothing is left to do in that migration.")
        begun = {ItemState.FAILED: ItemState.WAITING, ItemState.CANCELLED: ItemState.WAITING}
        items = [
            replace(item, state=begun.get(item.state, item.state), reason="") if item.state in AGAIN else item
            for item in items
        ]
        migration = self.manager.store.set_migration(
            migration.id,
            only=migration.state,
            state=MigrationState.RUNNING,
            items=tuple(item.kept() for item in items),
            options={**migration.options, "cancel": False},
            worker="",
            heartbeat=utcnow(),
            finished=None,
        )
        return self._start(migration)

    def undo(self, actor: Actor, migration_id: str) -> Migration:
        """Activate what was active before a migration, wherever the new version still is; the new versions stay.

        Raises
        ------
        Conflict
            It is running, has activated nothing, or an old image cannot be activated any more: says which.
        """
        migration = self._may_change(actor, migration_id)
        if migration.state is MigrationState.RUNNING:
            raise Conflict("That migration is running; cancel it first.")
        items = [Item.read(each) for each in migration.items]
        if not any(item.activated for item in items):
            raise Conflict("That migration has nothing active that could be taken back.")
        refused: builtins.list[str] = []
        items = [self._undone(actor, item, refused) for item in items]
        migration = self.manager.store.set_migration(migration.id, items=tuple(item.kept() for item in items))
        if refused:
            raise Conflict(f"Not everything could be taken back: {' '.join(refused)}", {"refused": refused})
        return migration

    def _undone(self, actor: Actor, item: Item, refused: builtins.list[str]) -> Item:
        kept = []
        for project_id in item.activated:
            project = self.manager.store.project(project_id)
            if project is None or project.active_image_id != item.new_image_id:
                continue  # somebody has chosen another image meanwhile
            try:
                self.manager.images.activate(actor, project_id, item.image_id)
            except ImageManagerError as error:
                kept.append(project_id)
                refused.append(f"{project.name}: {error.message}")
        return replace(item, activated=tuple(kept))

    def _may_change(self, actor: Actor, migration_id: str) -> Migration:
        migration = self.get(actor, migration_id)
        owners: Sequence[str] = sorted({Item.read(each).project_id for each in migration.items})
        for project_id in owners:
            if (project := self.manager.store.project(project_id)) is not None:
                access.check(actor, "image.build", project)
                access.check(actor, "image.activate", project)
        return migration

    @staticmethod
    def report(migration: Migration) -> dict[str, Any]:
        """Return how many images are in each state, for people and for JSON."""
        states = [item["state"] for item in migration.items]
        return {state.value: states.count(state.value) for state in ItemState if state.value in states}
