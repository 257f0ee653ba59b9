"""Files that are damaged, newer, somebody else's, or not ours to write."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_image_manager.errors import StoreError
from jupyter_image_manager.store import Store, connection

from .values import a_project

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(store: Store, tmp_path: Path) -> Path:
    for number in range(200):
        store.add_project(a_project(tmp_path / f"project-{number}", name="x" * 200))
    store.close()
    return store.directory / "store.sqlite"


def assert_left_alone(file: Path, match: str, **traits: object) -> None:
    before = file.read_bytes()
    store = Store(directory=file.parent, **traits)
    with pytest.raises(StoreError, match=match) as caught:
        store.projects()
    assert str(file) in caught.value.message
    with pytest.raises(StoreError, match=match):
        store.add_project(a_project("/nowhere"))
    store.close()
    assert file.read_bytes() == before


def test_a_newer_database_is_not_touched(file: Path) -> None:
    raw = sqlite3.connect(file)
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.commit()
    raw.execute("PRAGMA journal_mode=DELETE")
    raw.close()
    assert_left_alone(file, "newer version .*9999.*upgrade")


def test_garbage_is_not_overwritten(store: Store) -> None:
    store.directory.mkdir(mode=0o700)
    file = store.directory / "store.sqlite"
    file.write_bytes(os.urandom(50_000))
    assert_left_alone(file, "damaged.*restore a backup")


def test_a_truncated_file_is_not_overwritten(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2 // 4096 * 4096])
    assert_left_alone(file, "damaged.*restore a backup")


def test_a_file_with_a_broken_head_is_not_overwritten(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(b"\0" * 4096 + content[4096:])
    assert_left_alone(file, "damaged.*restore a backup")


def test_a_database_of_something_else_is_not_touched(store: Store) -> None:
    store.directory.mkdir(mode=0o700)
    file = store.directory / "store.sqlite"
    raw = sqlite3.connect(file)
    raw.execute("CREATE TABLE images (name TEXT)")
    raw.commit()
    raw.close()
    assert_left_alone(file, "something else")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        Store(directory=tmp_path / "file" / "data").projects()


def test_a_file_that_is_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        Store(directory=tmp_path).projects()


def test_a_folder_without_rights_is_said(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from jupyter_image_manager.store import Store, connection\n"
        "import sqlalchemy.dialects.sqlite.pysqlite, sqlalchemy.orm, jupyter_image_manager.kernels.active\n"
        "if os.getuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: Store(directory=Path(sys.argv[1])).projects()\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    tmp_path.chmod(0o555)
    for folder in (Path("/image-manager-test"), tmp_path):
        done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False)
        assert done.stdout.startswith("StoreError"), done
        assert "rights" in done.stdout


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("no url", "no SQLAlchemy URL"),
        ("nothing://user:hunter2@host/name", "install its driver"),
    ],
)
def test_a_bad_url_is_said_without_its_password(tmp_path: Path, url: str, match: str) -> None:
    with pytest.raises(StoreError, match=match) as caught:
        Store(directory=tmp_path, url=url).projects()
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_the_journal_mode_is_as_configured(tmp_path: Path, mode: str) -> None:
    for each in ("WAL", "DELETE", mode):
        store = Store(directory=tmp_path, journal_mode=each)
        store.installation_id()
        store.close()
    raw = sqlite3.connect(tmp_path / "store.sqlite")
    assert raw.execute("PRAGMA journal_mode").fetchone()[0] == mode.lower()
    raw.close()


def fill(store: Store, place: Path) -> None:
    for number in range(200):
        store.add_project(a_project(place / f"more-{number}", name="y" * 3000))


def test_a_full_disk_is_said_and_nothing_is_lost(store: Store, file: Path, tmp_path: Path) -> None:
    from sqlalchemy import event

    # SQLite's own limit on pages gives the very error that a full disk gives.
    pages = file.stat().st_size // 4096

    @event.listens_for(store._database, "connect")
    def limit(connection: sqlite3.Connection, record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    store._database.dispose()
    with pytest.raises(StoreError, match=r"full.*free some space"):
        fill(store, tmp_path)
    assert len(store.projects()) >= 200
    entries = (store.directory / "active.json").read_text()
    assert entries.count('"project_id"') == len(store.projects())


def test_the_code_knows_the_newest_migration() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(connection.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == connection.HEAD


def test_migrations_make_the_tables_that_the_code_speaks_of(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from jupyter_image_manager.store.tables import Base

    store.projects()
    with store._database.connect() as connected:
        context = MigrationContext.configure(connected, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize("dump", sorted(Path(__file__).parent.glob("dumps/*.sql")), ids=lambda p: p.stem)
def test_a_database_of_each_earlier_version_is_brought_to_this_one(dump: Path, tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "store.sqlite")
    raw.executescript(dump.read_text())
    raw.close()
    store = Store(directory=tmp_path)
    (project,) = store.projects()
    (image,) = store.images(project.id)
    assert (project.name, image.spec, image.state.value) == ("climate", "analysis:2", "ready")
    assert project.active_image_id == image.id
    recipe = store.recipe(image.recipe_id)
    assert recipe is not None
    assert recipe.dockerfile.startswith("FROM")
    (build,) = store.builds()
    assert build.image_id == image.id
    assert store.installation_id() == "1234567890abcdef1234567890abcdef"
    store.close()
