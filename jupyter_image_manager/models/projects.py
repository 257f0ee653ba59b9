"""Projects and how their kernels run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class GpuRequest:
    """GPUs of a kernel: ``none``, ``all``, a count, or device ids."""

    kind: str = "none"  # none | all | count | ids
    count: int = 0
    ids: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Mount:
    """An extra mount out of the administrator's allow-list."""

    source: str
    target: str
    read_only: bool = True


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How the kernels of a project run (R46). ``None`` means the administrator's default."""

    memory: int | None = None  # bytes
    cpus: float | None = None
    processes: int | None = None
    shm_size: int | None = None  # bytes
    gpus: GpuRequest = GpuRequest()
    environment: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)  # variable -> reference, "env:NAME" or "file:PATH"
    network: str = "bridge"  # bridge | none | a network the administrator allows
    mounts: tuple[Mount, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """A folder whose notebooks' kernels run in its active image."""

    id: str
    name: str
    path: str  # absolute real path
    owner: str
    created: datetime
    active_image_id: str | None = None  # None: the server's environment
    previous_image_id: str | None = None  # what was active before: the way back
    run_settings: RunSettings = RunSettings()
    is_default: bool = False  # the server's root
    folder_id: str = ""  # "device:inode" of the folder, to find it again when it was moved
    community_id: str = ""  # empty: the owner's personal community
    found: bool = True  # whether the folder is there now
