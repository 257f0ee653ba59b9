"""What every part of the store shares: the connection, transactions, facts and changes."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets.config import LoggingConfigurable

from ..errors import InvalidRequest
from ..models import utcnow

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine as Database
    from sqlalchemy.orm import Session

KEPT_CHANGES = 10_000
"""How many of the newest changes are kept; older ones were seen by everybody."""
WRITER_LOCK = 7062020
"""Advisory lock of PostgreSQL that makes writers follow one another, as SQLite does by itself."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a project, image, build or kernel."""

    sequence: int
    noun: str
    id: str
    project_id: str
    action: str
    data: dict[str, Any] = field(default_factory=dict)


class Records(LoggingConfigurable):
    """The database, opened on first use. Calls may come from any thread and process."""

    url: str
    journal_mode: str
    busy_timeout: float

    def __init__(self, *, directory: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.directory = directory
        self._lock = threading.Lock()

    @cached_property
    def _database(self) -> Database:
        from .connection import connect

        return connect(self.url, self.directory, journal_mode=self.journal_mode, busy_timeout=self.busy_timeout)

    @contextmanager
    def _session(self, *, write: bool = False) -> Iterator[Session]:
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError
        from sqlalchemy.orm import Session

        from .connection import explain

        with self._lock:
            database = self._database
        try:
            with Session(database, expire_on_commit=False) as session, session.begin():
                if write and database.dialect.name == "sqlite":
                    session.connection().exec_driver_sql("BEGIN IMMEDIATE")
                elif write:
                    # Numbers of changes and versions follow the order of commits only if writers wait for each other.
                    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})
                yield session
        except SQLAlchemyError as error:
            raise explain(error, self.place) from error
        except UnicodeEncodeError as error:
            raise InvalidRequest(f"{error.object!r} has characters that are no text; write it anew.") from None

    @property
    def place(self) -> str:
        """Where the database is, for messages; without a password."""
        if not self.url:
            return str(self.directory / "store.sqlite")
        from sqlalchemy import make_url

        return make_url(self.url).render_as_string(hide_password=True)

    def close(self) -> None:
        """Let go of the connections."""
        if "_database" in self.__dict__:
            self._database.dispose()
            del self.__dict__["_database"]

    # Facts and changes
    def installation_id(self) -> str:
        """Return the id by which this installation's containers and images are told from others'."""
        from .tables import FactRow

        with self._session() as session:
            found = session.get(FactRow, "installation")
            if found is not None:
                return found.value
        with self._session(write=True) as session:
            found = session.get(FactRow, "installation")
            if found is None:
                found = FactRow(name="installation", value=uuid.uuid4().hex)
                session.add(found)
            return found.value

    def last_change(self) -> int:
        """Return the sequence number of the newest change."""
        from sqlalchemy import func, select

        from .tables import ChangeRow

        with self._session() as session:
            return session.scalar(select(func.max(ChangeRow.sequence))) or 0

    def changes(self, after: int, limit: int = 500) -> list[Change]:
        """Return what changed after a sequence number, in order."""
        from sqlalchemy import select

        from .tables import ChangeRow

        with self._session() as session:
            query = select(ChangeRow).where(ChangeRow.sequence > after).order_by(ChangeRow.sequence).limit(limit)
            return [
                Change(r.sequence, r.noun, r.id, r.project_id, r.action, dict(r.data)) for r in session.scalars(query)
            ]

    def note_change(self, noun: str, id: str, project_id: str, action: str, data: dict[str, Any] | None = None) -> None:
        """Record a change that has no row of its own, such as a kernel's death."""
        with self._session(write=True) as session:
            self._note(session, noun, id, project_id, action, data)

    def _note(
        self, session: Session, noun: str, id: str, project_id: str, action: str, data: dict[str, Any] | None = None
    ) -> None:
        from sqlalchemy import delete

        from .tables import ChangeRow

        row = ChangeRow(noun=noun, id=id, project_id=project_id, action=action, at=utcnow(), data=data or {})
        session.add(row)
        session.flush()
        if row.sequence % 1000 == 0:
            session.execute(delete(ChangeRow).where(ChangeRow.sequence <= row.sequence - KEPT_CHANGES))
