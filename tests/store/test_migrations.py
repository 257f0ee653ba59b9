"""A store of each earlier version comes along with all that is in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from jupyter_image_manager.models import BuildKind, BuildState, ImageState
from jupyter_image_manager.store import Store, connection

from .values import a_build, a_project, a_recipe, an_image


def before(version: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> sqlite3.Connection:
    """Make a store as an earlier version made it."""
    with monkeypatch.context() as patch:
        patch.setattr(connection, "HEAD", version)
        store = Store(directory=directory)
        store.last_change()
        store.close()
    return sqlite3.connect(directory / "store.sqlite")


def test_builds_get_a_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, old = tmp_path / "data", tmp_path / "old"
    # Rows as this version writes them, taken over without what the earlier one did not know.
    store = Store(directory=data)
    project = store.add_project(a_project(tmp_path / "work"))
    recipe = a_recipe()
    image = store.add_image(an_image(project.id, recipe, state=ImageState.READY), recipe)
    build = store.add_build(a_build(image, state=BuildState.SUCCEEDED))
    image = store.image(image.id)
    store.close()
    with before("0001", old, monkeypatch) as raw:
        columns = {row[1] for row in raw.execute("PRAGMA table_info(builds)")}
        assert "kind" not in columns
        raw.execute("ATTACH ? AS new", (str(data / "store.sqlite"),))
        for table in ("projects", "recipes", "images", "builds", "changes", "facts"):
            names = ", ".join(row[1] for row in raw.execute(f"PRAGMA table_info({table})"))
            raw.execute(f"DELETE FROM {table}")
            raw.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM new.{table}")
    raw.close()
    store = Store(directory=old)
    assert store.projects() == [project]
    assert store.image(image.id) == image
    assert store.recipe(recipe.id) == recipe
    assert store.builds() == [build]
    assert build.kind is BuildKind.BUILD
    check = store.add_build(a_build(image, kind=BuildKind.CHECK))
    assert store.build(check.id) == check
    assert store.image(image.id).last_build_id == build.id
    with pytest.raises(Exception, match="immutable"):  # the triggers are still there
        store.set_image(image.id, engine_image="sha256:other")
    store.close()
