"""Hours of use and layers in the store."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from jupyter_image_manager.models import Layer, UsageHour
from jupyter_image_manager.store import Store

NOON = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


def used(hour: datetime, image: str, size: int, storage: str = "optimized", project: str = "p") -> UsageHour:
    return UsageHour(hour, image, project, "c", storage, size)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(directory=tmp_path)


def test_an_hour_that_is_written_stays(store: Store) -> None:
    store.add_usage([used(NOON, "a", 1), used(NOON + HOUR, "a", 2)])
    store.add_usage([used(NOON, "a", 99), used(NOON, "a", 5, "registry"), used(NOON, "b", 7, project="q")])
    sums = {(each.image_id, each.storage): each[4:] for each in store.usage_sums(NOON, NOON + 9 * HOUR)}
    assert sums == {("a", "optimized"): (2, 3), ("a", "registry"): (1, 5), ("b", "optimized"): (1, 7)}
    assert store.usage_by_hour(NOON, NOON + HOUR) == [
        (NOON, "p", "optimized", 1),
        (NOON, "p", "registry", 5),
        (NOON, "q", "optimized", 7),
    ]
    assert store.last_usage_hour() == NOON + HOUR
    assert store.last_usage_hour(NOON) == NOON
    assert store.last_usage_hour(NOON - HOUR) is None


def test_layers_are_kept_until_nobody_wants_them(store: Store) -> None:
    one, two = (Layer("FROM", 5, "sha256:1"),), (Layer("RUN «x»", 0), Layer("RUN", 7, "sha256:2"))
    contents = {"sha256:" + "a" * 64: one, "sha256:" + "b" * 64: two}
    store.keep_layers(contents)
    installation = store.installation_id()
    assert store.kept_layers([*contents, "sha256:" + "c" * 64]) == contents
    assert store.kept_layers(f"sha256:{n:064}" for n in range(500)) == {}
    store.forget_layers(["sha256:" + "b" * 64])
    assert store.kept_layers(contents) == {"sha256:" + "b" * 64: two}
    assert store.installation_id() == installation
