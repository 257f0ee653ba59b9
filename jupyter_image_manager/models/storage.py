"""Where images are kept and what that takes: communities and their registries, pulls, hours of use, retirements."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from .json import as_json, utcnow


class RegistryState(str, Enum):
    """What is known of an image's version in its registry (R14)."""

    NONE = "none"  # it has none: kept on the machine only, by choice or since it was not pushed yet
    PRESENT = "present"
    MISSING = "missing"  # deleted there: can no longer be pulled
    UNREACHABLE = "unreachable"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"


@dataclass(frozen=True, slots=True)
class Community:
    """A set of projects with settings; the personal one always exists.

    The secret of the service agent is no part of it: see :mod:`jupyter_image_manager.registry.agents`.
    """

    id: str
    name: str
    owner: str
    created: datetime
    personal: bool = False
    registry_host: str = ""  # host, perhaps with a port; empty: none is set
    namespace: str = ""  # path below it under which images are pushed
    agent: str = ""  # user name of the service agent; empty: none
    agent_enabled: bool = False
    agent_changed: datetime | None = None  # when its secret was last given

    @property
    def has_registry(self) -> bool:
        """Whether images can be kept in a registry (R10)."""
        return bool(self.registry_host) and self.agent_enabled


class PullState(str, Enum):
    """Where a pull is."""

    WAITING = "waiting"
    PULLING = "pulling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINISHED_PULL_STATES = frozenset({PullState.DONE, PullState.FAILED, PullState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Pull:
    """One bringing of an image's pinned digest to an engine, shared by all who wait for it (R12)."""

    id: str
    image_id: str
    project_id: str
    reference: str  # repository@digest
    engine_id: str
    state: PullState
    requested_by: str
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    heartbeat: datetime | None = None
    worker: str = ""  # ProcessIdentity as text
    layers: int = 0
    layers_done: int = 0
    current: int = 0  # bytes
    total: int = 0  # bytes; grows while layers become known
    message: str = ""  # why it failed, with what to do
    code: str = ""  # code of the error
    retry_after: float | None = None  # seconds, where the registry said so
    optimize: bool = False  # the copy is to stay (R20)
    unattended: bool = False  # goes on though nobody waits: activation, optimize
    cancel_requested: bool = False

    @property
    def done(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINISHED_PULL_STATES

    @property
    def seconds_left(self) -> float | None:
        """How long it will still take at its speed so far; None while that is not known."""
        if self.state is not PullState.PULLING or self.started is None or not 0 < self.current <= self.total:
            return None
        took = max(0.0, (utcnow() - self.started).total_seconds())
        return round(took * (self.total - self.current) / self.current, 1)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object of REST and of the command line: the fields, and the time left."""
        data: dict[str, Any] = as_json(self)
        return {**data, "seconds_left": self.seconds_left}


@dataclass(frozen=True, slots=True)
class UsageHour:
    """What one image held in one storage during one hour (R25)."""

    hour: datetime  # its beginning, UTC
    image_id: str
    project_id: str
    community_id: str
    storage: str  # registry | optimized
    bytes: int


@dataclass(frozen=True, slots=True)
class Retirement:
    """A rule of the administrator after which old images stop working unless migrated (R60)."""

    id: str
    created_before: datetime
    stops: datetime
    created: datetime
    created_by: str
    selector: dict[str, Any] = field(default_factory=dict)  # storage, python, base, template, project, community
    message: str = ""
    delete_after: datetime | None = None  # when what is still retired is deleted; None: never


@dataclass(frozen=True, slots=True)
class RetirementNotice:
    """What a retirement means for one image at the moment (R60)."""

    retirement_id: str
    stops: datetime
    stopped: bool  # it cannot be activated or started any more
    days_left: int  # begun ones counted; 0 once it has stopped
    message: str  # the warning, or the refusal, with what to do


class MigrationState(str, Enum):
    """Where a migration is."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # its process died; goes on when it is asked to


@dataclass(frozen=True, slots=True)
class Migration:
    """One rebuilding of many images from their recipes (R61); its items say what became of each."""

    id: str
    state: MigrationState
    created: datetime
    created_by: str
    options: dict[str, Any] = field(default_factory=dict)
    items: tuple[dict[str, Any], ...] = ()
    worker: str = ""  # ProcessIdentity as text
    heartbeat: datetime | None = None
    finished: datetime | None = None


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """Where a community's images are kept and as whom: what the engine and the registry client are given.

    It lives in memory only: it is never kept, logged, nor turned into JSON.
    """

    host: str
    namespace: str = ""
    username: str = ""
    secret: str = field(default="", repr=False)
