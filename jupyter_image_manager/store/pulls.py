"""Pulls and who waits for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ..errors import Conflict, PullNotFound
from ..models import FINISHED_PULL_STATES, Pull, PullState, utcnow
from .base import Records

KEPT = timedelta(days=7)
"""How long a pull that is over is remembered when the same is pulled again."""
DONE = tuple(state.value for state in FINISHED_PULL_STATES)


class PullRecords(Records):
    """Pulls: one at a time for each reference and engine; insert, change, look up."""

    def join_pull(self, pull: Pull, waiter: str = "") -> tuple[Pull, bool]:
        """Insert a pull, unless one of the same reference runs on the same engine: that one is joined.

        Parameters
        ----------
        waiter : str
            Who waits for it from now on, in the same step: so it cannot be abandoned before they say so themselves.

        Returns
        -------
        tuple of Pull and bool
            The pull, and whether it is a new one, which needs somebody to do it. What the joining one wants of
            :attr:`Pull.optimize` and :attr:`Pull.unattended` the other now wants too.
        """
        from sqlalchemy import delete, select

        from .rows import to_columns, to_model
        from .tables import PullRow, WaiterRow

        with self._session(write=True) as session:
            same = session.scalars(
                select(PullRow)
                .filter_by(reference=pull.reference, engine_id=pull.engine_id)
                .where(PullRow.state.not_in(DONE), PullRow.cancel_requested.is_(False))
            ).first()
            if same is not None:
                same.optimize = same.optimize or pull.optimize
                same.unattended = same.unattended or pull.unattended
            if waiter:
                session.merge(WaiterRow(pull_id=same.id if same else pull.id, waiter=waiter, heartbeat=utcnow()))
            session.flush()
            if same is not None:
                return to_model(Pull, same), False
            old = (
                PullRow.reference == pull.reference,
                PullRow.state.in_(DONE),
                PullRow.created < utcnow() - KEPT,
            )
            session.execute(delete(PullRow).where(*old))
            session.add(PullRow(**to_columns(pull, set(PullRow.__table__.columns.keys()))))
            session.flush()
            self._note(session, "pull", pull.id, pull.project_id, pull.state.value)
        return pull, True

    def pull(self, id: str) -> Pull | None:
        """Return a pull by id."""
        from .rows import to_model
        from .tables import PullRow

        with self._session() as session:
            row = session.get(PullRow, id)
            return None if row is None else to_model(Pull, row)

    def pulls(
        self, *, project_id: str | None = None, image_id: str | None = None, active: bool | None = None
    ) -> list[Pull]:
        """Return pulls, newest first: all, of a project or an image, active ones only or finished ones only."""
        from sqlalchemy import select

        from .rows import to_model
        from .tables import PullRow

        query = select(PullRow).order_by(PullRow.created.desc(), PullRow.id)
        if project_id is not None:
            query = query.filter_by(project_id=project_id)
        if image_id is not None:
            query = query.filter_by(image_id=image_id)
        if active is not None:
            query = query.where(PullRow.state.not_in(DONE) if active else PullRow.state.in_(DONE))
        with self._session() as session:
            return [to_model(Pull, row) for row in session.scalars(query)]

    def set_pull(self, id: str, **changes: Any) -> Pull:
        """Change a pull; one that is over stays as it is.

        Raises
        ------
        Conflict
            It is over.
        """
        from sqlalchemy import delete

        from .rows import column, to_model
        from .tables import PullRow, WaiterRow

        with self._session(write=True) as session:
            row = session.get(PullRow, id)
            if row is None:
                raise PullNotFound("That pull is not there any more; list the pulls again.")
            if row.state in DONE:
                raise Conflict(f"That pull is {PullState(row.state).value} already.")
            for name, value in changes.items():
                setattr(row, name, column(value))
            session.flush()
            if row.state in DONE:
                session.execute(delete(WaiterRow).where(WaiterRow.pull_id == id))
            if set(changes) - {"heartbeat"}:
                self._note(session, "pull", id, row.project_id, row.state)
            found: Pull = to_model(Pull, row)
        return found

    def claim_pull(self, id: str, before: str, worker: str) -> bool:
        """Give a pull to a process, unless another one than before has it by now, or it is over."""
        from .tables import PullRow

        with self._session(write=True) as session:
            row = session.get(PullRow, id)
            if row is None or row.state in DONE or row.worker != before:
                return False
            row.worker, row.heartbeat = worker, utcnow()
            return True

    def abandon_pull(self, id: str, *, within: float) -> bool:
        """Ask for the end of a pull for which nobody waits, in one step; return whether its end is asked for.

        Parameters
        ----------
        within : float
            Seconds within which somebody must have said that they wait.
        """
        from sqlalchemy import func, select

        from .tables import PullRow, WaiterRow

        with self._session(write=True) as session:
            row = session.get(PullRow, id)
            if row is None or row.cancel_requested:
                return True
            query = select(func.count()).where(
                WaiterRow.pull_id == id, WaiterRow.heartbeat > utcnow() - timedelta(seconds=within)
            )
            if not row.unattended and not session.scalar(query):
                row.cancel_requested = True
            return row.cancel_requested

    def delete_pulls(self, image_id: str) -> None:
        """Forget the pulls of an image that are over."""
        from sqlalchemy import delete, select

        from .tables import PullRow, WaiterRow

        over = (PullRow.image_id == image_id, PullRow.state.in_(DONE))
        with self._session(write=True) as session:
            session.execute(delete(WaiterRow).where(WaiterRow.pull_id.in_(select(PullRow.id).where(*over))))
            session.execute(delete(PullRow).where(*over))

    def wait_for_pull(self, pull_id: str, waiter: str) -> None:
        """Write, and write again from time to time, that somebody waits."""
        from .tables import WaiterRow

        with self._session(write=True) as session:
            session.merge(WaiterRow(pull_id=pull_id, waiter=waiter, heartbeat=utcnow()))

    def stop_waiting(self, pull_id: str, waiter: str) -> None:
        """Write that somebody does not wait any more."""
        from .tables import WaiterRow

        with self._session(write=True) as session:
            row = session.get(WaiterRow, (pull_id, waiter))
            if row is not None:
                session.delete(row)

    def waiters(self, pull_id: str, *, within: float) -> int:
        """Return how many have said within these seconds that they wait."""
        from sqlalchemy import func, select

        from .tables import WaiterRow

        query = select(func.count()).where(
            WaiterRow.pull_id == pull_id, WaiterRow.heartbeat > utcnow() - timedelta(seconds=within)
        )
        with self._session() as session:
            return session.scalar(query) or 0
