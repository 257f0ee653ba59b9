from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_image_manager.manager import ImageManager
from machine import bases as machine_bases

from .workshop import Workshop


class Bases(dict[str, str]):
    """References of the tests' base images by name, each made when it is first asked for."""

    def __missing__(self, name: str) -> str:
        self[name] = machine_bases.ensure(name)[0]
        return self[name]


@pytest.fixture
def bases(_engine_while_tests_run: None) -> dict[str, str]:
    return Bases()


@pytest.fixture
def python311(bases: dict[str, str]) -> str:
    return bases["python:3.11"]


@pytest.fixture
def workshop(manager: ImageManager) -> Iterator[Workshop]:
    shop = Workshop(manager)
    yield shop
    shop.close()
