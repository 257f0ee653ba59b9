"""Docker Engine 20.10 and newer, rootless too, and Podman's Docker-compatible socket."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from traitlets import Enum, Float, Unicode
from traitlets.config import LoggingConfigurable
from traitlets.utils.bunch import Bunch

from ..errors import (
    Conflict,
    EngineError,
    EngineUnavailable,
    ImageNotFound,
    InvalidRequest,
)
from ..models import Layer
from . import buildkit
from .adapt import adapt, without_ours
from .connection import Connection, find_address, is_remote
from .containers import create_arguments, state_in_list, state_of
from .port import (
    BuildRun,
    BuildSpec,
    ContainerSpec,
    ContainerState,
    DiskUse,
    Engine,
    EngineImage,
    EngineInfo,
    PullProgress,
    RunResult,
)
from .translate import meaning, translated

INFO_SECONDS = 15.0
"""How long what is known of the engine is believed without asking again."""

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i386": "386", "i686": "386"}


class _Meta(type(LoggingConfigurable), type(Engine)):  # type: ignore[misc]  # the metaclass of both parents
    pass


class DockerEngine(LoggingConfigurable, Engine, metaclass=_Meta):
    """The Docker-compatible engine of this machine."""

    host = Unicode(
        "",
        help="""Address of the engine, for example unix:///run/user/1000/docker.sock. Default: DOCKER_HOST, the Docker
        context, or the first of the usual sockets that is there.""",
    ).tag(config=True)
    timeout = Float(20.0, help="Seconds after which an ordinary call to the engine counts as hanging.").tag(config=True)
    builder = Enum(
        ["auto", "classic", "buildkit"],
        "auto",
        help="""Which builder builds. `auto`: BuildKit where docker-buildx is installed or a build needs it, else the
        classic builder.""",
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._info: tuple[float, EngineInfo] | None = None
        self._lock = threading.Lock()

    @cached_property
    def address(self) -> str:
        """Where the engine is looked for."""
        return self.host or find_address()

    @cached_property
    def _connection(self) -> Connection:
        return Connection(self.address, self.timeout)

    @cached_property
    def _builder_client(self) -> buildkit.Client | None:
        return buildkit.find_client()

    def _client(self, *, stream: bool = False) -> Any:
        return self._connection.client(stream=stream)

    def _translated(self, subject: str = "") -> Any:
        return translated(self.address, subject)

    def close(self) -> None:
        """Let go of connections."""
        if "_connection" in self.__dict__:
            self._connection.close()

    # What it is
    def info(self, *, refresh: bool = False) -> EngineInfo:
        """Return what is known of the engine; asked for at most each 15 s."""
        with self._lock:
            if self._info is not None and not refresh and time.monotonic() - self._info[0] < INFO_SECONDS:
                return self._info[1]
        found = self._ask()
        with self._lock:
            self._info = (time.monotonic(), found)
        return found

    def _ask(self) -> EngineInfo:
        with self._translated():
            client = self._client()
            version, info = client.version(), client.info()
        api = str(version.get("ApiVersion", "0.0"))
        components = version.get("Components") or []
        podman = any("podman" in str(part.get("Name", "")).lower() for part in components)
        kind = "podman" if podman else "docker"
        security = tuple(str(option) for option in info.get("SecurityOptions") or ())
        builder, reason = self._choose(None, None)
        runtimes = tuple(name for name in (info.get("Runtimes") or {}) if "nvidia" in name)
        found = (str(device.get("ID", "")) for device in info.get("DiscoveredDevices") or [])
        devices = tuple(name for name in found if "gpu" in name)
        architecture = str(info.get("Architecture", ""))
        return EngineInfo(
            id=str(info.get("ID", "")),
            kind=kind,
            version=str(version.get("Version", "")),
            api_version=api,
            address=self.address,
            os=str(info.get("OperatingSystem", "")),
            architecture=ARCHITECTURES.get(architecture, architecture),
            cpus=int(info.get("NCPU") or 0),
            memory=int(info.get("MemTotal") or 0),
            rootless=any("rootless" in option for option in security),
            remote=is_remote(self.address),
            builder=builder,
            builder_reason=reason,
            storage_driver=str(info.get("Driver", "")),
            root_dir=str(info.get("DockerRootDir", "")),
            cgroup_version=str(info.get("CgroupVersion", "")),
            security_options=security,
            gpus=runtimes + devices,
            proxies={
                name: str(info[key])
                for name, key in (("http", "HttpProxy"), ("https", "HttpsProxy"), ("no", "NoProxy"))
                if info.get(key)
            },
            registry_mirrors=tuple((info.get("RegistryConfig") or {}).get("Mirrors") or ()),
            userns_remap=any("userns" in option for option in security),
        )

    def _choose(self, spec: BuildSpec | None, needs: str | None) -> tuple[str, str]:
        """Return which builder builds, and why."""
        client = self._builder_client
        if self.builder == "classic":
            return "classic", "DockerEngine.builder says so"
        if self.builder == "buildkit":
            if client is None:
                raise EngineUnavailable(
                    "DockerEngine.builder asks for BuildKit and no client for it is installed; install docker-buildx."
                )
            return "buildkit", f"DockerEngine.builder says so; driven by {client.name}"
        if client is None:
            return "classic", "no client for BuildKit is installed (docker-buildx)"
        if client.name == "docker-buildx":
            return "buildkit", "docker-buildx is installed"
        if needs is not None:
            return "buildkit", needs
        return "classic", f"nothing needs BuildKit so far; {client.name} will drive it for builds that do"

    # Builds
    def _needs(self, spec: BuildSpec, dockerfile: str) -> str | None:
        if spec.secrets:
            return "the build has secrets"
        if spec.ca_bundle is not None or any("proxy" not in name.lower() for name in spec.environment):
            return "the administrator's settings must reach each RUN"
        from ..dockerfile import parse

        return buildkit.needs_buildkit(parse(dockerfile)) if dockerfile else None

    def adapt(self, dockerfile: str, spec: BuildSpec) -> str:
        """Return the Dockerfile to be sent: under BuildKit each RUN mounts the administrator's settings."""
        if self._choose(spec, self._needs(spec, dockerfile))[0] == "classic":
            return dockerfile
        return adapt(dockerfile, spec)

    def build(self, spec: BuildSpec, context: Iterable[bytes]) -> BuildRun:
        """Build an image from a tar stream, by whichever builder fits."""
        from .classic import ClassicBuild

        needs = self._needs(spec, "") or ("the Dockerfile needs it" if spec.needs_buildkit else None)
        builder, _ = self._choose(spec, needs)
        if builder == "buildkit" and self._builder_client is not None:
            return buildkit.BuildKitBuild(self._builder_client, self.address, spec, context)
        if spec.secrets:
            raise InvalidRequest(
                "Build secrets need BuildKit, and no client for it is installed; install docker-buildx."
            )
        return ClassicBuild(self._connection, spec, context)

    # Images
    def pull(self, reference: str, *, platform: str | None = None) -> Iterator[PullProgress]:
        """Pull a reference, yielding progress over all layers."""
        layers: dict[str, tuple[int, int, bool]] = {}
        with self._translated(reference):
            client = self._connection.fresh(stream=True)
            try:
                for event in client.pull(reference, stream=True, decode=True, platform=platform):
                    if "error" in event:
                        raise meaning(str(event["error"]), reference)
                    status, layer = str(event.get("status", "")), str(event.get("id", ""))
                    detail = event.get("progressDetail") or {}
                    if layer and not status.startswith("Pulling from"):
                        current, total, done = layers.get(layer, (0, 0, False))
                        done = done or status in ("Pull complete", "Already exists", "Download complete")
                        total = int(detail.get("total") or total)
                        current = total if done else int(detail.get("current") or current)
                        layers[layer] = (current, total, done)
                    yield PullProgress(
                        layers=len(layers),
                        layers_done=sum(done for _, _, done in layers.values()),
                        current=sum(current for current, _, _ in layers.values()),
                        total=sum(total for _, total, _ in layers.values()),
                        text=f"{status} {layer}".strip(),
                    )
            finally:
                self._connection.forget(client)

    def load(self, archive: IO[bytes]) -> tuple[str, ...]:
        """Load a docker-save or OCI archive; return the ids of the images in it."""
        names: list[str] = []
        with self._translated("the archive"):
            client = self._connection.fresh(stream=True)
            try:
                for event in client.load_image(archive):
                    if "error" in event:
                        raise meaning(str(event["error"]), "the archive")
                    text = str(event.get("stream", ""))
                    for word in ("Loaded image ID: ", "Loaded image: ", "Loaded image(s): "):
                        if text.startswith(word):
                            names += text.removeprefix(word).strip().split(",")
                            break
            finally:
                self._connection.forget(client)
        return tuple(dict.fromkeys(self.inspect_image(name).id for name in names))

    def import_filesystem(self, archive: IO[bytes], reference: str, *, env: dict[str, str]) -> str:
        """Make an image of one layer from a root file system tar; return its id."""
        repository, _, tag = reference.rpartition(":")
        with self._translated(reference):
            client = self._connection.fresh(stream=True)
            try:
                response = client._post(
                    client._url("/images/create"),
                    data=archive,
                    params={
                        "fromSrc": "-",
                        "repo": repository or reference,
                        "tag": tag if repository else "latest",
                        "changes": [f"ENV {name}={value}" for name, value in env.items()],
                    },
                    timeout=None,
                )
                said = client._result(response)
            finally:
                self._connection.forget(client)
        if '"error"' in said:
            raise meaning(said, reference)
        return self.inspect_image(reference).id

    def inspect_image(self, reference: str) -> EngineImage:
        """Return an image by id, tag or digest."""
        with self._translated(reference):
            return _image(self._client().inspect_image(reference))

    def list_images(self, labels: dict[str, str]) -> list[EngineImage]:
        """Return the images that carry all these labels."""
        found = []
        with self._translated():
            listed = self._client().images(filters={"label": _labels(labels)})
        for item in listed:
            try:
                found.append(self.inspect_image(item["Id"]))
            except ImageNotFound:
                continue  # removed between the two calls
        return found

    def layers(self, reference: str) -> tuple[Layer, ...]:
        """Return the layers, oldest first."""
        with self._translated(reference):
            history = self._client().history(reference)
        return tuple(
            Layer(without_ours(str(item.get("CreatedBy") or "")), int(item.get("Size") or 0))
            for item in reversed(history)
        )

    def tag(self, image: str, reference: str) -> None:
        """Give an image one more tag."""
        repository, _, tag = reference.rpartition(":")
        with self._translated(image):
            self._client().tag(image, repository, tag, force=True)

    def remove_image(self, reference: str, *, force: bool = False) -> None:
        """Remove a tag or an image; success when it is not there."""
        try:
            with self._translated(reference):
                self._client(stream=True).remove_image(reference, force=force)
        except ImageNotFound:
            return

    def disk(self) -> DiskUse:
        """Return the room left where the engine keeps its images, as far as it can be seen from here."""
        info = self.info()
        path = Path(info.root_dir or "/")
        while not path.is_dir():
            path = path.parent
        if info.remote or not info.root_dir:
            return DiskUse(info.root_dir, None, None, None)
        found = os.statvfs(path)
        return DiskUse(
            info.root_dir, found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize, found.f_favail or None
        )

    # Containers
    def create(self, spec: ContainerSpec) -> str:
        """Create a container; return its id."""
        info = self.info()
        if info.remote and spec.binds:
            raise EngineUnavailable(
                f"The engine at {self.address} is on another machine, where folders of this one cannot be mounted; "
                "use an engine of this machine."
            )
        if spec.gpus.kind != "none" and not info.gpus and info.kind == "podman":
            raise InvalidRequest("The engine has no GPUs to give; set GPUs to none or optional.")
        with self._translated(spec.image):
            client = self._client()
            return str(client.create_container(**create_arguments(client, spec, info))["Id"])

    def start(self, container: str) -> None:
        """Start a created container."""
        with self._translated("the container"):
            self._client(stream=True).start(container)

    def inspect(self, container: str) -> ContainerState | None:
        """Return its state; None when there is no such container."""
        try:
            with self._translated("the container"):
                return state_of(self._client().inspect_container(container))
        except ImageNotFound:
            return None

    def list_containers(self, labels: dict[str, str]) -> list[ContainerState]:
        """Return containers, running or not, that carry all these labels."""
        with self._translated():
            return [state_in_list(c) for c in self._client().containers(all=True, filters={"label": _labels(labels)})]

    def wait(self, container: str, timeout: float | None = None) -> int | None:
        """Wait for its end; return the exit code, None after `timeout` seconds."""
        import requests.exceptions

        client = self._connection.fresh(stream=True)
        try:
            with self._translated("the container"):
                try:
                    return int(client.wait(container, timeout=timeout)["StatusCode"])
                except (requests.exceptions.ReadTimeout, requests.exceptions.ConnectionError) as error:
                    if timeout is not None and "timed out" in str(error).lower():
                        return None
                    raise
        except ImageNotFound:
            return 137  # it was removed: killed, as far as anybody can tell
        finally:
            self._connection.forget(client)

    def signal(self, container: str, signum: int) -> None:
        """Signal the container's process group; success when it has already ended."""
        try:
            with self._translated("the container"):
                self._client().kill(container, signal=signum)
        except (ImageNotFound, Conflict):
            return
        except EngineError as error:
            if "is not running" not in str(error) and "can only kill running" not in str(error):
                raise

    def stop(self, container: str, grace: float) -> None:
        """Ask it to end, then kill it after `grace` seconds; success when it has ended."""
        try:
            with self._translated("the container"):
                self._client(stream=True).stop(container, timeout=max(0, round(grace)))
        except (ImageNotFound, Conflict):
            return

    def remove(self, container: str, *, force: bool = True) -> None:
        """Remove it; success when it is not there, or is going already."""
        try:
            with self._translated("the container"):
                self._client(stream=True).remove_container(container, force=force, v=True)
        except ImageNotFound:
            return
        except (Conflict, EngineError) as error:
            if "already in progress" not in str(error):
                raise

    def logs(self, container: str, tail: int | None = None) -> bytes:
        """Return what it wrote to stdout and stderr."""
        with self._translated("the container"):
            return bytes(self._client().logs(container, tail="all" if tail is None else tail))

    def follow(self, container: str) -> Iterator[tuple[str, bytes]]:
        """Yield what it writes from the start until it ends."""
        client = self._connection.fresh(stream=True)
        try:
            with self._translated("the container"):
                # An attachment would miss what a quick command wrote before; the log has all of it.
                response = client._get(
                    client._url("/containers/{0}/logs", container),
                    params={"stdout": 1, "stderr": 1, "follow": 1, "tail": "all"},
                    stream=True,
                )
                client._raise_for_status(response)
                framed = not client.inspect_container(container)["Config"]["Tty"]
                while True:
                    if not framed:
                        chunk = response.raw.read1(1 << 16)
                        if not chunk:
                            return
                        yield "out", chunk
                        continue
                    head = response.raw.read(8)
                    if len(head) < 8:
                        return
                    yield "err" if head[0] == 2 else "out", response.raw.read(int.from_bytes(head[4:], "big"))
        finally:
            self._connection.forget(client)

    def run(
        self, spec: ContainerSpec, *, timeout: float, stdin: bytes | None = None, limit: int = 16 << 20
    ) -> RunResult:
        """Run a short-lived container to its end and remove it, whatever happens."""
        from .attach import feed

        container = self.create(spec)
        try:
            if stdin is None:
                self.start(container)
            else:
                with self._translated("the container"):
                    feed(self._connection.fresh(stream=True), container, stdin, lambda: self.start(container))
            code = self.wait(container, timeout)
            if code is None:
                self.signal(container, 9)
                self.wait(container, 10)
            state = self.inspect(container)
            with self._translated("the container"):
                out = self._read_log(container, limit, stdout=True)
                err = self._read_log(container, limit, stdout=False)
            return RunResult(
                exit_code=137 if code is None else code,
                output=out,
                errors=err,
                oom_killed=bool(state and state.oom_killed and (code in (None, 137))),
                timed_out=code is None,
            )
        finally:
            self.remove(container)

    def _read_log(self, container: str, limit: int, *, stdout: bool) -> bytes:
        kept = bytearray()
        for chunk in self._client(stream=True).logs(
            container, stdout=stdout, stderr=not stdout, stream=True, follow=False
        ):
            kept += chunk[: limit - len(kept)]
            if len(kept) >= limit:
                break
        return bytes(kept)

    def execute(self, container: str, command: tuple[str, ...], *, user: str = "", timeout: float = 30.0) -> RunResult:
        """Run a command inside a running container."""
        import requests.exceptions

        with self._translated("the container"):
            client = self._connection.fresh()
            client.timeout = timeout
            try:
                made = client.exec_create(container, list(command), user=user)
                try:
                    out, err = client.exec_start(made["Id"], demux=True)
                except requests.exceptions.ReadTimeout:
                    return RunResult(137, b"", b"", timed_out=True)
                return RunResult(int(client.exec_inspect(made["Id"])["ExitCode"]), out or b"", err or b"")
            finally:
                self._connection.forget(client)

    def copy_out(self, image_or_container: str, path: str) -> Iterator[bytes]:
        """Yield the tar of a path inside a container, or inside an image, which is never started for it."""
        made = None
        if self.inspect(image_or_container) is None:
            made = self.create(
                ContainerSpec(image=image_or_container, command=("-",), name="", labels={}, init=False, network="none")
            )
        client = self._connection.fresh(stream=True)
        try:
            with self._translated(path):
                chunks, _ = client.get_archive(made or image_or_container, path)
                yield from chunks
        finally:
            self._connection.forget(client)
            if made is not None:
                self.remove(made)

    def describe(self) -> dict[str, Any]:
        """Return facts for ``doctor`` that only this kind of engine knows."""
        client = self._builder_client
        with self._translated():
            info = self._client().info()
        limits = {"memory": "MemoryLimit", "cpus": "CpuCfsQuota", "processes": "PidsLimit"}
        return {
            "buildkit_client": client.name if client else "",
            "settings_reach_run": client is not None,
            "system_time": str(info.get("SystemTime") or ""),
            "limits": {name: bool(info.get(key)) for name, key in limits.items() if key in info},
            "warnings": [str(warning) for warning in info.get("Warnings") or []],
        }


def _labels(labels: dict[str, str]) -> list[str]:
    return [f"{name}={value}" if value else name for name, value in labels.items()]


def _image(found: dict[str, Any]) -> EngineImage:
    config = Bunch(found.get("Config") or {})
    pairs = (item.partition("=") for item in config.get("Env") or ())
    return EngineImage(
        id=str(found["Id"]),
        tags=tuple(found.get("RepoTags") or ()),
        repo_digests=tuple(found.get("RepoDigests") or ()),
        architecture=str(found.get("Architecture", "")),
        os=str(found.get("Os", "")),
        size=int(found.get("Size") or 0),
        created=str(found.get("Created", "")),
        user=str(config.get("User") or ""),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        cmd=tuple(config.get("Cmd") or ()),
        env={name: value for name, _, value in pairs},
        working_dir=str(config.get("WorkingDir") or ""),
        labels=dict(config.get("Labels") or {}),
    )
