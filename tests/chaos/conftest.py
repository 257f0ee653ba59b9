from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from .world import World


@pytest.fixture(scope="package")
def world(base_image: Callable[[str], str]) -> Iterator[World]:
    """An installation of its own, with a first image that is active in its project."""
    base_image("3.11")
    found = World()
    try:
        found.start()
        found.make_first_image()
        yield found
    finally:
        found.close()
