"""A full disk, the engine's or that of our data folder: one sentence, nothing lost, and a retry when there is room."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from .disk import Disk
from .world import World, until

pytestmark = pytest.mark.engine
ROOM = ("free some space", "make room", "delete images")


@pytest.fixture(params=["engine", "data"])
def disk(world: World, request: pytest.FixtureRequest) -> Iterator[Disk]:
    """One of the two disks; empty again in the end."""
    found = world.engine.disk if request.param == "engine" else world.data_disk
    yield found
    found.empty()


def _says_what_to_do(message: str, hint: str = "") -> None:
    assert message.endswith("."), message
    said = f"{message} {hint}"
    assert "full" in said or "free" in said, said
    assert any(words in said for words in ROOM), said


@pytest.mark.flaky(reruns=0)
def test_a_build_is_refused_while_there_is_no_room_and_nothing_of_it_stays(world: World, disk: Disk) -> None:
    disk.fill()
    answer = world.request("POST", f"image-manager/v1/projects/{world.project}/builds", world.request_of_build("full"))
    _says_what_to_do(answer.json()["message"])
    disk.empty()
    world.check()


@pytest.mark.flaky(reruns=0)
@pytest.mark.parametrize("moment", ["step", "checking", "saving"])
def test_a_disk_that_fills_while_an_image_is_built(world: World, disk: Disk, moment: str) -> None:
    build = world.submit()
    world.reach(build, moment)
    disk.fill()
    limit = time.monotonic() + 8  # in which it may end, or come to where it waits for room to say why it failed
    until("it ended, or may go on", lambda: world.worker(build) is None or time.monotonic() > limit)
    disk.empty()
    ended = world.ended(build)
    world.check()
    if ended["state"] != "succeeded":
        assert ended["state"] == "failed", ended
        _says_what_to_do(ended["failure"]["message"], ended["failure"]["hint"])
        world.call("POST", f"builds/{build}/retry")
        again = world.ended(build)
        assert again["state"] == "succeeded", again["failure"]
        world.check()


@pytest.mark.flaky(reruns=0)
def test_a_kernel_starts_or_says_that_there_is_no_room(world: World, disk: Disk) -> None:
    disk.fill()
    answer = world.open_notebook()
    if answer.ok:
        world.end_kernels()
    else:
        _says_what_to_do(answer.json()["message"])
    disk.empty()
    world.check()
