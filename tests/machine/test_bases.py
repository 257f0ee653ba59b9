"""The bases of the tests are what they claim to be."""

from __future__ import annotations

import pytest

from jupyter_image_manager.engine.port import ContainerSpec
from jupyter_image_manager.manager import ImageManager
from machine import bases


@pytest.mark.engine
@pytest.mark.parametrize("version", bases.PYTHONS)
def test_a_base_has_its_python_with_pip(manager: ImageManager, version: str) -> None:
    spec = ContainerSpec(
        image=bases.base_image(version),
        command=("python", "-c", "import sys, ssl, sqlite3, pip; print('%d.%d' % sys.version_info[:2])"),
        name="",
        labels={},
        network="none",
    )
    result = manager.engine.run(spec, timeout=60)
    assert result.output.decode().strip() == version, result.errors


@pytest.mark.engine
def test_making_a_base_again_changes_nothing(manager: ImageManager) -> None:
    tag = bases.base_image("3.11")
    before = manager.engine.inspect_image(tag)
    assert bases.ensure("python:3.11") == [tag]
    assert manager.engine.inspect_image(tag) == before
