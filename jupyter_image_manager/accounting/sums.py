"""A month's hours added up, without reading hundreds of thousands of rows each time.

Hours that are metered do not change. So what was added up to an hour is kept, and only later hours are read anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from ..store.usage import UsageSum
from .hours import HOUR, month_of

if TYPE_CHECKING:
    from ..store import Store

Days = dict[tuple[str, str, str], int]  # by day, project and storage


def of_month(store: Store, first: datetime, after: datetime) -> list[UsageSum]:
    """Return what each image held in each storage during a month, added up."""
    kept = store.kept_sums(f"{first:%Y-%m}")
    if kept is None:
        return store.usage_sums(first, after)
    through, sums = kept
    return _added(sums, store.usage_sums(through + HOUR, after))


def fold(store: Store, hours: Iterable[datetime]) -> None:
    """Add up the months of hours that were written just now, so that the next look is short."""
    written = sorted(set(hours))
    for month in sorted({f"{hour:%Y-%m}" for hour in written}):
        text, first, after = month_of(month, written[0])
        mine = [hour for hour in written if first <= hour < after]
        kept = store.kept_sums(text)
        if kept is None or mine[0] <= kept[0]:  # hours that were left out once: everything anew
            sums, through = store.usage_sums(first, mine[-1] + HOUR), mine[-1]
            if kept is not None:
                through = max(through, kept[0])
                sums = store.usage_sums(first, through + HOUR)
        else:
            sums, through = _added(kept[1], store.usage_sums(kept[0] + HOUR, mine[-1] + HOUR)), mine[-1]
        store.keep_sums(text, through, sums)


def _added(first: Iterable[UsageSum], second: Iterable[UsageSum]) -> list[UsageSum]:
    found = {each[:4]: each for each in first}
    for each in second:
        before = found.get(each[:4])
        if before is not None:
            each = UsageSum(*each[:4], before.hours + each.hours, before.byte_hours + each.byte_hours)
        found[each[:4]] = each
    return list(found.values())


def of_days(store: Store, since: datetime, until: datetime) -> Days:
    """Return the bytes held on average over each day's hours that were metered; days that are over are kept."""
    found: Days = {}
    day = since.astimezone(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    kept = store.kept_days(f"{day:%Y-%m-%d}")
    while day < until:
        after, name = day + timedelta(days=1), f"{day:%Y-%m-%d}"
        rows = kept.get(name)
        if rows is None:
            rows = _day(store, day, after)
            # The clock may be set back by some hours; after a day more nothing is written into this one.
            if rows and after + timedelta(days=1) < until:
                store.keep_day(name, rows)
        for project, storage, held in rows:
            found[name, project, storage] = held
        day = after
    return found


def _day(store: Store, day: datetime, after: datetime) -> list[tuple[str, str, int]]:
    hours: set[datetime] = set()
    held: dict[tuple[str, str], int] = {}
    for hour, project, storage, size in store.usage_by_hour(day, after):
        hours.add(hour)
        held[project, storage] = held.get((project, storage), 0) + size
    return [(project, storage, size // len(hours)) for (project, storage), size in sorted(held.items())]
