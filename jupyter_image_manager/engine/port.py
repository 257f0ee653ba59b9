"""What the service asks of an engine, in the product's words.

Implementations: :class:`~jupyter_image_manager.engine.docker_engine.DockerEngine`. Nothing here, and
nothing outside this folder, knows the docker SDK. Calls block; adapters with an event loop run them in
threads. Every failure is an :class:`~jupyter_image_manager.errors.EngineError`,
:class:`~jupyter_image_manager.errors.EngineUnavailable` or one of their kin, with a sentence that says what
to do. See docs/developers/engines.md for what another implementation must provide.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import IO, Any

from ..models import GpuRequest, Layer, RegistryAccess

LABEL = "org.jupyter.image-manager"
"""Prefix of every label of ours on images and containers."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What is known of a live engine."""

    id: str
    kind: str  # docker | podman
    version: str
    api_version: str
    address: str
    os: str
    architecture: str  # as images name it: amd64, arm64 ...
    cpus: int
    memory: int  # bytes
    rootless: bool
    remote: bool  # bind mounts of this machine's folders cannot work
    builder: str  # classic | buildkit
    builder_reason: str
    storage_driver: str
    root_dir: str
    cgroup_version: str
    security_options: tuple[str, ...]
    gpus: tuple[str, ...]  # runtimes or CDI devices that can serve GPU requests
    proxies: dict[str, str] = field(default_factory=dict)
    registry_mirrors: tuple[str, ...] = ()
    userns_remap: bool = False
    unlimited: tuple[str, ...] = ()  # what it cannot limit: memory, cpus, processes


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """One build, as the engine sees it."""

    tag: str
    dockerfile: str  # name of the Dockerfile inside the context
    labels: dict[str, str]
    build_args: dict[str, str]  # of the recipe; kept in history as the engine does
    secrets: dict[str, bytes] = field(default_factory=dict)  # BuildKit only
    environment: dict[str, str] = field(default_factory=dict)
    """Proxies and index settings that reach each RUN but stay in no layer and no history (R9)."""
    ca_bundle: str | None = None  # path on this machine; reaches each RUN, stays in no layer
    network: str | None = None
    memory: int | None = None
    cpus: float | None = None
    no_cache: bool = False
    pull: bool = False
    platform: str | None = None
    needs_buildkit: bool = False  # the Dockerfile has instructions that only BuildKit knows


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """One event of a running build.

    ``kind``: ``step`` (an instruction begins), ``cached`` (it was not run), ``line`` (output; ``text``
    without its newline), ``pull`` (base image progress: current/total bytes) or ``image`` (the end:
    ``image_id``). Failures are exceptions.
    """

    kind: str
    step: int = 0
    steps: int = 0
    text: str = ""
    stream: str = "out"
    current: int = 0
    total: int = 0
    image_id: str = ""


class BuildRun(ABC):
    """A running build: iterate over its progress; cancel from any thread."""

    @abstractmethod
    def __iter__(self) -> Iterator[BuildProgress]:
        """Yield progress until the image is there; raise BuildFailed otherwise."""

    @abstractmethod
    def cancel(self) -> None:
        """Stop it now, from any thread, and remove what it left in the engine. Idempotent."""


@dataclass(frozen=True, slots=True)
class TransferProgress:
    """Where a pull or a push is: bytes over all layers, and the engine's own words."""

    layers: int
    layers_done: int
    current: int
    total: int  # grows while layers become known
    text: str = ""
    digest: str = ""  # of the manifest, at the end; empty where the engine does not tell it


class Transfer(ABC):
    """A pull or a push: iterate over its progress; cancel from any thread."""

    @abstractmethod
    def __iter__(self) -> Iterator[TransferProgress]:
        """Do it, yielding progress until all is there.

        Raises
        ------
        RegistryUnavailable, RegistryRefused, PullLimited, NoSpaceLeft, ImageNotFound
            What the registry, or the disk, says to it; `details` may have `retry_after`, in seconds.
        """

    @abstractmethod
    def cancel(self) -> None:
        """Stop it now, from any thread; the iteration ends in an EngineError. Whole layers stay. Idempotent."""


