"""Opening the database: pragmas, migrations, and what its errors mean in words."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError, SQLAlchemyError

from ..errors import StoreError

MIGRATIONS = Path(__file__).with_name("migrations")
HEAD = "0004"
"""The newest migration, which this code is written for."""


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
    try:
        place = sqlalchemy.make_url(url).render_as_string() if url else str(directory / "store.sqlite")
    except ArgumentError as error:
        # The text is not repeated: it may hold a password.
        raise StoreError(
            "Store.url is no SQLAlchemy URL; one looks like postgresql+psycopg://user@host/name."
        ) from error
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(
            f"The data folder {directory} cannot be made: {error.strerror}; check its parent's rights."
        ) from error
    address = url or f"sqlite:///{directory / 'store.sqlite'}"
    arguments: dict[str, Any] = {"connect_args": {"timeout": busy_timeout}} if address.startswith("sqlite") else {}
    try:
        database = sqlalchemy.create_engine(address, **arguments)
    except (ModuleNotFoundError, SQLAlchemyError) as error:
        raise StoreError(
            f"The store {place} cannot be opened: {error}; install its driver or change Store.url."
        ) from error
    if database.dialect.name == "sqlite":

        @event.listens_for(database, "connect")
        def prepare(connection: Any, record: object) -> None:
            # Transactions are begun by us (BEGIN IMMEDIATE), not by the driver at the first write.
            connection.isolation_level = None
            # SQLite's own knows ASCII only; searches should find other letters too.
            connection.create_function("lower", 1, _lower, deterministic=True)
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout={int(busy_timeout * 1000)}")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute(f"PRAGMA synchronous={'NORMAL' if journal_mode == 'WAL' else 'FULL'}")
            cursor.close()

    try:
        migrate(database, place)
        if database.dialect.name == "sqlite":
            _set_journal_mode(database, journal_mode, busy_timeout)
    except DatabaseError as error:
        database.dispose()
        raise explain(error, place) from error
    except StoreError:
        database.dispose()
        raise
    return database


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def _set_journal_mode(database: sqlalchemy.Engine, mode: str, timeout: float) -> None:
    """Set the journal mode, which the file keeps; SQLite does not wait for other processes here, so we do."""
    deadline = time.monotonic() + timeout
    while True:
        with database.connect() as connection:
            if connection.exec_driver_sql("PRAGMA journal_mode").scalar() == mode.lower():
                return
            try:
                connection.exec_driver_sql(f"PRAGMA journal_mode={mode}")
            except OperationalError:
                if time.monotonic() > deadline:
                    raise
        time.sleep(0.02)


def migrate(database: sqlalchemy.Engine, place: str) -> None:
    """Bring the tables to this version, once, whoever else starts now."""
    with database.connect() as connection:
        if _revision(connection, place) == HEAD:
            # The usual case. Alembic is not even imported, since every kernel start comes by here.
            return
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}
    with database.connect() as connection:
        if database.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7062019)")
        current = _revision(connection, place)
        if current is not None and current not in known:
            raise StoreError(
                f"The store {place} was written by a newer version of Jupyter Image Manager ({current}); upgrade this "
                "one. It was not touched."
            )
        context = MigrationContext.configure(connection)
        for revision in reversed(list(script.iterate_revisions(HEAD, current or "base"))):
            with Operations.context(context):
                revision.module.upgrade()
            context.stamp(script, revision.revision)
        connection.commit()


def _revision(connection: sqlalchemy.Connection, place: str) -> str | None:
    """Return the version of the tables; None when there are none at all."""
    tables = sqlalchemy.inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" not in tables or "images" not in tables:
        raise StoreError(
            f"The store {place} is a database of something else and was left as it is; set Store.url to another place."
        )
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
