"""Docker Engine 20.10 and newer, rootless too, and Podman's Docker-compatible socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from traitlets import Enum, Float, Unicode
from traitlets.config import LoggingConfigurable

from ..errors import BuildFailed, EngineUnavailable, InvalidRequest
from . import buildkit
from .adapt import VARIABLES_API, adapt
from .address import find_address, is_remote
from .builder_cache import BuilderCacheCalls
from .connection import Connection
from .container_calls import ContainerCalls
from .image_calls import ImageCalls
from .port import BuildProgress, BuildRun, BuildSpec, Engine, EngineInfo
from .transfers import TransferCalls

INFO_SECONDS = 15.0
"""How long what is known of the engine is believed without asking again."""

LIMITS = {"memory": "MemoryLimit", "cpus": "CpuCfsQuota", "processes": "PidsLimit"}
"""What can be limited, and by which of its answers the engine says whether it can."""

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i386": "386", "i686": "386"}


NO_SETTINGS = (
    "the classic builder gives proxies to each RUN, but neither certificates nor a package index; install "
    "docker-buildx for those"
)

NO_SETTINGS_PODMAN = (
    "Podman's builder gives proxies to each RUN, but neither certificates nor a package index; use Docker Engine for "
    "those"
)


NO_LIMITS = "BuildKit does not keep the limits of memory and CPUs that are set for builds"


class WatchedBuild(BuildRun):
    """A build with what must be said before it, and a look at what came of it."""

    def __init__(self, engine: Engine, spec: BuildSpec, run: BuildRun, notes: tuple[str, ...]) -> None:
        self._engine = engine
        self._spec = spec
        self._run = run
        self._notes = notes

    def __iter__(self) -> Iterator[BuildProgress]:
        """Yield the notes, and what the builder says."""
        for note in self._notes:
            yield BuildProgress("line", text=note, stream="meta")
        for progress in self._run:
            if progress.kind == "image" and self._spec.platform:
                # Engines of 2020 build from a base of another architecture without a word.
                found = self._engine.inspect_image(progress.image_id)
                wanted = self._spec.platform.split("/")
                if found.architecture != wanted[1 if len(wanted) > 1 else 0]:
                    raise BuildFailed(
                        f"The image was to be made for {self._spec.platform} and its base is for "
                        f"{found.os}/{found.architecture}; pull the base for that platform first."
                    )
            yield progress

    def cancel(self) -> None:
        """Stop the build."""
        self._run.cancel()


class _Meta(type(LoggingConfigurable), type(Engine)):  # type: ignore[misc]  # the metaclass of both parents
    pass


class DockerEngine(LoggingConfigurable, ImageCalls, TransferCalls, BuilderCacheCalls, ContainerCalls, metaclass=_Meta):
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

    def release(self) -> None:
        """Let go of the calling thread's connections."""
        if "_connection" in self.__dict__:
            self._connection.release()

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
        # Podman says it beside the security options, and that it limits what without cgroup v2 it silently does not.
        rootless = any("rootless" in option for option in security) or info.get("Rootless") is True
        ignored = podman and rootless and str(info.get("CgroupVersion")) == "1"
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
            rootless=rootless,
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
            unlimited=tuple(name for name, key in LIMITS.items() if info.get(key) is False or ignored),
        )

    def _choose(self, spec: BuildSpec | None, needs: str | None) -> tuple[str, str]:
        """Return which builder builds, and why."""
        if self.builder == "classic":
            return "classic", "DockerEngine.builder says so"
        client = self._builder_client
        if self._connection.podman():
            if self.builder == "buildkit":
                raise EngineUnavailable(
                    "DockerEngine.builder asks for BuildKit, and Podman has none; leave that setting at `auto`."
                )
            return "classic", "Podman builds with its own builder, which has no BuildKit"
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
        if self._has_settings(spec):
            return "the administrator's settings must reach each RUN"
        from ..dockerfile import parse

        return buildkit.needs_buildkit(parse(dockerfile)) if dockerfile else None

    def _has_settings(self, spec: BuildSpec) -> bool:
        return spec.ca_bundle is not None or any("proxy" not in name.lower() for name in spec.environment)

    def adapt(self, dockerfile: str, spec: BuildSpec) -> str:
        """Return the Dockerfile to be sent: under BuildKit each RUN mounts the administrator's settings."""
        if self._choose(spec, self._needs(spec, dockerfile))[0] == "classic":
            return dockerfile
        api = tuple(int(number) for number in self.info().api_version.split("."))
        return adapt(dockerfile, spec, variables=api >= VARIABLES_API)

    def build(self, spec: BuildSpec, context: Iterable[bytes]) -> BuildRun:
        """Build an image from a tar stream, by whichever builder fits."""
        from .classic import ClassicBuild

        needs = self._needs(spec, "") or ("the Dockerfile needs it" if spec.needs_buildkit else None)
        builder, _ = self._choose(spec, needs)
        run: BuildRun
        if builder == "buildkit" and self._builder_client is not None:
            run = buildkit.BuildKitBuild(self._builder_client, self.address, spec, context)
            notes = (NO_LIMITS,) if spec.memory or spec.cpus else ()
            return WatchedBuild(self, spec, run, notes)
        if spec.secrets and self._connection.podman():
            raise InvalidRequest(
                "Build secrets need BuildKit, and Podman has none; build without them, or use Docker Engine."
            )
        if spec.secrets:
            raise InvalidRequest(
                "Build secrets need BuildKit, and no client for it is installed; install docker-buildx."
            )
        run = ClassicBuild(self._connection, spec, context)
        note = NO_SETTINGS_PODMAN if self._connection.podman() else NO_SETTINGS
        return WatchedBuild(self, spec, run, (note,) if self._has_settings(spec) else ())

    def describe(self) -> dict[str, Any]:
        """Return facts for ``doctor`` that only this kind of engine knows."""
        with self._translated():
            client = None if self._connection.podman() else self._builder_client
            info = self._client().info()
        return {
            "buildkit_client": client.name if client else "",
            "settings_reach_run": client is not None,
            "system_time": str(info.get("SystemTime") or ""),
            "limits": {name: bool(info.get(key)) for name, key in LIMITS.items() if key in info},
            "warnings": [str(warning) for warning in info.get("Warnings") or []],
        }
