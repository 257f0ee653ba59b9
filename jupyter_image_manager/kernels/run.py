"""``jupyter image run``: a command in an image, with the project mounted, as the kernels have it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING

from ..engine.port import ContainerSpec
from . import container, environment, launcher
from .guard import guarded
from .sockets import remove_folder
from .terminal import INSISTING, Streams, handled

if TYPE_CHECKING:
    from ..engine.port import Engine
    from ..manager import ImageManager


def run(manager: ImageManager, launch: launcher.Launch, streams: Streams) -> int:
    """Run the command of a launch to its end, its streams on ours; return its exit code. Nothing of it is left."""
    engine = manager.engine
    try:
        with guarded(manager):
            created = engine.create(_spec(launch, streams))
            try:
                return _attached(engine, created, streams)
            finally:
                engine.remove(created, force=True)
    finally:
        if launch.home:
            remove_folder(launch.home)


def _spec(launch: launcher.Launch, streams: Streams) -> ContainerSpec:
    binds, variables = launcher.surroundings(launch)
    variables.update(launch.secrets)
    _, rule = environment.time_zone()
    if rule:
        variables.setdefault("TZ", rule)
    spec = ContainerSpec(
        image=launch.image,
        command=launch.argv,
        name=container.container_name(launch.role, launch.kernel_id),
        labels=launch.labels,
        user=launch.who.user,
        groups=tuple(str(g) for g in launch.who.groups) if not launch.who.rootless else (),
        environment=variables,
        working_dir=launch.cwd,
        binds=container.merge_binds(binds),
        init=True,
    )
    if launch.resources is not None:
        spec = container.apply(spec, launch.resources)
    return replace(spec, stdin=streams.stdin, tty=streams.tty)


def _attached(engine: Engine, created: str, streams: Streams) -> int:
    with engine.attach(created, stdin=streams.stdin, tty=streams.tty) as attachment, streams.lent(attachment):
        engine.start(created)
        asked = _passing_on(engine, created)
        with handled({signal.SIGINT: asked, signal.SIGTERM: asked, signal.SIGQUIT: asked}), streams.sized(attachment):
            streams.take(attachment)
            code = engine.wait(created)
    return code if code is not None else 1


def _passing_on(engine: Engine, created: str) -> Callable[[int, FrameType | None], None]:
    """Return a handler that gives signals to the command, which decides what they mean."""
    count = 0

    def send(signum: int) -> None:
        try:
            engine.signal(created, signum)
        finally:
            engine.release()

    def handler(signum: int, frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        wanted = signum if count < INSISTING else signal.SIGKILL
        threading.Thread(target=send, args=(wanted,), name="command-signal", daemon=True).start()

    return handler
