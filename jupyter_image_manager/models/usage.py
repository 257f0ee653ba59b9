"""What images hold and cost, and what deleting or moving them would do (R21, R22, R25)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class StorageAction(str, Enum):
    """What can be done with where an image is kept."""

    OPTIMIZE = "optimize"
    UNOPTIMIZE = "unoptimize"
    DELETE_ORIGINAL = "delete-original"


@dataclass(frozen=True, slots=True)
class StoragePreview:
    """What an action would do, said before it is done (R21, R22)."""

    image_id: str
    action: StorageAction
    allowed: bool
    reason: str = ""  # why it is not
    final: bool = False  # it cannot be undone, and must be confirmed
    frees_engine: int = 0  # bytes on the engine's disk
    takes_engine: int = 0  # bytes that it will take there; 0 also where they are there already
    frees_registry: int = 0  # bytes that only the registry's own garbage collection gives back
    works_after: tuple[str, ...] = ()  # what goes on working, in sentences
    lost: tuple[str, ...] = ()  # what does not, in sentences
    shared_with: tuple[str, ...] = ()  # images and tags that are the same version in the registry
    used_by: tuple[str, ...] = ()  # who forbids it, in words


@dataclass(frozen=True, slots=True)
class PruneItem:
    """One thing that a prune would remove."""

    kind: str  # image | copy | leftover
    image_id: str
    spec: str
    project_id: str
    reason: str
    frees: int  # bytes, when it goes together with those before it


@dataclass(frozen=True, slots=True)
class PrunePreview:
    """What a prune removes, or removed."""

    items: tuple[PruneItem, ...]
    frees: int  # bytes, of all together
    done: bool = False
    failed: tuple[str, ...] = ()  # sentences about what could not be removed


@dataclass(frozen=True, slots=True)
class ImageUsage:
    """What one image holds in one storage, and what the month's hours of that cost."""

    image_id: str
    spec: str
    project_id: str
    project: str
    community_id: str
    storage: str  # registry | optimized | cached
    bytes: int  # all its layers
    unique: int  # of layers that no other image has there
    shared: int  # of layers that others have too
    counted: int  # with what it is counted: of a shared layer, each image has the same part
    gb_hours: float = 0.0
    cost: float = 0.0
    active: bool = False
    deleted: bool = False  # only its hours are left


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """What a storage, project or community holds together: shared layers once."""

    id: str
    name: str
    images: int
    bytes: int
    gb_hours: float
    cost: float


@dataclass(frozen=True, slots=True)
class Deletable:
    """Images that nobody uses and that free the most together."""

    image_ids: tuple[str, ...]
    specs: tuple[str, ...]
    frees: int


@dataclass(frozen=True, slots=True)
class UsageReport:
    """What images hold now, and what a month of it costs (R25)."""

    month: str  # 2026-11
    metered: datetime | None  # the last hour of the month that is in it
    currency: str
    prices: dict[str, float]  # of one GB over the month, by storage
    images: tuple[ImageUsage, ...]
    storages: tuple[UsageTotal, ...]
    projects: tuple[UsageTotal, ...]
    communities: tuple[UsageTotal, ...]
    deletable: Deletable | None = None
    disk_free: int | None = None
    disk_total: int | None = None
    inodes_free: int | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UsageDay:
    """What a project held in a storage on one day, on average."""

    day: str  # 2026-11-24
    project_id: str
    project: str
    storage: str
    bytes: int
