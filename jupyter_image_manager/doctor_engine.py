"""What the doctor asks of the engine: reachable, able, roomy, with a base image and the right time."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from . import doctor_reach
from .base_image import obstacle
from .errors import ImageManagerError, ImageNotFound
from .models import Finding, utcnow
from .registry.reach import host_of, unreachable

if TYPE_CHECKING:
    from .engine.port import EngineInfo
    from .manager import ImageManager

GIB = 1 << 30
LOW_DISK = 10 * GIB
NO_DISK = 1 * GIB
LOW_INODES = 50_000
CLOCK_SECONDS = 30.0


class _EngineFindings:
    """Checks of one engine; the first that needs it asks, the others wait for that answer."""

    def __init__(self, manager: ImageManager) -> None:
        self.manager = manager
        self._lock = threading.Lock()
        self._asked = False
        self._info: EngineInfo | None = None
        self._error: ImageManagerError | None = None

    def info(self) -> EngineInfo | None:
        with self._lock:
            if not self._asked:
                try:
                    self._info = self.manager.engine.info(refresh=True)
                except ImageManagerError as error:
                    self._error = error
                self._asked = True
        return self._info

    def engine(self) -> Iterator[Finding]:
        info = self.info()
        if info is None:
            yield from doctor_reach.findings(self.manager, self._error)
            return
        yield Finding(
            "engine",
            "Engine",
            "ok",
            f"{info.kind.capitalize()} {info.version} (API {info.api_version}) at {info.address}: {info.os}, "
            f"{info.architecture}, {info.cpus} CPUs, {info.memory / GIB:.1f} GiB, {info.storage_driver}, "
            f"cgroup v{info.cgroup_version or '1'}.",
        )
        if info.remote:
            yield Finding(
                "remote",
                "Remote engine",
                "error",
                f"{info.address} is not an engine of this machine: project folders cannot be mounted there.",
                "Use an engine of this machine: unset DOCKER_HOST, or set DockerEngine.host to its socket.",
            )
        if info.rootless:
            yield Finding("rootless", "Rights", "ok", "the engine is rootless: it has only your own rights.")
        else:
            yield Finding(
                "rootless",
                "Rights",
                "info",
                "the engine runs as root: whoever may build images here has the machine. On a shared machine, let "
                "each user have a rootless engine.",
            )
        if info.userns_remap:
            yield Finding(
                "userns",
                "User name space",
                "warning",
                "the engine maps users (userns-remap): files that kernels write belong to mapped users.",
                "Take userns-remap out of the engine's daemon.json, or use a rootless engine.",
            )
        if info.storage_driver == "vfs":
            yield Finding(
                "storage-driver",
                "Storage driver",
                "warning",
                "vfs copies every layer in full: slow, and many times the disk space.",
                "Install fuse-overlayfs, and let Podman begin anew with it: `podman system reset` (its images go)."
                if info.kind == "podman"
                else "Put the engine's data-root on ext4 or xfs, so that it uses overlay2.",
            )

    def machine(self) -> Iterator[Finding]:
        """Whether the engine sees this machine's folders as this process does."""
        info = self.info()
        if info is None:
            return
        if "docker desktop" in info.os.lower() or "/.docker/desktop/" in info.address:
            yield Finding(
                "virtual-machine",
                "Virtual machine",
                "warning",
                "the engine is Docker Desktop's, in a virtual machine: it mounts shared folders only, and files and "
                "sockets in them behave differently.",
                "Use Docker Engine on this machine itself (`jupyter image setup`); `docker context use default` goes "
                "back to it.",
            )
        elif inside_container() and not info.remote:
            yield Finding(
                "inside-container",
                "Container",
                "warning",
                "this process runs in a container: the engine looks for project folders on its own machine, not here.",
                "Mount the projects, the data folder and KernelService.run_dir at the same paths as outside.",
            )

    def builder(self) -> Iterator[Finding]:
        info = self.info()
        if info is None:
            return
        facts = self.manager.engine.describe()
        yield Finding("builder", "Builder", "ok", f"{info.builder}: {info.builder_reason}.")
        client = facts.get("buildkit_client", "")
        if client:
            yield Finding("buildkit", "BuildKit", "ok", f"builds that need it are driven by {client}.")
            yield self._log_clipping(info)
        elif info.kind != "podman":  # which has none: see there
            yield Finding(
                "buildkit",
                "BuildKit",
                "warning",
                "no client for it: build secrets, RUN --mount and a company's certificates cannot reach builds.",
                "Install docker-buildx (`jupyter image setup` does where the distribution has it).",
            )

    @staticmethod
    def _log_clipping(info: EngineInfo) -> Finding:
        title = "Build logs"
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "comm").read_text().strip() != "dockerd":
                    continue
                environment = (process / "environ").read_bytes()
            except OSError:
                continue
            if (
                b"BUILDKIT_STEP_LOG_MAX_SIZE=99999999" in environment
                and b"BUILDKIT_STEP_LOG_MAX_SPEED=99999999" in environment
            ):
                return Finding("build-log", title, "ok", "the engine passes on all that a step writes.")
            return Finding(
                "build-log",
                title,
                "warning",
                "BuildKit cuts a step's output after 2 MiB, or above 100 KiB/s.",
                "Start dockerd with BUILDKIT_STEP_LOG_MAX_SIZE=99999999 and BUILDKIT_STEP_LOG_MAX_SPEED=99999999 "
                f"in its environment (`systemctl{' --user' if info.rootless else ''} edit docker`).",
            )
        return Finding(
            "build-log",
            title,
            "info",
            "whether BuildKit cuts long outputs of a step cannot be seen from here; it does after 2 MiB unless dockerd "
            "has BUILDKIT_STEP_LOG_MAX_SIZE=99999999 in its environment.",
        )

    def limits(self) -> Iterator[Finding]:
        info = self.info()
        if info is None:
            return
        if info.unlimited:
            yield Finding(
                "limits",
                "Limits of kernels",
                "warning",
                f"the engine cannot limit {', '.join(info.unlimited)}: run settings that do are refused.",
                _limits_cure(info),
            )
        else:
            yield Finding("limits", "Limits of kernels", "ok", "memory, CPUs and processes can be limited.")
        if info.gpus:
            yield Finding("gpu", "GPUs", "ok", f"by {', '.join(info.gpus)}.")
        else:
            yield Finding("gpu", "GPUs", "info", "the engine has none to give (no NVIDIA runtime, no CDI device).")

    def podman(self) -> Iterator[Finding]:
        info = self.info()
        if info is None or info.kind != "podman":
            return
        yield Finding(
            "podman",
            "Podman",
            "warning",
            "through its Docker-compatible socket builds have no secrets and get neither a company's certificates nor "
            "its package index, the step of a cancelled build runs on to its end, kernels have no GPUs, and that one "
            "ran out of memory is told by its exit code only.",
            "Use Docker Engine 20.10 or newer where you need these.",
        )

    def disk(self) -> Iterator[Finding]:
        if self.info() is None:
            return
        use = self.manager.engine.disk()
        if use.free is None or use.total is None:
            yield Finding("disk", "Disk", "info", f"the room at {use.path} cannot be seen from here.")
            return
        text = f"{use.free / GIB:.1f} of {use.total / GIB:.1f} GiB free at {use.path}."
        status = "error" if use.free < NO_DISK else "warning" if use.free < LOW_DISK else "ok"
        cure = "Delete images that nobody needs: `jupyter image usage` says what they hold." if status != "ok" else ""
        yield Finding("disk", "Disk", status, text, cure)
        if use.free_inodes is not None and use.free_inodes < LOW_INODES:
            yield Finding(
                "inodes",
                "Inodes",
                "warning",
                f"{use.free_inodes} files are all that can still be made at {use.path}.",
                "Delete images and build cache, or use a file system with more inodes.",
            )

    def base(self) -> Iterator[Finding]:
        info = self.info()
        if info is None:
            return
        reference = self.manager.builds.catalog.base_of("3.11")
        try:
            self.manager.engine.inspect_image(reference)
        except ImageNotFound:
            here = False
        else:
            here = True
        host = host_of(reference)
        mirror = info.registry_mirrors[0] if info.registry_mirrors and host.endswith("docker.io") else ""
        # The engine pulls, not this process: its own proxies count where it has some.
        proxies = {name: address for name, address in info.proxies.items() if name in ("http", "https")}
        reason = unreachable(mirror or host, proxies=proxies or None)
        where = f"the mirror {mirror}" if mirror else host
        if not reason:
            yield Finding("registry", "Registry", "ok", f"{where} answers.")
        elif here:
            yield Finding("registry", "Registry", "info", f"{where} cannot be reached ({reason}).")
        else:
            yield Finding(
                "registry",
                "Registry",
                "warning",
                f"{where} cannot be reached ({reason}).",
                "Check network and proxy of the engine, or set TemplateCatalog.base_image to an image of your own "
                "registry.",
            )
        if here:
            yield Finding("base", "Base image", "ok", f"{reference} is on the machine.")
        elif not reason:
            yield Finding("base", "Base image", "ok", f"{reference} is pulled by the first build.")
        else:
            yield Finding(
                "base",
                "Base image",
                "error",
                f"templates start from {reference}, which is not here and cannot be pulled.",
                "Make one from Debian's packages: `jupyter image base create`."
                + (f" Before that: {hindered}" if (hindered := obstacle()) else ""),
            )

    def clock(self) -> Iterator[Finding]:
        if self.info() is None:
            return
        said = str(self.manager.engine.describe().get("system_time") or "")
        if not said:
            return
        # Nanoseconds are more than Python reads.
        head, _, tail = said.partition(".")
        zone = tail.lstrip("0123456789") if tail else ""
        moment = datetime.fromisoformat((head + zone).replace("Z", "+00:00"))
        apart = abs((utcnow() - moment).total_seconds())
        if apart > CLOCK_SECONDS:
            yield Finding(
                "clock",
                "Clock",
                "warning",
                f"the engine's clock and this machine's are {apart:.0f} s apart: build times and caches go wrong.",
                "Synchronise both (systemd-timesyncd, chrony).",
            )
        else:
            yield Finding("clock", "Clock", "ok", "the engine has the same time.")

    def proxies(self) -> Iterator[Finding]:
        mine = next(
            (os.environ[n] for n in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy") if os.environ.get(n)), ""
        )
        settings = self.manager.builds.settings
        passed = bool(settings.proxies) or settings.from_server_environment
        if not mine:
            yield Finding("proxy", "Proxies", "ok", "none is needed by this machine's environment.")
        elif not passed:
            yield Finding(
                "proxy",
                "Proxies",
                "warning",
                "this machine uses a proxy, and builds are not told of it.",
                "Set BuildSettings.from_server_environment to True, or BuildSettings.proxies.",
            )
        else:
            yield Finding("proxy", "Proxies", "ok", "they reach each RUN of a build.")
        info = self.info()
        if mine and passed and info is not None and not info.proxies:
            yield Finding(
                "engine-proxy",
                "Proxy of the engine",
                "info",
                "the engine itself has no proxy: base images are pulled directly.",
            )

    def certificates(self) -> Iterator[Finding]:
        settings = self.manager.builds.settings
        bundle = settings.certificates()
        own = next((n for n in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE") if os.environ.get(n)), "")
        if bundle and not os.access(bundle, os.R_OK):
            yield Finding(
                "ca",
                "Certificates",
                "error",
                f"{bundle} cannot be read.",
                "Set BuildSettings.ca_bundle to a readable file of certificates.",
            )
        elif bundle:
            info = self.info()
            if info is None:
                return
            reach = self.manager.engine.describe().get("settings_reach_run", True)
            yield Finding(
                "ca",
                "Certificates",
                "ok" if reach else "warning",
                f"{bundle} {'reaches' if reach else 'cannot reach'} each RUN of a build.",
                ""
                if reach
                else "Use Docker Engine: only BuildKit passes them without leaving a trace."
                if info.kind == "podman"
                else "Install docker-buildx: only BuildKit passes them without leaving a trace.",
            )
        elif own:
            yield Finding(
                "ca",
                "Certificates",
                "warning",
                f"this machine trusts certificates of its own ({own}), and builds are not told of them.",
                "Set BuildSettings.from_server_environment to True, or BuildSettings.ca_bundle.",
            )
        else:
            yield Finding("ca", "Certificates", "ok", "no certificates of its own.")


def _limits_cure(info: EngineInfo) -> str:
    if not info.rootless:
        return "Boot the machine with cgroup_enable=memory swapaccount=1."
    if info.cgroup_version != "2":
        return "A rootless engine needs cgroup v2: boot the machine with systemd.unified_cgroup_hierarchy=1."
    return (
        "Let systemd delegate the controllers to users: `Delegate=cpu cpuset io memory pids` for user@.service, then "
        "log out and in again."
    )


def inside_container(mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """Tell whether this process runs in a container of Docker or Podman: these mount files of theirs below /etc."""
    try:
        return bool(re.search(r"containers/[0-9a-f]{64}/\S+ /etc/", mounts.read_text(errors="replace")))
    except OSError:
        return False


def engine_findings(manager: ImageManager) -> dict[str, Callable[[], Iterable[Finding]]]:
    """Return the checks that have to do with the engine, by name."""
    checks = _EngineFindings(manager)
    return {
        "engine": checks.engine,
        "context": doctor_reach.context,
        "machine": checks.machine,
        "builder": checks.builder,
        "limits": checks.limits,
        "podman": checks.podman,
        "disk": checks.disk,
        "base": checks.base,
        "clock": checks.clock,
        "proxy": checks.proxies,
        "ca": checks.certificates,
    }
