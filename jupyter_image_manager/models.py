"""What the service speaks of: frozen values, free of I/O.

Sizes are bytes, times are aware UTC datetimes, durations are seconds. :func:`as_json` turns any of
these into what REST, ``--json`` and events carry.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from functools import cache
from typing import Any


def utcnow() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(timezone.utc)


_PLAIN = frozenset({str, int, float, bool})


@cache
def _field_names(cls: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(cls))


def as_json(value: Any) -> Any:
    """Turn a model, or a container of models, into JSON-serialisable values.

    Datetimes become RFC 3339 with ``Z``, enumerations their values, tuples lists.
    """
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: as_json(getattr(value, name)) for name in _field_names(type(value))}
    if isinstance(value, dict):
        return {str(k): as_json(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_json(v) for v in value]
    return value


class ImageState(str, Enum):
    """What an image is good for."""

    BUILDING = "building"  # a build for it is queued or running
    READY = "ready"  # built and checked: can be activated
    UNUSABLE = "unusable"  # built, but lacks requirements (R30): the report says which
    FAILED = "failed"  # its build failed, was cancelled or interrupted; can be retried
    MISSING = "missing"  # was ready, is no longer in the engine nor in its registry


class BuildState(str, Enum):
    """Where a build is (R5)."""

    QUEUED = "queued"
    BUILDING = "building"
    CHECKING = "checking"
    SAVING = "saving"
    PUSHING = "pushing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class BuildKind(str, Enum):
    """What a build is for."""

    BUILD = "build"  # turns a recipe into an image
    CHECK = "check"  # checks an image that is made, once more; only its report changes


class Storage(str, Enum):
    """Where an image is kept."""

    LOCAL = "local"
    REGISTRY = "registry"


class SourceKind(str, Enum):
    """What a recipe starts from (R2)."""

    DOCKERFILE = "dockerfile"
    TEMPLATE = "template"
    IMPORT = "import"  # an existing reference
    ARCHIVE = "archive"  # a docker-save or OCI archive
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. Every call of the service takes one; roles are looked up from its name."""

    name: str
    display_name: str = ""
    via: str = "cli"  # cli | server | kernel | system


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
    found: bool = True  # whether the folder is there now


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image is built from; never changed once written (R7).

    ``secrets`` are names only. ``context_digest`` is the sha256 of the sent tar stream;
    ``context_stored`` says whether a copy is kept, so that a rebuild needs nothing from the project.
    """

    id: str
    kind: SourceKind
    dockerfile: str = ""  # text as built; empty for imports
    reference: str = ""  # import: the reference as resolved and pinned
    build_args: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    template: dict[str, Any] = field(default_factory=dict)  # choices, when built from a template
    dockerfile_path: str = ""  # where it was read from, relative to the project; its own .dockerignore lies beside
    context_path: str = ""  # relative to the project
    context_digest: str = ""
    context_size: int = 0
    context_files: int = 0
    context_stored: bool = False
    parent_image_id: str | None = None  # duplicate: from which image
    digest: str = ""  # sha256 over all of the above that decides the content


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One thing that the check tried, with its own result (R32)."""

    id: str  # python | pip | user | user_python | pip_install | kernel_start | execute | interrupt | ...
    title: str
    ok: bool
    required: bool = True
    message: str = ""
    cure: tuple[str, ...] = ()  # Dockerfile lines that would add it, for this base distribution
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Package:
    """A Python distribution in an image."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of an image: the instruction that made it and its bytes."""

    created_by: str
    size: int


@dataclass(frozen=True, slots=True)
class Report:
    """What the check found inside an image."""

    ok: bool
    items: tuple[CheckItem, ...] = ()
    python_version: str = ""
    python_path: str = ""
    architecture: str = ""
    os_id: str = ""  # debian, ubuntu, fedora, alpine ...
    os_name: str = ""
    libc: str = ""  # glibc | musl
    libc_version: str = ""
    ipykernel: str = ""  # version, or empty
    conda: bool = False
    packages: tuple[Package, ...] = ()
    kernelspecs: dict[str, dict[str, Any]] = field(default_factory=dict)  # name -> kernel.json
    layers: tuple[Layer, ...] = ()
    checked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """An immutable, named, versioned environment of one project: ``name:version``."""

    id: str
    project_id: str
    name: str
    version: int
    state: ImageState
    storage: Storage
    recipe_id: str
    created: datetime
    created_by: str
    description: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    digest: str = ""  # what is run: manifest digest (registry) or engine image id (local), sha256:...
    engine_image: str = ""  # id of the unpacked image in the engine
    reference: str = ""  # the tag by which the engine holds it; for people and for protection only
    size: int = 0
    python_version: str = ""
    architecture: str = ""
    optimized: bool = False
    registry_state: str = "none"  # none | present | missing | unreachable | forbidden | rate_limited
    report: Report | None = None  # None in lists
    last_build_id: str | None = None
    system: bool = False  # declared by the administrator, seen by every project
    engine_id: str = ""  # which engine made it; empty when that is not known

    @property
    def spec(self) -> str:
        """The image as people write it, ``name:version``."""
        return f"{self.name}:{self.version}"


