"""Builds in the store: their states, their queue, what they took."""

from __future__ import annotations

from typing import Any

from ..errors import BuildNotFound, Conflict
from ..models import FINISHED_BUILD_STATES, Build, BuildKind, BuildState, Storage, utcnow
from .base import Records

ACTIVE = tuple(s.value for s in (BuildState.BUILDING, BuildState.CHECKING, BuildState.SAVING, BuildState.PUSHING))
UNFINISHED = (BuildState.QUEUED.value, *ACTIVE)
BEGUN = {
    BuildKind.BUILD: BuildState.BUILDING,
    BuildKind.CHECK: BuildState.CHECKING,
    BuildKind.PUSH: BuildState.PUSHING,
}
"""The first state of each kind of build after the queue."""


class BuildRecords(Records):
    """Builds; one that has ended stays as it ended, except that a retry queues it anew."""

    def add_build(self, build: Build) -> Build:
        """Insert a build; the log of its image is that of the build that makes it, not of a later check."""
        from .rows import to_columns
        from .tables import BuildRow, ImageRow

        with self._session(write=True) as session:
            session.add(BuildRow(**to_columns(build, set(BuildRow.__table__.columns.keys()))))
            image = session.get(ImageRow, build.image_id)
            if image is not None and build.kind is BuildKind.BUILD:
                image.last_build_id = build.id
            session.flush()
            self._note(session, "build", build.id, build.project_id, build.state.value)
        return build

    def build(self, id: str) -> Build | None:
        """Return a build."""
        from .rows import to_model
        from .tables import BuildRow

        with self._session() as session:
            row = session.get(BuildRow, id)
            return None if row is None else to_model(Build, row)

    def builds(
        self,
        *,
        project_id: str | None = None,
        active: bool | None = None,
        image_id: str | None = None,
        limit: int | None = None,
    ) -> list[Build]:
        """Return builds, newest first."""
        from sqlalchemy import select

        from .rows import to_model
        from .tables import BuildRow

        query = select(BuildRow).order_by(BuildRow.created.desc(), BuildRow.id.desc())
        if project_id is not None:
            query = query.filter_by(project_id=project_id)
        if image_id is not None:
            query = query.filter_by(image_id=image_id)
        if active is not None:
            query = query.where(BuildRow.state.in_(UNFINISHED) if active else BuildRow.state.not_in(UNFINISHED))
        with self._session() as session:
            return [to_model(Build, row) for row in session.scalars(query.limit(limit) if limit is not None else query)]

    def delete_builds(self, image_id: str) -> None:
        """Forget the builds of an image that is not there any more; one that has not ended yet stays."""
        from sqlalchemy import delete, select

        from .tables import BuildRow, ImageRow

        with self._session(write=True) as session:
            session.execute(
                delete(BuildRow).where(
                    BuildRow.image_id == image_id,
                    BuildRow.state.not_in(UNFINISHED),
                    BuildRow.image_id.not_in(select(ImageRow.id)),
                )
            )

    def set_build(self, id: str, **changes: Any) -> Build:
        """Change a build; one that has ended stays as it ended."""
        return self._change_build(id, changes)

    def restart_build(self, id: str, **changes: Any) -> Build:
        """Queue a finished build once more."""
        fresh = {
            "state": BuildState.QUEUED,
            "started": None,
            "finished": None,
            "heartbeat": None,
            "step": 0,
            "failure": None,
            "worker": "",
            "cancel_requested": False,
            "log_lines": 0,
        }
        return self._change_build(id, fresh | changes, restart=True)

    def _change_build(self, id: str, changes: dict[str, Any], *, restart: bool = False) -> Build:
        from .rows import column, to_model
        from .tables import BuildRow

        with self._session(write=True) as session:
            row = session.get(BuildRow, id)
            if row is None:
                raise BuildNotFound("That build is not there any more.")
            finished = BuildState(row.state) in FINISHED_BUILD_STATES
            if finished != restart:
                if "state" in changes or restart:
                    raise Conflict(
                        f"The build is {row.state}; " + ("it has to end first." if restart else "it has ended.")
                    )
                if set(changes) - {"joined", "log_lines"}:
                    raise Conflict(f"The build is {row.state}: it has ended.")
            if restart:
                row.attempt += 1
            before = (row.state, row.step)
            for name, value in changes.items():
                setattr(row, name, column(value))
            session.flush()
            if (row.state, row.step) != before:
                self._note(session, "build", id, row.project_id, row.state)
            changed: Build = to_model(Build, row)
            return changed

    def claim_slot(self, id: str, limit: int) -> bool:
        """Let a queued build begin, if fewer than `limit` run and none has waited longer."""
        from sqlalchemy import func, select

        from .tables import BuildRow

        with self._session(write=True) as session:
            row = session.get(BuildRow, id)
            if row is None or row.state != BuildState.QUEUED.value:
                return False
            running = session.scalar(select(func.count()).where(BuildRow.state.in_(ACTIVE))) or 0
            waiting = select(func.count()).where(
                BuildRow.state == BuildState.QUEUED.value, BuildRow.created < row.created, BuildRow.worker != ""
            )
            if running + (session.scalar(waiting) or 0) >= limit:
                return False
            now = utcnow()
            begun = BEGUN[BuildKind(row.kind)]
            row.state, row.started, row.heartbeat = begun.value, now, now
            self._note(session, "build", id, row.project_id, row.state)
            return True

    def active_build_of(self, project_id: str, name: str, recipe_digest: str, storage: Storage) -> Build | None:
        """Return an unfinished build of the same recipe under the same name for the same storage (R8)."""
        from sqlalchemy import select

        from .rows import to_model
        from .tables import BuildRow, ImageRow, RecipeRow

        query = (
            select(BuildRow)
            .join(ImageRow, ImageRow.id == BuildRow.image_id)
            .join(RecipeRow, RecipeRow.id == ImageRow.recipe_id)
            .where(
                ImageRow.project_id == project_id,
                ImageRow.name == name,
                ImageRow.storage == storage.value,
                RecipeRow.digest == recipe_digest,
                BuildRow.kind == BuildKind.BUILD.value,
                BuildRow.state.in_(UNFINISHED),
            )
            .limit(1)
        )
        with self._session() as session:
            row = session.scalar(query)
            return None if row is None else to_model(Build, row)

    def active_of_kind(self, image_id: str, kind: BuildKind) -> Build | None:
        """Return an unfinished build of an image, of one kind."""
        return next((b for b in self.builds(image_id=image_id, active=True) if b.kind is kind), None)

    def durations(self, project_id: str, name: str, template: str = "") -> list[float]:
        """Return the seconds of earlier successful builds of this name, else of the template, newest first."""
        from sqlalchemy import select

        from .tables import BuildRow, ImageRow, RecipeRow

        query = (
            select(BuildRow.started, BuildRow.finished, ImageRow.name, RecipeRow.content)
            .join(ImageRow, ImageRow.id == BuildRow.image_id)
            .join(RecipeRow, RecipeRow.id == ImageRow.recipe_id)
            .where(
                ImageRow.project_id == project_id,
                BuildRow.state == BuildState.SUCCEEDED.value,
                BuildRow.kind == BuildKind.BUILD.value,
            )
            .order_by(BuildRow.created.desc())
            .limit(50)
        )
        with self._session() as session:
            rows = [r for r in session.execute(query) if r.started and r.finished]
        same = [r for r in rows if r.name == name]
        like = same or [r for r in rows if template and (r.content.get("template") or {}).get("name") == template]
        return [(r.finished - r.started).total_seconds() for r in like]
