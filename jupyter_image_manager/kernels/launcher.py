"""Start a kernel's container and wait until its channels are open."""

from __future__ import annotations

import io
import logging
import shutil
import socket
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..engine.port import Bind, ContainerSpec, Engine, EngineInfo
from ..errors import EngineError, ImageManagerError, KernelStartError
from ..models import KernelDeath
from . import container, environment, identity
from .death import decisive_line
from .handle import KernelHandle
from .runtime import ImageFacts
from .sockets import CHANNELS, TCP_BASE, Connection, remove_folder, write_private

BOOT = Path(__file__).with_name("boot.py")


@dataclass(frozen=True, slots=True)
class Launch:
    """Everything that decides one kernel's container."""

    kernel_id: str
    image: str  # id in the engine, never a tag
    report: ImageFacts
    project: Path
    mounts: tuple[str, ...]  # where the project appears
    writable: bool
    cwd: str
    notebook: str
    who: identity.Identity
    arguments: tuple[str, ...] = ()  # after `-f FILE`, for the Python kernel
    argv: tuple[str, ...] = ()  # of another language's kernel; empty: Python's
    environment: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    runtime: Path | None = None
    pycache: Path | None = None  # compiled modules of the kernel's start
    accounts: tuple[str, str] = ("", "")  # the image's passwd and group, when somebody must be added
    home: Path | None = None  # a private folder on this machine: "home" in it, and the accounts' files
    labels: dict[str, str] = field(default_factory=dict)
    resources: container.Resources | None = None
    role: str = "kernel"


def start(
    engine: Engine,
    info: EngineInfo,
    launch: Launch,
    connection: Connection,
    *,
    timeout: float,
    on_death: Callable[[KernelDeath], None] | None = None,
    on_removed: Callable[[], None] | None = None,
    log: logging.Logger | None = None,
) -> KernelHandle:
    """Start the kernel and return once its channels are open.

    Raises
    ------
    KernelStartError
        It ended before, or took longer than `timeout` seconds. Nothing of it is left.
    """
    _write_files(launch, connection)
    spec = _spec(launch, connection, init=True)
    if launch.resources is not None:
        spec = container.apply(spec, launch.resources)
    created = engine.create(spec)
    garbage = (launch.home,) if launch.home else ()
    handle = KernelHandle(
        engine,
        created,
        connection,
        kernel_id=launch.kernel_id,
        memory=spec.memory,
        garbage=garbage,
        on_death=on_death,
        on_removed=on_removed,
        log=log,
    )
    try:
        engine.start(created)
        handle.watch()
        _await_channels(handle, connection, timeout)
    except BaseException as error:
        reason = _reason(engine, handle, error)
        handle.shutdown_asked()
        try:
            engine.remove(created, force=True)
        except ImageManagerError as left:
            if log:
                log.warning("The container %s is left for the reaper: %s", created, left)
        for path in garbage:
            remove_folder(path)
        if reason:
            raise KernelStartError(reason) from error
        raise
    return handle


def _reason(engine: Engine, handle: KernelHandle, error: BaseException) -> str:
    """Return why a start failed, when the container knows better than the exception."""
    if not isinstance(error, KernelStartError):
        return ""
    try:
        state = engine.inspect(handle.container)
        said = decisive_line(engine.logs(handle.container, tail=50))
    except EngineError:
        return ""
    if state is not None and state.oom_killed and not state.running:
        return (
            "The kernel was killed while starting because its memory limit is too small; raise it in the run settings."
        )
    return f"{error.message} Its last line was: {said}" if said else ""


def _write_files(launch: Launch, connection: Connection) -> None:
    folder = connection.folder
    owner = launch.who.owner
    if owner is not None:
        shutil.chown(folder, *owner)
    write_private(folder / "c.json", connection.inside(launch.notebook), owner)
    if launch.argv:
        return
    connection.hold(owner)
    shutil.copyfile(BOOT, folder / "boot.py")
    (folder / "boot.py").chmod(0o644)
    inside_home = identity.home_in(launch.accounts[0], identity.IMAGE_UID)
    major_minor = ".".join(launch.report.python_version.split(".")[:2])
    user_site = (
        [f"{inside_home}/.local/lib/python{major_minor}/site-packages"]
        if inside_home and launch.who.inside_uid != identity.IMAGE_UID
        else []
    )
    said = boot_settings(
        ["-f", str(folder / "c.json"), *launch.arguments],
        runtime=launch.runtime is not None,
        secrets=launch.secrets,
        user_site=user_site,
        curve=bool(connection.curve_public),
    )
    write_private(folder / "boot.json", said, owner)


def boot_settings(
    arguments: list[str],
    *,
    runtime: bool,
    secrets: dict[str, str] | None = None,
    user_site: list[str] | None = None,
    curve: bool = False,
    warm: bool = False,
) -> dict[str, Any]:
    """Return what boot.py is told."""
    zone, rule = environment.time_zone()
    return {
        "arguments": arguments,
        "runtime": container.RUNTIME_TARGET if runtime else "",
        "umask": environment.umask(),
        "environment": secrets or {},
        "language": environment.language(),
        "zone": zone,
        "zone_rule": rule,
        "user_site": user_site or [],
        "curve": curve,
        "warm": warm,
    }


