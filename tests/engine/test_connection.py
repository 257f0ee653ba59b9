"""Letting go of an engine while threads wait for its answers."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from jupyter_image_manager.engine.docker_engine import DockerEngine
from jupyter_image_manager.engine.port import ContainerSpec
from jupyter_image_manager.errors import ImageManagerError

pytestmark = pytest.mark.engine


def test_closing_ends_the_waits_of_other_threads_instead_of_waiting_for_them(base_image: Callable[[str], str]) -> None:
    engine, cleaner = DockerEngine(), DockerEngine()
    spec = ContainerSpec(image=base_image("3.11"), command=("sleep", "300"), name="", labels={}, network="none")
    container = engine.create(spec)
    ended: list[object] = []

    def wait() -> None:
        try:
            ended.append(engine.wait(container))
        except ImageManagerError as error:
            ended.append(error)

    try:
        engine.start(container)
        waiting = threading.Thread(target=wait, daemon=True)
        waiting.start()
        while not any(len(answers) for answers in list(engine._connection._answers.values())):
            pass  # until the engine has begun to answer
        closing = threading.Thread(target=engine.close, daemon=True)
        closing.start()
        closing.join(60)
        assert not closing.is_alive()
        waiting.join(60)
        assert isinstance(ended[0], ImageManagerError)
    finally:
        cleaner.remove(container)
        cleaner.close()
