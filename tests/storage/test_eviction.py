"""Which cached copies go, as plain facts; that they go from the engine is seen in tests/pulls."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import pytest

from jupyter_image_manager.models import Image, ImageState, RegistryState, Storage, utcnow
from jupyter_image_manager.storage.eviction import Copy, choose

NOW = utcnow()
HOUR = timedelta(hours=1)
GB = 10**9


def image(**changes: object) -> Image:
    plain = Image(
        id="i",
        project_id="p",
        name="geo",
        version=1,
        state=ImageState.READY,
        storage=Storage.REGISTRY,
        recipe_id="r",
        created=NOW,
        created_by="me",
        digest="sha256:" + "0" * 64,
        repository="r.example/team/geo",
        registry_state=RegistryState.PRESENT,
    )
    return replace(plain, **changes)


def copy(name: str, minutes: float, *images: Image, in_use: bool = False) -> Copy:
    return Copy(name, images or (image(),), NOW - timedelta(minutes=minutes), in_use)


def taken(copies: Collection[str]) -> int:
    return len(copies) * GB


def going(*copies: Copy, ttl: timedelta = HOUR, limit: int = 0) -> list[str]:
    return [each.engine_image for each in choose(copies, NOW, ttl=ttl, limit=limit, taken=taken)]


def test_what_was_not_used_for_long_goes_the_longest_unused_first() -> None:
    assert going(copy("a", 61), copy("b", 59), copy("c", 600)) == ["c", "a"]
    assert going(copy("a", 600, in_use=True)) == []


@pytest.mark.parametrize(
    "kept",
    [
        image(optimized=True),
        image(storage=Storage.LOCAL),
        image(repository=""),
        image(registry_state=RegistryState.MISSING),
        image(state=ImageState.MISSING),
    ],
)
def test_what_is_kept_or_could_not_come_back_stays(kept: Image) -> None:
    assert going(copy("a", 6000, kept), limit=1) == []
    assert going(copy("a", 6000, image(), kept), limit=1) == []  # for the sake of one project it stays for all


def test_above_the_limit_the_least_recently_used_go_and_what_is_used_or_has_just_come_counts_and_stays() -> None:
    copies = copy("a", 40), copy("b", 30), copy("c", 20), copy("d", 5), copy("e", 50, in_use=True)
    assert going(*copies, limit=5 * GB) == []
    assert going(*copies, limit=3 * GB) == ["a", "b"]
    assert going(*copies, limit=1) == ["a", "b", "c"]
    assert going(*copies, ttl=timedelta(minutes=35), limit=4 * GB) == ["a"]  # what goes by its age makes room too