def interpreter(report: ImageFacts, *, cached: bool) -> tuple[str, ...]:
    """Return the image's Python as kernels call it: as a local kernelspec does, for the debugger's sake."""
    python = (report.python_path or "python3", "-Xfrozen_modules=off")
    return (*python, f"-Xpycache_prefix={container.PYCACHE_TARGET}") if cached else python


def surroundings(launch: Launch) -> tuple[list[Bind], dict[str, str]]:
    """Return the mounts and variables that every container of a project has: its folder, its user, its home."""
    binds = [Bind(str(launch.project), target, not launch.writable) for target in launch.mounts]
    variables = dict(launch.environment)
    if launch.home:
        home = private_home(launch.who, launch.accounts[0])
        for name, content in (
            ("passwd", identity.with_user(launch.accounts[0], launch.who, home)),
            ("group", identity.with_groups(launch.accounts[1], launch.who)),
        ):
            (launch.home / name).write_text(content)
            (launch.home / name).chmod(0o644)
            binds.append(Bind(str(launch.home / name), f"/etc/{name}", True))
        binds.append(Bind(str(launch.home / "home"), home))
        variables["HOME"] = home
    return binds, variables


def _spec(launch: Launch, connection: Connection, *, init: bool) -> ContainerSpec:
    folder = connection.folder
    binds, variables = surroundings(launch)
    binds.append(Bind(str(folder), str(folder)))
    if launch.runtime:
        binds.append(Bind(str(launch.runtime), container.RUNTIME_TARGET, True))
    if launch.pycache:
        binds.append(Bind(str(launch.pycache), container.PYCACHE_TARGET, True))
    if launch.notebook:
        variables[environment.SESSION] = launch.notebook
    if launch.argv:
        variables.update(launch.secrets)
        _, rule = environment.time_zone()
        if rule:
            variables.setdefault("TZ", rule)
        command = tuple(word.replace("{connection_file}", str(folder / "c.json")) for word in launch.argv)
    else:
        command = (*interpreter(launch.report, cached=launch.pycache is not None), str(folder / "boot.py"))
    return ContainerSpec(
        image=launch.image,
        command=command,
        name=container.container_name(launch.role, launch.kernel_id),
        labels=launch.labels,
        user=launch.who.user,
        groups=tuple(str(g) for g in launch.who.groups) if not launch.who.rootless else (),
        environment=variables,
        working_dir=launch.cwd,
        binds=container.merge_binds(binds),
        ports=tuple(TCP_BASE + n for n in range(len(CHANNELS))) if connection.transport == "tcp" else (),
        init=init,
    )


def private_home(who: identity.Identity, passwd: str) -> str:
    """Return where the private home of somebody whom the image does not know appears inside."""
    home = f"/home/{who.name or f'user{who.uid}'}"
    return f"{home}-{who.uid}" if home == identity.home_in(passwd, identity.IMAGE_UID) else home


def _await_channels(handle: KernelHandle, connection: Connection, timeout: float) -> None:
    """Wait until every channel is open; a client that connects earlier takes a silent heartbeat for a death."""
    begin = time.monotonic()
    pause = 0.003  # somebody waits for each millisecond of an ordinary start
    if connection.transport == "tcp":
        pause = 0.02  # each look is five connections
        _learn_ports(handle, connection)
    while True:
        if connection.transport == "ipc":
            open_ = all(path.exists() for path in connection.socket_paths.values())
        else:
            open_ = all(_speaks(port) for port in connection.ports.values())
        if open_:
            return
        if handle.ended.wait(pause):
            raise KernelStartError(f"The kernel ended while starting (exit code {handle.exit_code}).")
        if time.monotonic() - begin > 2:
            pause = 0.05
        if time.monotonic() - begin > timeout:
            raise KernelStartError(
                f"The kernel did not open its channels within {timeout:.0f} s; "
                "see its log, or raise KernelService.start_timeout."
            )


def _learn_ports(handle: KernelHandle, connection: Connection) -> None:
    state = handle.state()
    published = state.ports if state else {}
    if len(published) < len(CHANNELS):
        raise KernelStartError("The engine did not publish the kernel's ports on 127.0.0.1.")
    connection.ports = {name: published[TCP_BASE + n] for n, name in enumerate(CHANNELS)}


def _speaks(port: int) -> bool:
    """Tell whether a kernel greets on the port; the engine's proxy accepts before it listens."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
            client.settimeout(1)
            return client.recv(1) == b"\xff"
    except OSError:
        return False


def image_accounts(engine: Engine, image: str, cache: Path) -> tuple[str, str]:
    """Return the image's passwd and group; read once for each image and kept."""
    folder = cache / image.removeprefix("sha256:")
    found = []
    for name in ("passwd", "group"):
        path = folder / name
        if not path.is_file():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            archive = b"".join(engine.copy_out(image, f"/etc/{name}"))
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                member = tar.extractfile(name)
                content = member.read() if member else b""
            partial = path.with_suffix(".partial")
            partial.write_bytes(content)
            partial.replace(path)
        found.append(path.read_text(errors="replace"))
    return found[0], found[1]