@dataclass(frozen=True, slots=True)
class EngineImage:
    """An image as the engine holds it."""

    id: str  # sha256:...
    tags: tuple[str, ...]
    repo_digests: tuple[str, ...]
    architecture: str
    os: str
    size: int
    created: str
    user: str
    entrypoint: tuple[str, ...]
    cmd: tuple[str, ...]
    env: dict[str, str]
    working_dir: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class Bind:
    """A folder or file of this machine inside a container."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """One container. Everything not said is denied: no privileges, all capabilities dropped."""

    image: str
    command: tuple[str, ...]
    name: str
    labels: dict[str, str]
    entrypoint: tuple[str, ...] | None = ()  # (): none; None: the image's own
    user: str = ""  # "uid:gid"; empty: the image's own
    groups: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    working_dir: str = ""
    binds: tuple[Bind, ...] = ()
    tmpfs: dict[str, str] = field(default_factory=dict)
    network: str = "bridge"
    ports: tuple[int, ...] = ()  # container ports published on 127.0.0.1, host port chosen by the engine
    memory: int | None = None
    cpus: float | None = None
    processes: int | None = None
    shm_size: int | None = None
    gpus: GpuRequest = field(default_factory=GpuRequest)
    read_only: bool = False
    init: bool = True
    stdin: bool = False
    tty: bool = False
    hostname: str = ""
    cap_add: tuple[str, ...] = ()  # out of an empty set


@dataclass(frozen=True, slots=True)
class ContainerState:
    """A container as it is now."""

    id: str
    name: str
    image_id: str
    status: str  # created | running | exited | dead | paused | removing
    exit_code: int | None
    oom_killed: bool
    error: str
    pid: int
    started: str
    finished: str
    labels: dict[str, str]
    ports: dict[int, int] = field(default_factory=dict)  # container port -> port on 127.0.0.1

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self.status in ("running", "paused")


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a command in a short-lived container came to."""

    exit_code: int
    output: bytes
    errors: bytes
    oom_killed: bool = False
    timed_out: bool = False


class Attachment(ABC):
    """The standard streams of one container; reading, writing and resizing may each have a thread of its own."""

    @abstractmethod
    def read(self) -> Iterator[tuple[str, bytes]]:
        """Yield ``("out"|"err", chunk)`` as it comes, from the first byte to the end; a terminal has no "err"."""

    @abstractmethod
    def write(self, data: bytes) -> bool:
        """Give it input; blocks while it does not read, and returns False once it never will again."""

    @abstractmethod
    def end_input(self) -> None:
        """Let it read the end of its input; success when it has ended."""

    @abstractmethod
    def resize(self, rows: int, columns: int) -> None:
        """Give its terminal another size, once it is started."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the streams, from any thread: a read or write that waits ends. The container runs on."""


@dataclass(frozen=True, slots=True)
class DiskUse:
    """Room of the engine's disk. Values are bytes and inodes; None where it cannot be seen from here."""

    path: str
    free: int | None
    total: int | None
    free_inodes: int | None


