"""What the benchmarks share: a result with its target, medians, one table.

Every figure is measured in one run on one machine and, wherever it can be, told as a ratio to something
measured in the same run: absolute seconds of a shared machine mean little.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from traitlets.config import Config

from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, Build, BuildRequest, Image, Project
from machine.bases import base_image

ACTOR = Actor(name="benchmark", via="cli")


@dataclass(frozen=True)
class Result:
    """One line of the table. `value` is a ratio, or a figure in `unit`; smaller is better."""

    name: str
    value: float
    target: float
    unit: str = "×"
    detail: str = ""

    @property
    def reached(self) -> bool:
        """Whether the target is reached."""
        return self.value <= self.target


def timed(act: Callable[[], object]) -> float:
    """Return the seconds that `act` takes."""
    begin = perf_counter()
    act()
    return perf_counter() - begin


def medians(runs: int, **acts: Callable[[], object]) -> dict[str, float]:
    """Run the acts in turn, A B A B …, so that a drift of the machine hits all; return the median of each.

    One round more is run first and not counted.
    """
    seconds: dict[str, list[float]] = {name: [] for name in acts}
    for turn in range(runs + 1):
        for name, act in acts.items():
            took = timed(act)
            if turn:
                seconds[name].append(took)
    return {name: statistics.median(values) for name, values in seconds.items()}


@contextmanager
def manager_in(folder: Path, **traits: dict[str, object]) -> Iterator[ImageManager]:
    """Give an ImageManager with a store of its own; what it made in the engine is removed in the end."""
    config = Config(
        {
            "ImageManager": {"data_dir": str(folder / "data"), "root_dir": str(folder)},
            "TemplateCatalog": {"base_image": base_image("{python}")},
            "BuildSettings": {"from_server_environment": True},
            **traits,
        }
    )
    manager = ImageManager(config=config)
    try:
        yield manager
    finally:
        engine, label = manager.engine, "org.jupyter.image-manager.installation"
        mine = {label: manager.store.installation_id()}
        for container in engine.list_containers(mine):
            engine.remove(container.id)
        for image in engine.list_images(mine):
            engine.remove_image(image.id, force=True)
        manager.close()


@contextmanager
def workplace(**traits: dict[str, object]) -> Iterator[tuple[ImageManager, Project]]:
    """Give a manager and an empty project in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="jim-bench-") as name:
        folder = Path(name).resolve()
        (folder / "project").mkdir()
        with manager_in(folder, **traits) as manager:
            yield manager, manager.projects.create(ACTOR, str(folder / "project"))


def built(manager: ImageManager, project: Project, request: BuildRequest) -> tuple[Build, Image]:
    """Build to the end; a build that fails ends the benchmark with its reason."""
    build = manager.builds.submit(ACTOR, project.id, request)
    for _ in manager.builds.follow(ACTOR, build.id):
        pass
    build = manager.builds.get(ACTOR, build.id)
    image = manager.images.get(ACTOR, build.image_id).image
    if image.state.value != "ready":
        raise RuntimeError(f"{image.spec} is {image.state.value}: {build.failure}")
    return build, image


def table(results: list[Result]) -> str:
    """Return the results as one table of value and target."""
    rows = [("what", "value", "target", "", "how")]
    rows += [
        (
            r.name,
            f"{r.value:.2f} {r.unit}",
            f"≤ {r.target:g} {r.unit}",
            "reached" if r.reached else "MISSED",
            r.detail,
        )
        for r in results
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return "\n".join(
        "  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[4]]).rstrip() for row in rows
    )
