"""Opening the database: pragmas, migrations, and what its errors mean in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from ..errors import StoreError

MIGRATIONS = Path(__file__).with_name("migrations")


def explain(error: SQLAlchemyError, place: str) -> StoreError:
    """Return an error of the database as one sentence that says what to do."""
    text = str(getattr(error, "orig", error)).lower()
    if "malformed" in text or "not a database" in text or "corrupt" in text:
        said = f"The store {place} is damaged and was left as it is; restore a backup, or move it away to begin anew."
    elif "locked" in text or "busy" in text:
        said = f"The store {place} is being written by another process for too long; try again."
    elif "disk is full" in text or "disk i/o" in text or "no space" in text:
        said = f"The disk of the store {place} is full or fails; free some space and try again."
    elif "readonly" in text or "unable to open" in text or "permission" in text:
        said = f"The store {place} cannot be written by this user; check the owner and rights of its folder."
    else:
        said = f"The store {place} answered with an error: {getattr(error, 'orig', error)}."
    return StoreError(said)


def connect(url: str, directory: Path, *, journal_mode: str, busy_timeout: float) -> sqlalchemy.Engine:
    """Return a database that is migrated to this version; one of a newer version is refused and not touched."""
    place = url or str(directory / "store.sqlite")
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(
            f"The data folder {directory} cannot be made: {error.strerror}; check its parent's rights."
        ) from error
    address = url or f"sqlite:///{directory / 'store.sqlite'}"
    arguments: dict[str, Any] = {"connect_args": {"timeout": busy_timeout}} if address.startswith("sqlite") else {}
    database = sqlalchemy.create_engine(address, **arguments)
    if database.dialect.name == "sqlite":

        @event.listens_for(database, "connect")
        def prepare(connection: Any, record: object) -> None:
            # Transactions are begun by us (BEGIN IMMEDIATE), not by the driver at the first write.
            connection.isolation_level = None
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout={int(busy_timeout * 1000)}")
            cursor.execute(f"PRAGMA journal_mode={journal_mode}")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute("PRAGMA synchronous=NORMAL")
            cursor.close()

    try:
        migrate(database, place)
    except DatabaseError as error:
        database.dispose()
        raise explain(error, place) from error
    return database


def migrate(database: sqlalchemy.Engine, place: str) -> None:
    """Bring the tables to this version, once, whoever else starts now."""
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    head = script.get_current_head()
    with database.connect() as connection:
        try:
            current = MigrationContext.configure(connection).get_current_revision()
        except OperationalError:
            current = None
    if current == head:
        return
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            f"The store {place} was written by a newer version of Jupyter Image Manager ({current}); upgrade this one. "
            "It was not touched."
        )
    with database.connect() as connection:
        if database.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.begin()
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7062019)")
        context = MigrationContext.configure(connection)
        current = context.get_current_revision()
        for revision in reversed(list(script.iterate_revisions(head, current or "base"))):
            with Operations.context(context):
                revision.module.upgrade()
            context.stamp(script, revision.revision)
        connection.commit()