class Engine(ABC):
    """The Docker-compatible engine, in our words."""

    @abstractmethod
    def info(self, *, refresh: bool = False) -> EngineInfo:
        """Return what is known of the engine; the answer is cached for some seconds.

        Raises
        ------
        EngineUnavailable
            Absent, no permission, too old, or not answering in time: the message says what to do.
        """

    # Images
    @abstractmethod
    def adapt(self, dockerfile: str, spec: BuildSpec) -> str:
        """Return the text of the Dockerfile as it must be sent for this build; most engines take it as it is."""

    @abstractmethod
    def build(self, spec: BuildSpec, context: Iterable[bytes]) -> BuildRun:
        """Build an image from a tar stream; nothing happens before the run is iterated."""

    @abstractmethod
    def pull(self, reference: str, *, platform: str | None = None, access: RegistryAccess | None = None) -> Transfer:
        """Pull a reference, without `access` as nobody of ours; nothing happens before it is iterated."""

    @abstractmethod
    def push(self, reference: str, access: RegistryAccess) -> Transfer:
        """Push a tag to its registry, but for layers that this has; nothing happens before it is iterated."""

    @abstractmethod
    def load(self, archive: IO[bytes]) -> tuple[str, ...]:
        """Load a docker-save or OCI archive; return the ids of the images in it."""

    @abstractmethod
    def save(self, image: str) -> Iterator[bytes]:
        """Yield the blocks of an archive with one image, as :meth:`load` takes it. Raises ImageNotFound."""

    @abstractmethod
    def import_filesystem(self, archive: IO[bytes], reference: str, *, env: dict[str, str]) -> str:
        """Make an image of one layer from a root file system tar; return its id."""

    @abstractmethod
    def inspect_image(self, reference: str) -> EngineImage:
        """Return an image by id, tag or digest. Raises ImageNotFound."""

    @abstractmethod
    def list_images(self, labels: dict[str, str]) -> list[EngineImage]:
        """Return the images that carry all these labels (an empty value matches any value)."""

    @abstractmethod
    def layers(self, reference: str) -> tuple[Layer, ...]:
        """Return the layers, oldest first, each with the digest of its content where the engine tells it."""

    @abstractmethod
    def image_tags(self) -> dict[str, tuple[str, ...]]:
        """Return the ids of all images with their tags: what is held, for one call in all."""

    @abstractmethod
    def tag(self, image: str, reference: str) -> None:
        """Give an image one more tag."""

    @abstractmethod
    def remove_image(self, reference: str, *, force: bool = False) -> None:
        """Remove a tag or an image; success when it is not there. Raises Conflict when in use."""

    def giving_back_cache(self) -> AbstractContextManager[None]:
        """Let the builder's cache give back what images leave there that are removed in this context.

        Most engines have no cache that outlives its images.
        """
        return nullcontext()

    @abstractmethod
    def disk(self) -> DiskUse:
        """Return the room left on the engine's disk."""

    # Containers
    @abstractmethod
    def create(self, spec: ContainerSpec) -> str:
        """Create a container; return its id."""

    @abstractmethod
    def start(self, container: str) -> None:
        """Start a created container. On failure the caller removes it."""

    @abstractmethod
    def inspect(self, container: str) -> ContainerState | None:
        """Return its state; None when there is no such container."""

    @abstractmethod
    def list_containers(self, labels: dict[str, str]) -> list[ContainerState]:
        """Return containers, running or not, that carry all these labels (empty value: any)."""

    @abstractmethod
    def wait(self, container: str, timeout: float | None = None) -> int | None:
        """Wait for its end; return the exit code, None after `timeout` seconds."""

    @abstractmethod
    def signal(self, container: str, signum: int) -> None:
        """Signal the container's process group; success when it has already ended."""

    @abstractmethod
    def stop(self, container: str, grace: float) -> None:
        """Ask it to end, then kill it after `grace` seconds; success when it has ended."""

    @abstractmethod
    def remove(self, container: str, *, force: bool = True) -> None:
        """Remove it; success when it is not there."""

    @abstractmethod
    def logs(self, container: str, tail: int | None = None) -> bytes:
        """Return what it wrote to stdout and stderr."""

    @abstractmethod
    def follow(self, container: str) -> Iterator[tuple[str, bytes]]:
        """Yield ``("out"|"err", chunk)`` from the start until it ends."""

    @abstractmethod
    def attach(self, container: str, *, stdin: bool = False, tty: bool = False) -> AbstractContextManager[Attachment]:
        """Give the streams of a container that was created and not yet started, so that no byte is lost.

        `stdin` and `tty` are those of its specification. The streams are closed when the context ends.
        """

    @abstractmethod
    def run(
        self, spec: ContainerSpec, *, timeout: float, stdin: bytes | None = None, limit: int = 16 << 20
    ) -> RunResult:
        """Run a short-lived container to its end and remove it, whatever happens.

        At most `limit` bytes of each stream are kept.
        """

    @abstractmethod
    def execute(self, container: str, command: tuple[str, ...], *, user: str = "", timeout: float = 30.0) -> RunResult:
        """Run a command inside a running container."""

    @abstractmethod
    def copy_out(self, image_or_container: str, path: str) -> Iterator[bytes]:
        """Yield the tar of a path inside a container."""

    @abstractmethod
    def close(self) -> None:
        """Let go of connections."""

    def release(self) -> None:  # noqa: B027 - most have nothing to let go of
        """Let go of the calling thread's connections; a thread that ends before the engine is closed calls this."""

    def describe(self) -> dict[str, Any]:
        """Return facts for ``doctor`` that only this kind of engine knows."""
        return {}
