"""Hours are written once, also after nothing ran for a while, and whatever becomes of the clock."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_image_manager.accounting import hours
from jupyter_image_manager.accounting.hours import HOUR, Known
from jupyter_image_manager.errors import InvalidRequest
from jupyter_image_manager.models import UsageHour

NOON = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)


def used(image: str, size: int = 100, hour: datetime = NOON, storage: str = "optimized") -> UsageHour:
    return UsageHour(hour, image, "project", "community", storage, size)


def written(known: Known, most: int = 1000) -> dict[tuple[datetime, str], int]:
    return {(each.hour, each.image_id): each.bytes for hour in hours.metered(known, most) for each in hour}


def test_the_first_hour_is_this_one() -> None:
    known = Known(NOON + timedelta(minutes=59), None, (), (used("a"),), {"a": NOON - 50 * HOUR}, {})
    assert written(known) == {(NOON, "a"): 100}


def test_hours_without_anybody_are_filled_in() -> None:
    known = Known(NOON + 3 * HOUR, NOON, (used("a", 90),), (used("a"),), {"a": NOON - HOUR}, {})
    assert written(known) == {(NOON + n * HOUR, "a"): 100 for n in (1, 2, 3)}


def test_what_was_made_meanwhile_counts_from_then_on() -> None:
    made = NOON + 2.5 * HOUR
    known = Known(NOON + 4 * HOUR, NOON, (), (used("a"),), {"a": made}, {})
    assert written(known) == {(NOON + n * HOUR, "a"): 100 for n in (2, 3, 4)}


def test_what_was_optimized_meanwhile_counts_from_now_on_since_nobody_knows_better() -> None:
    known = Known(NOON + 3 * HOUR, NOON, (), (used("a"),), {"a": NOON - 9 * HOUR}, {})
    assert written(known) == {(NOON + 3 * HOUR, "a"): 100}


def test_what_was_deleted_meanwhile_counts_until_then() -> None:
    known = Known(NOON + 4 * HOUR, NOON, (used("a"), used("b")), (), {}, {"a": NOON + 2.5 * HOUR})
    assert written(known) == {(NOON + n * HOUR, "a"): 100 for n in (1, 2)}


def test_a_clock_that_was_set_back_counts_nothing_twice() -> None:
    known = Known(NOON + 5 * timedelta(minutes=1), NOON, (used("a"),), (used("a"), used("b")), {}, {})
    assert written(known) == {}


def test_not_more_than_so_many_hours_are_filled_in() -> None:
    known = Known(NOON + 1000 * HOUR, NOON, (used("a"),), (used("a"),), {"a": NOON - HOUR}, {})
    assert len(written(known, 24)) == 25


@given(st.lists(st.integers(-300, 300), min_size=1, max_size=30), st.integers(1, 50))
def test_whatever_the_clock_does_no_hour_is_written_twice(minutes: list[int], most: int) -> None:
    rows: dict[tuple[datetime, str], int] = {}
    now = NOON
    for step in minutes:
        now += timedelta(minutes=step)
        last = max((hour for hour, _ in rows if hour <= hours.beginning(now)), default=None)
        before = tuple(used(image, size, hour) for (hour, image), size in rows.items() if hour == last)
        known = Known(now, last, before, (used("a"),), {"a": NOON - 400 * HOUR}, {})
        for key, size in written(known, most).items():
            rows.setdefault(key, size)
    assert all(hour == hours.beginning(hour) and size == 100 for (hour, _), size in rows.items())
    assert (hours.beginning(now), "a") in rows


def test_a_month_costs_its_price() -> None:
    text, first, after = hours.month_of("2026-11", NOON)
    assert (text, (after - first) / HOUR) == ("2026-11", 720)
    assert hours.cost(720 * 5_000_000_000, 2.0, first, after) == pytest.approx(10.0)
    assert hours.month_of(None, NOON)[0] == "2026-11"
    assert hours.month_of("2026-12", NOON)[2] == datetime(2027, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize("text", ["", "11", "2026-13", "2026-11-01", "next"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"2026-11"):
        hours.month_of(text, NOON)