@dataclass(frozen=True, slots=True)
class ImageSummary:
    """An image with what is derived from the rest of the store: what lists and ``--json`` show.

    ``image`` fields come first in JSON, see :meth:`as_json`.
    """

    image: Image
    project: str  # name
    active: bool
    published_to: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    running_kernels: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the flat JSON object of PRODUCT.md, section 4."""
        data: dict[str, Any] = as_json(self.image)
        if data["report"] is None:
            del data["report"]
        data.update(
            spec=self.image.spec,
            project=self.project,
            active=self.active,
            published_to=list(self.published_to),
            warnings=list(self.warnings),
            running_kernels=self.running_kernels,
        )
        return data


@dataclass(frozen=True, slots=True)
class BuildFailure:
    """Why a build did not succeed: the decisive lines first (R5)."""

    message: str
    code: str = "build_failed"
    instruction: str = ""  # "RUN pip install -r requirements.txt"
    step: int = 0
    lines: tuple[str, ...] = ()
    hint: str = ""  # what to do
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """One run that turns a recipe into an image, or checks one again; its log is kept."""

    id: str
    project_id: str
    image_id: str
    state: BuildState
    requested_by: str
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    heartbeat: datetime | None = None
    step: int = 0
    steps: int = 0
    instruction: str = ""
    estimate: float | None = None  # seconds in all, from earlier builds
    failure: BuildFailure | None = None
    worker: str = ""  # ProcessIdentity as text
    joined: int = 0  # how many more people asked for the same build
    activate: bool = False  # activate the image when it is ready
    fix: bool = False  # append missing requirements and rebuild
    cancel_requested: bool = False
    log_lines: int = 0
    attempt: int = 1
    kind: BuildKind = BuildKind.BUILD

    @property
    def done(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINISHED_BUILD_STATES


FINISHED_BUILD_STATES = frozenset(
    {BuildState.SUCCEEDED, BuildState.FAILED, BuildState.CANCELLED, BuildState.INTERRUPTED}
)


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What a user asks to build; validated by ``builds`` before anything is written.

    Exactly one of ``dockerfile_text``, ``dockerfile_path``, ``template``, ``reference``, ``archive``
    or ``from_image`` names the source; none of them means the file ``Dockerfile`` of the context.
    """

    name: str
    dockerfile_text: str | None = None
    dockerfile_path: str | None = None  # relative to the project
    template: dict[str, Any] | None = None  # {"name", "python", "requirements", "apt", "env", "files"}
    reference: str | None = None
    archive: str | None = None  # path of a docker-save or OCI archive on the server
    from_image: str | None = None  # duplicate: image id
    add_packages: tuple[str, ...] = ()  # with from_image: Python packages that its recipe gets beside its own
    context: str | None = None  # folder relative to the project; None: the project folder
    build_args: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, bytes] = field(default_factory=dict)  # values live in memory only
    storage: Storage | None = None  # None: the default of R10
    description: str = ""
    activate: bool = False
    fix: bool = False
    confirm_context: bool = False  # send a context above the limit
    no_cache: bool = False


@dataclass(frozen=True, slots=True)
class ContextPreview:
    """What would be sent as the build's context (R3)."""

    path: str
    files: int
    size: int
    ignored: int  # files dropped by .dockerignore
    largest: tuple[tuple[str, int], ...]
    limit: int  # above this it must be confirmed
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeletionPreview:
    """What a deletion would do: who uses the image and how many bytes it really frees (R24)."""

    image_id: str
    allowed: bool
    final: bool
    frees: int
    used_by: tuple[str, ...] = ()
    reason: str = ""
    notebooks: tuple[str, ...] = ()  # that remember it (R49), relative to the project; they do not forbid it
    notebooks_complete: bool = True  # False: the search ended at a bound, there may be more


@dataclass(frozen=True, slots=True)
class PackageDiff:
    """What differs between the packages of two images."""

    added: tuple[Package, ...]
    removed: tuple[Package, ...]
    changed: tuple[tuple[str, str, str], ...]  # name, old, new


@dataclass(frozen=True, slots=True)
class RunningKernel:
    """A kernel that runs in an image now, as found by the labels of its container."""

    kernel_id: str
    project_id: str
    image_id: str
    image: str  # name:version
    container: str
    started: datetime
    notebook: str = ""
    stale: bool = False  # another image is active by now
    state: str = "running"


@dataclass(frozen=True, slots=True)
class KernelDeath:
    """Why a kernel died, in words for the person in front of the notebook (R43)."""

    kernel_id: str
    reason: str  # out_of_memory | signal | exit | engine | removed
    message: str
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``jupyter image doctor``."""

    id: str
    title: str
    status: str  # ok | warning | error | info
    message: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a build's log. ``number`` starts at 1; it is the SSE id."""

    number: int
    time: float  # seconds since the build started
    step: int
    text: str
    stream: str = "out"  # out | err | meta (ours)
