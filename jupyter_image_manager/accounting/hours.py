"""Hours and months of use, and what they cost; pure."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from ..errors import InvalidRequest
from ..models import UsageHour

HOUR = timedelta(hours=1)
GB = 1e9


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the time since the last hour that was metered."""

    now: datetime
    last: datetime | None  # the last hour that was metered; None: there is none
    before: tuple[UsageHour, ...]  # what that hour held
    held: tuple[UsageHour, ...]  # what is held now; their hour does not matter
    created: Mapping[str, datetime]  # since when the images that are there exist
    deleted: Mapping[str, datetime]  # until when images existed that are gone


def beginning(moment: datetime) -> datetime:
    """Return the beginning of the hour, in UTC."""
    return moment.astimezone(timezone.utc).replace(minute=0, second=0, microsecond=0)


def metered(known: Known, most: int) -> Iterator[list[UsageHour]]:
    """Yield what to write for each hour since the last one, this hour included, in order.

    Hours that nobody metered are filled in with what is known: an image that is there and was there counts with what
    it holds now; one that is there and was not, from its making on, or only now where it is older; one that is gone,
    with what it held, until it was deleted, and not at all where that is not known. A clock that was set back finds
    its hour written and writes nothing.

    Parameters
    ----------
    most : int
        How many hours are filled in at most.
    """
    this = beginning(known.now)
    if known.last is None or known.last >= this:
        if known.last is None or known.last > this:
            yield [replace(each, hour=this) for each in known.held]
        return
    first = max(known.last + HOUR, this - most * HOUR)
    was = {(each.image_id, each.storage) for each in known.before}
    there = {(each.image_id, each.storage) for each in known.held}
    gone = [each for each in known.before if (each.image_id, each.storage) not in there]
    hour = first
    while hour < this:
        found = []
        for each in known.held:
            made = known.created.get(each.image_id, this)
            if (each.image_id, each.storage) in was or known.last < made < hour + HOUR:
                found.append(replace(each, hour=hour))
        found += [replace(each, hour=hour) for each in gone if known.deleted.get(each.image_id, first) > hour]
        yield found
        hour += HOUR
    yield [replace(each, hour=this) for each in known.held]


def month_of(text: str | None, now: datetime) -> tuple[str, datetime, datetime]:
    """Return a month as ``2026-11``, its first moment and the first one after it; None: the one that is.

    Raises
    ------
    InvalidRequest
        It is no month.
    """
    if text is None:
        text = now.astimezone(timezone.utc).strftime("%Y-%m")
    try:
        first = datetime.strptime(text, "%Y-%m").replace(tzinfo=timezone.utc)
    except ValueError:
        raise InvalidRequest(f"{text[:40]!r} is no month; write it as 2026-11.", {"key": "month"}) from None
    return f"{first:%Y-%m}", first, first + timedelta(days=calendar.monthrange(first.year, first.month)[1])


def gb_hours(byte_hours: int) -> float:
    """Return GB-hours of a sum of bytes over hours."""
    return byte_hours / GB


def cost(byte_hours: int, price: float, first: datetime, after: datetime) -> float:
    """Return what bytes over hours cost at a price for one GB over the whole month."""
    return byte_hours / GB / ((after - first) / HOUR) * price
