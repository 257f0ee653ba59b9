"""Builds: what is asked for, where they are, why they failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from .images import Storage


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
    PUSH = "push"  # takes an image that is made to its registry, which an earlier push did not reach


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
    """One run that turns a recipe into an image, or checks or pushes one; its log is kept."""

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
    dropped: tuple[str, ...] = ()  # the first of what is ignored, folders with a slash


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a build's log. ``number`` starts at 1; it is the SSE id."""

    number: int
    time: float  # seconds since the build started
    step: int
    text: str
    stream: str = "out"  # out | err | meta (ours)
