"""A month's report out of what is held and the hours that were metered; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..models import Image, ImageUsage, UsageTotal
from ..store.usage import UsageSum
from . import hours
from .holdings import CACHED, OPTIMIZED, REGISTRY, Holdings

STORAGES = (REGISTRY, OPTIMIZED, CACHED)


@dataclass(frozen=True, slots=True)
class Names:
    """How things are called, and what belongs to what."""

    projects: Mapping[str, str]
    communities: Mapping[str, str]
    community_of: Mapping[str, str]  # by project
    active: frozenset[str]  # ids of images


@dataclass(frozen=True, slots=True)
class Month:
    """A month and its prices."""

    first: datetime
    after: datetime
    prices: Mapping[str, float]

    def cost(self, byte_hours: int, storage: str) -> float:
        """Return what bytes over hours cost in a storage."""
        return hours.cost(byte_hours, self.prices.get(storage, 0.0), self.first, self.after)


def rows(holdings: Holdings, sums: Iterable[UsageSum], names: Names, month: Month) -> list[ImageUsage]:
    """Return each image and storage: what it holds now, and its hours, also of what is deleted; the largest first."""
    metered = {(each.image_id, each.storage): each for each in sums}
    found = []
    for storage in STORAGES:
        ids, parts = holdings.parts(storage)
        counted = parts.shares(ids)
        for id in ids:
            image = holdings.images[id]
            hold = metered.pop((id, storage), None)
            size, shared = parts.size(id), parts.shared(id)
            found.append(_row(image, storage, size, shared, counted[id], hold, names, month))
    for hold in metered.values():
        there = holdings.images.get(hold.image_id)
        found.append(
            ImageUsage(
                image_id=hold.image_id,
                spec=there.spec if there else "",
                project_id=hold.project_id,
                project=names.projects.get(hold.project_id, ""),
                community_id=hold.community_id,
                storage=hold.storage,
                bytes=0,
                unique=0,
                shared=0,
                counted=0,
                gb_hours=hours.gb_hours(hold.byte_hours),
                cost=month.cost(hold.byte_hours, hold.storage),
                active=hold.image_id in names.active,
                deleted=there is None,
            )
        )
    return sorted(found, key=lambda each: (-each.bytes, -each.gb_hours, each.spec, each.storage))


def _row(
    image: Image, storage: str, size: int, shared: int, counted: int, hold: UsageSum | None, names: Names, month: Month
) -> ImageUsage:
    byte_hours = hold.byte_hours if hold else 0
    return ImageUsage(
        image_id=image.id,
        spec=image.spec,
        project_id=image.project_id,
        project=names.projects.get(image.project_id, ""),
        community_id=names.community_of.get(image.project_id, ""),
        storage=storage,
        bytes=size,
        unique=size - shared,
        shared=shared,
        counted=counted,
        gb_hours=hours.gb_hours(byte_hours),
        cost=month.cost(byte_hours, storage),
        active=image.id in names.active,
    )


def totals(
    found: Iterable[ImageUsage],
    key: Callable[[ImageUsage], str],
    names: Mapping[str, str],
    union: Callable[[str, frozenset[str]], int],
) -> tuple[UsageTotal, ...]:
    """Return what rows come to by a key, the largest first.

    Parameters
    ----------
    union : callable
        Takes a storage and ids of images; returns the bytes that they hold there together.
    """
    groups: dict[str, list[ImageUsage]] = {}
    for each in found:
        groups.setdefault(key(each), []).append(each)
    made = []
    for id, members in groups.items():
        held = 0
        for storage in STORAGES:
            ids = frozenset(each.image_id for each in members if each.storage == storage and each.bytes)
            held += union(storage, ids)
        made.append(
            UsageTotal(
                id=id,
                name=names.get(id, id),
                images=len({each.image_id for each in members if each.bytes}),
                bytes=held,
                gb_hours=sum(each.gb_hours for each in members),
                cost=sum(each.cost for each in members),
            )
        )
    return tuple(sorted(made, key=lambda each: (-each.bytes, each.name)))
