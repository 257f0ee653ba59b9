"""Retirements and migrations."""

from __future__ import annotations

from typing import Any

from ..errors import Conflict, MigrationNotFound, RetirementNotFound
from ..models import Migration, MigrationState, Retirement
from .base import Records


class RetirementRecords(Records):
    """The administrator's rules, and the rebuildings that answer them."""

    def add_retirement(self, retirement: Retirement) -> Retirement:
        """Insert a retirement."""
        from .rows import to_columns
        from .tables import RetirementRow

        with self._session(write=True) as session:
            session.add(RetirementRow(**to_columns(retirement, set(RetirementRow.__table__.columns.keys()))))
            session.flush()
            self._note(session, "retirement", retirement.id, "", "created")
        return retirement

    def retirements(self) -> list[Retirement]:
        """Return every retirement, the one that stops first at the beginning."""
        from sqlalchemy import select

        from .rows import to_model
        from .tables import RetirementRow

        query = select(RetirementRow).order_by(RetirementRow.stops, RetirementRow.id)
        with self._session() as session:
            return [to_model(Retirement, row) for row in session.scalars(query)]

    def delete_retirement(self, id: str) -> None:
        """Take a retirement back."""
        from .tables import RetirementRow

        with self._session(write=True) as session:
            row = session.get(RetirementRow, id)
            if row is None:
                raise RetirementNotFound("That retirement is not there any more; list the retirements again.")
            session.delete(row)
            self._note(session, "retirement", id, "", "deleted")

    def add_migration(self, migration: Migration) -> Migration:
        """Insert a migration."""
        from .rows import to_columns
        from .tables import MigrationRow

        with self._session(write=True) as session:
            session.add(MigrationRow(**to_columns(migration, set(MigrationRow.__table__.columns.keys()))))
            session.flush()
            self._note(session, "migration", migration.id, "", "created")
        return migration

    def migration(self, id: str) -> Migration | None:
        """Return a migration by id."""
        from .rows import to_model
        from .tables import MigrationRow

        with self._session() as session:
            row = session.get(MigrationRow, id)
            return None if row is None else to_model(Migration, row)

    def migrations(self) -> list[Migration]:
        """Return every migration, newest first."""
        from sqlalchemy import select

        from .rows import to_model
        from .tables import MigrationRow

        query = select(MigrationRow).order_by(MigrationRow.created.desc(), MigrationRow.id)
        with self._session() as session:
            return [to_model(Migration, row) for row in session.scalars(query)]

    def set_migration(self, id: str, *, only: MigrationState | None = None, **changes: Any) -> Migration:
        """Change a migration.

        Raises
        ------
        Conflict
            It is not in the state in which alone (`only`) it was to be changed.
        """
        from .rows import column, to_model
        from .tables import MigrationRow

        with self._session(write=True) as session:
            row = session.get(MigrationRow, id)
            if row is None:
                raise MigrationNotFound("That migration is not there any more; list the migrations again.")
            if only is not None and row.state != only.value:
                raise Conflict(f"That migration is {row.state} already.")
            for name, value in changes.items():
                setattr(row, name, column(value))
            session.flush()
            if set(changes) - {"heartbeat"}:
                self._note(session, "migration", id, "", "updated")
            found: Migration = to_model(Migration, row)
        return found
