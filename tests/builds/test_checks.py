"""Checks of images that are made: long work that takes nothing away."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from jupyter_image_manager.builds import checks
from jupyter_image_manager.errors import Conflict, ImageUnusable
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import BuildKind, BuildState, Image, ImageState, Report
from jupyter_image_manager.processes import ProcessIdentity

from ..handlers.test_images import add
from .conftest import Builder

pytestmark = pytest.mark.engine


@pytest.fixture
def ready(builder: Builder, base_image) -> Image:
    """An image that was found ready by a check of other days, active in its project."""
    held = builder.manager.engine.inspect_image(base_image("3.11"))
    image = add(
        builder.manager,
        builder.project.id,
        state=ImageState.READY,
        engine_image=held.id,
        digest=held.id,
        report=Report(ok=True),
    )
    builder.manager.images.activate(builder.actor, builder.project.id, image.id)
    return image


def now(builder: Builder, image: Image) -> Image:
    found = builder.manager.store.image(image.id)
    assert found is not None
    return found


def test_a_check_that_fails_takes_nothing_away(builder: Builder, ready: Image) -> None:
    # The base has no user `jupyter`: whatever was thought before, the next check says so.
    check = builder.wait(builder.builds.check(builder.actor, ready.id))
    assert (check.kind, check.state) == (BuildKind.CHECK, BuildState.FAILED)
    assert check.failure is not None and check.failure.code == "image_unusable"
    assert "nothing has been taken away" in check.failure.message
    assert any("jupyter" in line for line in check.failure.lines)
    after = now(builder, ready)
    assert after.report is not None and not after.report.ok
    assert replace(after, report=None, python_version="") == replace(ready, report=None)
    builder.manager.images.usable(after)
    summary = builder.manager.images.get(builder.actor, ready.id)
    assert summary.active
    assert "last check found that it lacks" in summary.warnings[0]
    assert builder.manager.engine.inspect_image(ready.engine_image).id == ready.engine_image
    again = builder.builds.retry(builder.actor, check.id)
    assert again.kind is BuildKind.CHECK and again.estimate and again.id != check.id
    assert builder.builds.check(builder.actor, ready.id).id == again.id  # who asks meanwhile waits for the same
    builder.builds.cancel(builder.actor, again.id)
    ended = builder.wait(again)
    assert ended.state in (BuildState.CANCELLED, BuildState.FAILED)
    if ended.state is BuildState.CANCELLED:
        assert ended.failure is not None and "The check of geo:1 was cancelled" in ended.failure.message
    assert builder.left() == []


def test_a_check_whose_process_dies_is_interrupted(builder: Builder, ready: Image) -> None:
    check = builder.builds.check(builder.actor, ready.id)
    builder.wait(check, lambda build: build.state is BuildState.CHECKING)
    worker = ProcessIdentity.parse(builder.builds.get(builder.actor, check.id).worker)
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    ended = builder.wait(check)
    assert ended.state is BuildState.INTERRUPTED
    assert ended.failure is not None and "jupyter image check geo:1" in ended.failure.hint
    assert now(builder, ready) == ready
    assert builder.left() == []


def test_an_image_that_is_gone_is_said_to_be_missing(builder: Builder, ready: Image) -> None:
    gone = add(
        builder.manager,
        builder.project.id,
        "gone",
        state=ImageState.READY,
        engine_image="sha256:" + "0" * 64,
        digest="sha256:" + "0" * 64,
    )
    check = builder.wait(builder.builds.check(builder.actor, gone.id))
    assert check.state is BuildState.FAILED
    assert check.failure is not None and "no longer in the engine" in check.failure.message
    assert now(builder, gone).state is ImageState.MISSING


def test_what_is_being_built_is_not_checked(manager: ImageManager, actor, project) -> None:
    image = add(manager, project.id, state=ImageState.BUILDING)
    with pytest.raises(Conflict, match="is being built"):
        manager.builds.check(actor, image.id)
    with pytest.raises(Conflict, match="being built again"):
        checks.keep(manager, image.id, Report(ok=True))
    unmade = add(manager, project.id, "unmade", state=ImageState.FAILED)
    with pytest.raises(Conflict, match="nothing to check"):
        manager.builds.check(actor, unmade.id)


def test_what_lacked_something_can_be_found_ready_later(manager: ImageManager, project) -> None:
    """As when the administrator widens the accepted versions of Python."""
    image = add(manager, project.id, engine_image="sha256:1", digest="sha256:1")
    assert checks.keep(manager, image.id, Report(ok=False)).state is ImageState.UNUSABLE
    assert checks.keep(manager, image.id, Report(ok=True, python_version="3.12.1")).state is ImageState.READY
    assert checks.keep(manager, image.id, Report(ok=False)).state is ImageState.READY


def test_a_system_image_is_checked_when_it_is_first_activated(builder: Builder, base_image) -> None:
    manager, actor = builder.manager, builder.actor
    manager.policy.system_images = [base_image("3.11")]
    _, shown = manager.images.system_images(actor)
    with pytest.raises(ImageUnusable, match="has not been checked yet"):
        manager.images.activate(actor, builder.project.id, shown["id"])
    check = manager.images.check_first(actor, builder.project.id, shown["id"])
    assert check is not None and check.activate and check.project_id == builder.project.id
    ended = builder.wait(check)
    assert ended.state is BuildState.FAILED, builder.text(ended)  # this base has no user `jupyter`
    assert manager.images.check_first(actor, builder.project.id, shown["id"]) is None
    assert manager.images.check_first(actor, builder.project.id, None) is None
    assert manager.projects.get(actor, builder.project.id).active_image_id is None
