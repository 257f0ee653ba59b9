"""What is added up once and kept comes to the same as all hours anew, whatever is written in which order."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_image_manager.accounting import sums
from jupyter_image_manager.accounting.hours import HOUR, month_of
from jupyter_image_manager.models import UsageHour
from jupyter_image_manager.store import Store

LAST = datetime(2026, 11, 30, 20, tzinfo=timezone.utc)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(-8, 8), st.sampled_from("ab"), st.sampled_from("pq")), max_size=8))
def test_folded_sums_are_the_sums(steps: list[tuple[int, str, str]]) -> None:
    with TemporaryDirectory() as folder:
        store = Store(directory=Path(folder))
        for step, image, project in steps:
            hour = LAST + step * HOUR
            store.add_usage([UsageHour(hour, image, project, "c", "optimized", 7)])
            sums.fold(store, [hour])
        for month in ("2026-11", "2026-12"):
            _, first, after = month_of(month, LAST)
            assert sorted(sums.of_month(store, first, after)) == sorted(store.usage_sums(first, after))
        store.close()


def test_days_are_averages_over_the_hours_that_were_metered(tmp_path: Path) -> None:
    store = Store(directory=tmp_path)
    noon = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
    for step in range(12):
        rows = [UsageHour(noon + step * HOUR, "a", "p", "c", "optimized", 240)]
        rows += [UsageHour(noon + step * HOUR, "b", "p", "c", "registry", 240)] if step < 6 else []
        store.add_usage(rows)
    wanted = {("2026-11-24", "p", "optimized"): 240, ("2026-11-24", "p", "registry"): 120}
    until = noon + timedelta(days=5)
    assert sums.of_days(store, noon, until) == wanted
    assert store.kept_days("2026-11-01") == {"2026-11-24": [("p", "optimized", 240), ("p", "registry", 120)]}
    assert sums.of_days(store, noon, until) == wanted
    store.close()
