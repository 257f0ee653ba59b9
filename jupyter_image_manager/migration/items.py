"""What is asked of a migration, and what becomes of each image in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

from ..models import as_json


class ItemState(str, Enum):
    """How far the migration of one image is."""

    WAITING = "waiting"
    BUILDING = "building"
    TESTING = "testing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"  # it needs none: the reason says why
    IMPOSSIBLE = "impossible"  # it has no recipe that could be built again: the reason says why


UNFINISHED = frozenset({ItemState.WAITING, ItemState.BUILDING, ItemState.TESTING})
AGAIN = UNFINISHED | {ItemState.FAILED, ItemState.CANCELLED}
"""What going on with a migration takes up once more."""


@dataclass(frozen=True, slots=True)
class Item:
    """One image of a migration. It is kept as JSON in :attr:`jupyter_image_manager.models.Migration.items`."""

    image_id: str
    spec: str
    project_id: str
    project: str  # name
    state: ItemState = ItemState.WAITING
    reason: str = ""
    bases: tuple[tuple[str, str], ...] = ()  # which are replaced, and by what
    warnings: tuple[str, ...] = ()  # what of its recipe is not kept
    test: str = ""  # notebook that is run before the new version is activated
    tested: bool = False  # it ran without an error
    build_id: str = ""
    new_image_id: str = ""
    new_spec: str = ""
    diff: dict[str, Any] | None = None  # packages added, removed, changed
    activated: tuple[str, ...] = ()  # ids of the projects in which the new version is active instead of the old one

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Item:
        """Return the item that was kept."""
        values = {each.name: kept[each.name] for each in fields(cls) if each.name in kept}
        values["state"] = ItemState(values["state"])
        for name in ("warnings", "activated"):
            values[name] = tuple(values.get(name, ()))
        values["bases"] = tuple((old, new) for old, new in values.get("bases", ()))
        return cls(**values)

    def kept(self) -> dict[str, Any]:
        """Return what is kept of it."""
        document: dict[str, Any] = as_json(self)
        return document


@dataclass(frozen=True, slots=True)
class MigrationRequest:
    """What is to be migrated, and how.

    ``images`` are rebuilt whether they retire or not. Without any, those that retire are: of ``project_id``, of
    ``community_id``, or, where ``everything`` is set, all.
    """

    images: tuple[str, ...] = ()
    project_id: str | None = None
    community_id: str | None = None
    everything: bool = False
    bases: Mapping[str, str] = field(default_factory=dict)  # before ImagePolicy.base_replacements
    test: str = ""  # notebook, an absolute path, that must run in the new version before it is activated
    fix: bool = False  # append missing requirements
    cache: bool = False  # take unchanged steps from earlier builds
