"""What is kept of builds, for how long, and that a look that was cut short is finished by the next."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from jupyter_image_manager.builds import housekeeping
from jupyter_image_manager.errors import BuildNotFound, NotFound
from jupyter_image_manager.models import BuildState, ImageState, utcnow

from .conftest import Builder

pytestmark = pytest.mark.engine
FAILING = "FROM jim-test/debian:12\nCOPY one.txt /\nRUN echo decisive error >&2; exit 3\n"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def aged(folder: Path) -> None:
    """Make every file look older than what may be on its way."""
    for path in folder.iterdir():
        os.utime(path, (time.time() - 2 * housekeeping.YOUNG,) * 2)


@pytest.fixture
def logs(builder: Builder) -> Path:
    return builder.builds.log_path_of("x").parent


@pytest.fixture
def contexts(builder: Builder) -> Path:
    return builder.manager.data_path / "contexts"


def test_old_logs_of_failures_go_and_their_reason_stays(
    builder: Builder, folder: Path, logs: Path, contexts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "one.txt").write_text("1")
    old, new = builder.build(FAILING), builder.build(FAILING + "# another\n")
    made = builder.build("FROM jim-test/python:3.11\n", name="made")
    assert builder.image(made).state is ImageState.UNUSABLE, builder.text(made)
    aged(contexts)
    assert len(names(contexts)) == 1, "all of them sent the same"
    assert housekeeping.sweep(builder.manager) == 0

    builder.builds.settings.failed_logs = 1
    assert housekeeping.sweep(builder.manager) == 3
    assert {Path(name).stem for name in names(logs)} == {new.id, made.id}
    with pytest.raises(NotFound, match=r"30 days.*decisive error"):
        builder.builds.log(builder.actor, old.id)
    with pytest.raises(NotFound):
        builder.builds.follow(builder.actor, old.id)
    assert builder.builds.get(builder.actor, old.id).failure.exit_code == 3
    monkeypatch.setattr(housekeeping, "utcnow", lambda: utcnow() + timedelta(days=31))
    housekeeping.sweep(builder.manager)
    assert {Path(name).stem for name in names(logs)} == {made.id}, "the log of what was made stays with it"
    again = builder.wait(builder.builds.retry(builder.actor, old.id))
    assert (again.state, again.failure.exit_code) == (BuildState.FAILED, 3)
    assert "attempt 2" in builder.text(again)


def test_what_is_deleted_takes_its_log_and_context_along(
    builder: Builder, folder: Path, logs: Path, contexts: Path
) -> None:
    (folder / "one.txt").write_text("1")
    first = builder.build(FAILING)
    second = builder.build(FAILING + "RUN true\n", from_image=first.image_id)
    (kept,) = [name for name in names(contexts) if name == digest_of(builder, first)]
    builder.manager.images.delete(builder.actor, first.image_id)
    with pytest.raises(BuildNotFound):
        builder.builds.get(builder.actor, first.id)
    assert {Path(name).stem for name in names(logs)} == {second.id}
    (contexts / ".partial-abc").write_bytes(b"of a process that died")
    aged(contexts)
    housekeeping.sweep(builder.manager)
    assert names(contexts) == [kept], "another recipe needs it"

    # Killed after the row and before the files; and before the rows of the builds.
    builder.manager.store.delete_image(second.image_id)
    aged(logs)
    aged(contexts)
    (logs / "f00d.log").write_text("of a build that no store knows")
    assert names(logs) != []
    assert housekeeping.sweep(builder.manager) > 0
    assert names(logs) == ["f00d.log"], "young: its row may be on its way"
    assert names(contexts) == []
    aged(logs)
    housekeeping.sweep(builder.manager)
    assert names(logs) == []
    assert builder.manager.store.builds() == []
    third = builder.build(FAILING)
    builder.manager.projects.delete(builder.actor, builder.project.id, delete_images=True)
    assert names(logs) == [], third


def digest_of(builder: Builder, build) -> str:
    recipe = builder.manager.images.recipe(builder.actor, build.image_id)
    assert recipe.context_stored
    return recipe.context_digest.removeprefix("sha256:") + ".tar.gz"
