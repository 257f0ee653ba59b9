"""Old images rebuilt on a real engine: activated where the old ones were, tested, interrupted, taken back."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_image_manager.cli.main import run
from jupyter_image_manager.errors import Conflict, ImageUnusable, InvalidRequest, MigrationNotFound
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.migration.items import Item, ItemState, MigrationRequest
from jupyter_image_manager.models import Actor, ImageState, Migration, MigrationState, Project
from jupyter_image_manager.processes import ProcessIdentity

from ..store.values import a_recipe, an_image
from .conftest import Builder

pytestmark = pytest.mark.engine

Base = Callable[[str], str]
LIMIT = 180.0
USER = "RUN id jupyter 2>/dev/null || useradd --create-home --uid 1000 jupyter\n"


def ended(manager: ImageManager, actor: Actor, migration: Migration) -> tuple[Migration, list[Item]]:
    end = time.monotonic() + LIMIT
    while (now := manager.migrations.get(actor, migration.id)).state is MigrationState.RUNNING:
        assert time.monotonic() < end, now
        time.sleep(0.1)
    return now, [Item.read(each) for each in now.items]


def notebook(path: Path, *cells: str) -> str:
    made = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return str(path)


def command(manager: ImageManager, *words: str) -> int:
    where = [f"--ImageManager.{name}={getattr(manager, name)}" for name in ("data_dir", "root_dir")]
    return run([*words, *where, "--BuildSettings.max_parallel=1"])


def wait(manager: ImageManager, migration: Migration, ready: Callable[[dict[str, Item]], bool]) -> dict[str, Item]:
    end = time.monotonic() + LIMIT
    while not ready(items := {i.image_id: i for i in map(Item.read, manager.store.migration(migration.id).items)}):
        assert time.monotonic() < end, items
        time.sleep(0.02)
    return items


def retire(manager: ImageManager, actor: Actor) -> None:
    """Let everything that is made until now have stopped working."""
    manager.retirements.declare(actor, manager.retirements.clock().isoformat(), "2001-01-01", confirm=True)


def test_old_images_are_rebuilt_on_a_new_base_through_a_failing_test_and_a_kill_and_taken_back(
    manager: ImageManager,
    actor: Actor,
    project: Project,
    builder: Builder,
    base_image: Base,
    project_dir: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    old_base, new_base = base_image("3.8"), base_image("3.11")
    (project_dir / "data.txt").write_text("from the context")
    builds = [
        builder.submit(f"FROM {old_base}\n{USER}COPY data.txt /opt/data.txt\n", "geo", activate=True),
        builder.submit(f"FROM {old_base}\n{USER}", "idle"),
    ]
    geo, _ = (builder.image(builder.wait(build)) for build in builds)
    (project_dir / "data.txt").unlink()  # the context is kept with the recipe
    retire(manager, actor)
    with pytest.raises(ImageUnusable):
        manager.images.usable(geo)
    path = project_dir / "test.ipynb"
    notebook(path, "import sys\nassert sys.version_info >= (3, 11)", "1 / 0")
    wanted = MigrationRequest(project_id=project.id, bases={"*python:3.8": new_base}, test=str(path), cache=True)
    planned = {item.spec: item for item in manager.migrations.plan(actor, wanted)}
    assert {item.state for item in planned.values()} == {ItemState.WAITING}
    assert planned["geo:1"].bases == ((old_base, new_base),)

    # One after the other. The notebook fails in the first; while the second is built, the process is killed.
    manager.builds.settings.max_parallel = manager.config.BuildSettings.max_parallel = 1
    migration = manager.migrations.submit(actor, wanted)
    order = [item["image_id"] for item in migration.items]
    items = wait(manager, migration, lambda items: bool(items[order[1]].build_id))
    assert items[order[0]].state is ItemState.FAILED
    assert items[order[0]].reason == "Cell 2 of test.ipynb failed: ZeroDivisionError: division by zero."
    assert manager.store.project(project.id).active_image_id == geo.id
    os.kill(ProcessIdentity.parse(manager.store.migration(migration.id).worker).pid, signal.SIGKILL)
    stopped, _ = ended(manager, actor, migration)
    assert stopped.state is MigrationState.INTERRUPTED

    notebook(path, "assert open('/opt/data.txt').read() == 'from the context'" if order[0] == geo.id else "1", "2")
    capsys.readouterr()
    assert command(manager, "migrate", "--resume", migration.id[:8]) == 0
    said = capsys.readouterr().out
    assert "test.ipynb ran through; active" in said
    done, after = ended(manager, actor, migration)
    assert done.state is MigrationState.DONE
    assert [(item.state, item.reason, item.tested) for item in after] == [(ItemState.DONE, "", True)] * 2
    assert {item.image_id: item.build_id for item in after} == {
        each: item.build_id for each, item in items.items()
    }  # nothing was built twice
    assert sorted(image.spec for image in manager.store.images(project.id)) == ["geo:1", "geo:2", "idle:1", "idle:2"]
    found = {item.spec: item for item in after}
    assert (found["geo:1"].activated, found["idle:1"].activated) == ((project.id,), ())
    assert any(name == "pip" for name, _, _ in found["geo:1"].diff["changed"])
    new = manager.store.image(manager.store.project(project.id).active_image_id)
    assert new.id == found["geo:1"].new_image_id
    assert new.python_version.startswith("3.11")
    manager.images.usable(new)
    with pytest.raises(Conflict, match="Nothing is left"):
        manager.migrations.resume(actor, done.id)

    with pytest.raises(Conflict, match="is retired"):  # the date is past: there is no way back
        manager.migrations.undo(actor, done.id)
    (rule,) = manager.retirements.list(actor)
    manager.retirements.withdraw(actor, rule.id)
    assert command(manager, "migrate", "--undo", done.id) == 0
    assert manager.store.project(project.id).active_image_id == geo.id
    with pytest.raises(Conflict):
        manager.migrations.undo(actor, done.id)


def test_the_command_line_names_what_cannot_be_rebuilt_and_cancels(
    manager: ImageManager,
    actor: Actor,
    project: Project,
    base_image: Base,
    project_dir: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, recipe in (
        ("slow", a_recipe(dockerfile=f"FROM {base_image('3.11')}\n{USER}RUN sleep 60\n")),
        ("secret", a_recipe(secrets=("token",))),
    ):
        manager.store.add_image(an_image(project.id, recipe, name=name, state=ImageState.READY), recipe)

    def say(code: int, *words: str) -> str:
        capsys.readouterr()
        assert command(manager, "migrate", *words) == code, capsys.readouterr()
        return capsys.readouterr().out

    at = ["--project", str(project_dir)]
    assert "No image there retires" in say(0, *at, "--dry-run")
    items = {item["spec"]: item for item in json.loads(say(0, *at, "slow", "secret", "--dry-run", "--json"))}
    assert items["slow:1"]["state"] == "waiting"
    assert items["secret:1"]["state"] == "impossible"
    assert "secrets" in items["secret:1"]["reason"]
    say(1, *at)  # nothing retires
    say(2, *at, "slow", "--all")
    say(2, *at, "--base", "python")

    begun = json.loads(say(0, *at, "slow", "--detach", "--json"))
    say(0, "--cancel", begun["id"][:8])
    done, (item,) = ended(manager, actor, manager.store.migration(begun["id"]))
    assert (done.state, item.state) == (MigrationState.CANCELLED, ItemState.CANCELLED)
    assert "1 cancelled" in say(0, "--list")
    assert json.loads(say(0, "--list", "--json"))[0]["id"] == begun["id"]


def test_what_is_no_migration_is_refused(manager: ImageManager, actor: Actor, project: Project) -> None:
    for request in (
        MigrationRequest(),
        MigrationRequest(everything=True, project_id=project.id),
        MigrationRequest(everything=True, bases={"python:3.8": "-x"}),
        MigrationRequest(everything=True, test="relative.ipynb"),
    ):
        with pytest.raises(InvalidRequest):
            manager.migrations.plan(actor, request)
    for id_ in ("", "nothing"):
        with pytest.raises(MigrationNotFound):
            manager.migrations.get(actor, id_)
