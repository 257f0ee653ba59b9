"""``kill -9`` of whatever takes part, at points of builds and of kernel starts that are drawn at random.

The seed is in each test's name; ``CHAOS_SEED`` draws the same points again.
"""

from __future__ import annotations

import os
import random
import threading
import time
from dataclasses import dataclass

import pytest

from .world import World

pytestmark = pytest.mark.engine

POINTS = 20
SEED = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(10_000))
VICTIMS = ("server", "worker", "engine", "all")
BUILD_MOMENTS = {
    # What the build has reached, and the most seconds that may pass from there on.
    "queued": 0.4,
    "sending": 0.3,
    "step": 0.6,
    "commit": 0.2,
    "checking": 4.0,
    "saving": 0.05,
}
KERNEL_MOMENTS = {"starting": 1.0, "running": 0.2}


@dataclass(frozen=True)
class Point:
    """Who is killed when."""

    number: int
    victim: str
    moment: str
    delay: float
    retry: bool
    engine_first: bool

    def __str__(self) -> str:
        return f"{SEED}-{self.number:02}-{self.victim}-{self.moment}"


def _drawn() -> list[Point]:
    """Draw points; each victim and each moment is among them before any comes a second time."""
    draw = random.Random(SEED)
    places = [(victim, moment) for moment in BUILD_MOMENTS for victim in VICTIMS]
    places += [(victim, moment) for moment in KERNEL_MOMENTS for victim in VICTIMS if victim != "worker"]
    chosen = draw.sample(places, POINTS)
    limits = {**BUILD_MOMENTS, **KERNEL_MOMENTS}
    return [
        Point(number, victim, moment, draw.uniform(0, limits[moment]), draw.random() < 0.3, draw.random() < 0.5)
        for number, (victim, moment) in enumerate(chosen, 1)
    ]


def _kill(world: World, victim: str, build: str = "") -> None:
    if victim in ("server", "all"):
        world.kill_server()
    if victim in ("worker", "all") and build:
        world.kill_worker(build)
    if victim in ("engine", "all"):
        world.engine.kill()


def _restart(world: World, point: Point) -> None:
    """Start again what was killed; a server may well be there before its engine."""
    if point.victim == "engine" or (point.victim == "all" and point.engine_first):
        world.engine.start()
    if point.victim in ("server", "all"):
        world.start_server()
    if point.victim == "all" and not point.engine_first:
        world.engine.start()


@pytest.mark.flaky(reruns=0)  # what comes right only at a second try is what this looks for
@pytest.mark.parametrize("point", [p for p in _drawn() if p.moment in BUILD_MOMENTS], ids=str)
def test_a_kill_while_an_image_is_built(world: World, point: Point) -> None:
    build = world.submit()
    world.reach(build, point.moment)
    time.sleep(point.delay)
    was = world.state(build)
    _kill(world, point.victim, build)
    _restart(world, point)
    ended = world.ended(build)
    allowed = {
        "server": {"succeeded"},
        "worker": {"interrupted", "succeeded" if was in ("saving", "succeeded") else "interrupted"},
        "engine": {"failed", "succeeded"},
        "all": {"interrupted", "succeeded" if was in ("saving", "succeeded") else "interrupted"},
    }
    assert ended["state"] in allowed[point.victim], ended
    world.check()
    if point.retry and ended["state"] != "succeeded":
        world.call("POST", f"builds/{build}/retry")
        again = world.ended(build)
        assert again["state"] == "succeeded", again["failure"]
        world.check()


@pytest.mark.flaky(reruns=0)
@pytest.mark.parametrize("point", [p for p in _drawn() if p.moment in KERNEL_MOMENTS], ids=str)
def test_a_kill_while_a_kernel_starts_or_runs(world: World, point: Point) -> None:
    answers: list[int] = []

    def start() -> None:
        try:
            answers.append(world.open_notebook().status_code)
        except OSError:
            answers.append(0)  # the server is gone

    starting = threading.Thread(target=start)
    starting.start()
    if point.moment == "running":
        starting.join()
        assert answers == [201]
    time.sleep(point.delay)
    _kill(world, point.victim)
    _restart(world, point)
    starting.join()
    if point.victim == "engine":
        world.end_kernels()
    world.check()
