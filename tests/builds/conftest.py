from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_image_manager.engine.port import LABEL
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, Build, BuildRequest, Project

LIMIT = 180.0
"""Seconds after which a build that has not ended is a failure; no test asserts on less."""


class Builder:
    """Submits builds of one project and waits for them."""

    def __init__(self, manager: ImageManager, actor: Actor, project: Project) -> None:
        self.manager, self.actor, self.project = manager, actor, project
        self.builds = manager.builds

    def submit(self, dockerfile: str | None = None, name: str = "geo", **more: object) -> Build:
        request = BuildRequest(name=name, dockerfile_text=dockerfile, **more)
        return self.builds.submit(self.actor, self.project.id, request)

    def wait(self, build: Build, until: Callable[[Build], bool] = lambda build: build.done) -> Build:
        limit = time.monotonic() + LIMIT
        while not until(now := self.builds.get(self.actor, build.id)):
            assert not now.done, (now, self.text(build))
            assert time.monotonic() < limit, (now, self.text(build))
            time.sleep(0.1)
        return now

    def build(self, dockerfile: str | None = None, name: str = "geo", **more: object) -> Build:
        return self.wait(self.submit(dockerfile, name, **more))

    def says(self, build: Build, text: str) -> None:
        """Wait until the log has a text."""
        self.wait(build, lambda _: text in self.text(build))

    def text(self, build: Build) -> str:
        return "\n".join(line.text for line in self.builds.log(self.actor, build.id))

    def image(self, build: Build):
        return self.manager.store.image(build.image_id)

    def left(self) -> list[str]:
        """What the engine holds of this installation: containers and tags."""
        mine = {f"{LABEL}.installation": self.manager.store.installation_id()}
        engine = self.manager.engine
        return [c.id for c in engine.list_containers(mine)] + [t for i in engine.list_images(mine) for t in i.tags]


@pytest.fixture
def builder(manager: ImageManager, actor: Actor, project: Project) -> Iterator[Builder]:
    builder = Builder(manager, actor, project)
    yield builder
    for build in manager.builds.list(actor, active=True):
        manager.builds.cancel(actor, build.id)
        builder.wait(build)


@pytest.fixture
def folder(project_dir: Path) -> Path:
    return project_dir
