"""What the service speaks of: frozen values, free of I/O.

Sizes are bytes, times are aware UTC datetimes, durations are seconds. :func:`as_json` turns any of
these into what REST, ``--json`` and events carry.
"""

from __future__ import annotations

from .builds import (
    FINISHED_BUILD_STATES,
    Build,
    BuildFailure,
    BuildKind,
    BuildRequest,
    BuildState,
    ContextPreview,
    LogLine,
)
from .findings import Finding
from .images import (
    CheckItem,
    DeletionPreview,
    Image,
    ImageState,
    ImageSummary,
    Layer,
    Package,
    PackageDiff,
    Recipe,
    Report,
    SharedLayer,
    SourceKind,
    Storage,
)
from .json import as_json, utcnow
from .kernels import KernelDeath, RunningKernel
from .people import Actor
from .projects import GpuRequest, Mount, Project, RunSettings
from .storage import (
    FINISHED_PULL_STATES,
    Community,
    Migration,
    MigrationState,
    Pull,
    PullState,
    RegistryAccess,
    RegistryState,
    Retirement,
    RetirementNotice,
    UsageHour,
)
from .usage import (
    Deletable,
    ImageUsage,
    PruneItem,
    PrunePreview,
    StorageAction,
    StoragePreview,
    UsageDay,
    UsageReport,
    UsageTotal,
)

__all__ = [
    "Actor",
    "Build",
    "BuildFailure",
    "BuildKind",
    "BuildRequest",
    "BuildState",
    "CheckItem",
    "Community",
    "ContextPreview",
    "Deletable",
    "DeletionPreview",
    "FINISHED_BUILD_STATES",
    "FINISHED_PULL_STATES",
    "Finding",
    "GpuRequest",
    "Image",
    "ImageState",
    "ImageSummary",
    "ImageUsage",
    "KernelDeath",
    "Layer",
    "LogLine",
    "Migration",
    "MigrationState",
    "Mount",
    "Package",
    "PackageDiff",
    "Project",
    "PruneItem",
    "PrunePreview",
    "Pull",
    "PullState",
    "Recipe",
    "RegistryAccess",
    "RegistryState",
    "Report",
    "Retirement",
    "RetirementNotice",
    "RunSettings",
    "RunningKernel",
    "SharedLayer",
    "SourceKind",
    "Storage",
    "StorageAction",
    "StoragePreview",
    "UsageDay",
    "UsageHour",
    "UsageReport",
    "UsageTotal",
    "as_json",
    "utcnow",
]
