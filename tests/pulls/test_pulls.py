"""Pulls by the real engine from a real registry, through a proxy that makes faults."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from jupyter_image_manager import errors
from jupyter_image_manager.models import ImageState, PullState, RegistryState
from jupyter_image_manager.processes import ProcessIdentity

from .. import faults
from ..kernels.laboratory import ACTOR, kernel, until
from .conftest import EACH, LAYERS, Harbour

pytestmark = pytest.mark.engine


def test_a_kernel_waits_for_the_pull_of_its_image_which_is_then_held_by_reference(
    harbour: Harbour, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    project, image = harbour.project(folder)
    assert not harbour.held(image)
    other, second = harbour.project(tmp_path / "other", like=image)
    seen: list[str] = []

    def start(where: Path) -> None:
        with kernel(where) as running:
            seen.append(running.value(f"import os; print(os.path.getsize('/layer{LAYERS - 1}'))"))

    harbour.slow(4 * EACH)
    first = harbour.manager.last_change(ACTOR)
    threads = [threading.Thread(target=start, args=(where,)) for where in (folder, tmp_path / "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [str(EACH)] * 2
    (pull,) = harbour.pulls.list(ACTOR, project.id)
    assert harbour.pulls.list(ACTOR, other.id) == [pull]  # the other project's kernel waited for it too
    assert pull.state is PullState.DONE and pull.layers_done == pull.layers >= LAYERS
    assert pull.current == pull.total >= LAYERS * EACH
    changes = [c for c in harbour.manager.changes(ACTOR, first) if c.noun == "pull"]
    assert changes[0].action == "waiting" and changes[-1].action == "done" and {c.id for c in changes} == {pull.id}
    assert "pulling" in {c.action for c in changes}
    held = harbour.engine.inspect_image(image.engine_image)
    assert {image.reference, second.reference} <= set(held.tags)
    now = harbour.now(image)
    assert now.last_used is not None and now.registry_state is RegistryState.PRESENT and now.registry_checked
    assert harbour.pulls.ensure(ACTOR, image) is None


def test_it_goes_on_when_its_process_is_killed_and_ends_when_nobody_waits(harbour: Harbour, tmp_path: Path) -> None:
    _, image = harbour.known(tmp_path / "project")
    harbour.slow(EACH // 4)
    pull = harbour.ensure(image, unattended=True)
    running = harbour.until(pull, lambda pull: pull.current > 0)
    worker = ProcessIdentity.parse(running.worker)
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    until(lambda: worker.alive() is False)
    (taken,) = harbour.pulls.recover()
    assert taken.id == pull.id and taken.worker != running.worker
    harbour.until(pull, lambda pull: pull.worker == taken.worker and pull.heartbeat > taken.heartbeat)

    # It was for the background alone; once it is attended, it ends with the last who waits.
    harbour.manager.store.set_pull(pull.id, unattended=False)
    with harbour.pulls.waiting(ACTOR, pull) as waiting:
        waiting.look()
        assert "of" in waiting.progress or "being pulled" in waiting.progress
    harbour.manager.store.abandon_pull(pull.id, within=0.0)
    ended = harbour.until(pull, lambda pull: pull.done)
    assert ended.state is PullState.CANCELLED and not harbour.held(image)
    with pytest.raises(errors.Conflict, match=r"geo:1 was cancelled"):
        harbour.pulls.wait(ACTOR, pull.id)


def test_who_waits_sees_the_registry_die_and_come_back_in_the_middle(harbour: Harbour, tmp_path: Path) -> None:
    _, image = harbour.known(tmp_path / "project")
    harbour.slow(EACH)
    pull = harbour.ensure(image)
    steps: list[int] = []

    def watch(pull) -> None:
        steps.append(pull.current)
        if pull.current > 0 and not down.is_set():
            down.set()
            harbour.registry.stop()
            harbour.proxy.rules.clear()
            threading.Timer(1.0, harbour.registry.start).start()

    down = threading.Event()
    done = harbour.pulls.wait(ACTOR, pull.id, progress=watch)
    assert down.is_set() and done.state is PullState.DONE and harbour.held(image)


@pytest.mark.parametrize(
    ("fault", "error", "state", "words"),
    [
        (faults.Fault("/manifests/", status=404), errors.ImageNotFound, "missing", "--from-image geo:1"),
        (faults.Fault("/manifests/", status=403), errors.RegistryRefused, "forbidden", "right"),
        (
            faults.Fault("/manifests/", status=429, headers={"Retry-After": "77"}),
            errors.PullLimited,
            "rate_limited",
            "77 s",
        ),
        (faults.Fault("", status=503), errors.RegistryUnavailable, "unreachable", "up"),
        (faults.Fault("^GET .*/blobs/", flip_at=500), errors.RegistryUnavailable, "unreachable", "something else"),
    ],
)
def test_why_it_cannot_be_pulled_is_said_and_a_later_try_succeeds(
    harbour: Harbour, tmp_path: Path, fault: faults.Fault, error: type[Exception], state: str, words: str
) -> None:
    _, image = harbour.known(tmp_path / "project")
    harbour.proxy.rules.append(fault)
    pull = harbour.ensure(image)
    with pytest.raises(error, match=words) as raised:
        harbour.pulls.wait(ACTOR, pull.id)
    assert raised.value.message.endswith(".") and harbour.now(image).registry_state.value == state
    ended = harbour.pulls.get(ACTOR, pull.id)
    assert ended.state is PullState.FAILED and ended.code == error.code
    assert ended.retry_after == (77 if state == "rate_limited" else None)
    assert not harbour.held(image)
    harbour.proxy.rules.clear()
    assert harbour.pulls.wait(ACTOR, harbour.ensure(harbour.now(image)).id).state is PullState.DONE


def test_a_kernel_of_an_image_that_is_nowhere_fails_at_once_and_what_comes_back_is_usable_again(
    harbour: Harbour, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    _, image = harbour.known(folder)
    harbour.proxy.rules.append(faults.Fault("/manifests/", status=404))
    with pytest.raises(errors.ImageUnusable, match=r"not on this machine.*--from-image geo:1"), kernel(folder):
        raise AssertionError
    assert harbour.pulls.list(ACTOR, image.project_id, active=True) == []
    assert harbour.now(image).state is ImageState.MISSING
    harbour.proxy.rules.clear()
    harbour.manager.images.usable(harbour.now(image))
    assert harbour.now(image).state is ImageState.READY


def test_activation_pulls_in_the_background_and_what_is_cancelled_is_cancelled(
    harbour: Harbour, tmp_path: Path
) -> None:
    project, image = harbour.known(tmp_path / "project")
    harbour.slow(EACH // 4)
    harbour.manager.images.activate(ACTOR, project.id, None)
    harbour.manager.images.activate(ACTOR, project.id, image.id)
    (pull,) = harbour.pulls.list(ACTOR, active=True)
    assert pull.unattended
    harbour.pulls.cancel(ACTOR, pull.id)
    assert harbour.until(pull, lambda pull: pull.done).state is PullState.CANCELLED


def test_what_does_not_fit_is_refused_before_it_comes(harbour: Harbour, tmp_path: Path) -> None:
    _, image = harbour.known(tmp_path / "project")
    big = harbour.manager.store.set_image(image.id, size=1 << 50, registry_size=1 << 49, report=None)
    with pytest.raises(errors.NoSpaceLeft, match=r"needs 16888\d\d\.\d GB .* are free"):
        harbour.pulls.wait(ACTOR, harbour.ensure(big).id)
    assert not [seen for seen in harbour.proxy.seen if "GET" in seen and "/blobs/" in seen]
