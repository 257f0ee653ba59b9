"""``jupyter image run``: a command in an image, with the project mounted, as the kernels have it."""

from __future__ import annotations

import signal
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from ..engine.port import LABEL, ContainerSpec
from ..errors import KernelStartError
from ..models import Actor
from . import container, environment, launcher
from .sockets import remove_folder

if TYPE_CHECKING:
    from ..engine.port import Engine
    from .service import KernelService


def run_command(
    service: KernelService,
    actor: Actor,
    project_id: str,
    image_id: str,
    command: tuple[str, ...],
    *,
    cwd: str,
    stdin: bool,
    tty: bool,
) -> int:
    """Run the command to its end, its output on ours; return its exit code.

    Raises
    ------
    ImageManagerError
        It could not be started.
    """
    manager = service.manager
    project = manager.projects.get(actor, project_id)
    image = manager.images.get(actor, image_id).image
    manager.images.usable(image)
    info = service.engine_info()
    if image.report is None:
        raise KernelStartError(f"The image {image.spec} was never checked; run `jupyter image check {image.spec}`.")
    launch = service.plan(
        info,
        image=image.engine_image,
        report=image.report,
        folder=Path(project.path),
        kernel_id=str(uuid.uuid4()),
        cwd=cwd,
        notebook="",
        settings=project.run_settings,
        arguments=(),
        argv=command,
        env={},
        labels=(project.id, image.id),
        role="run",
    )
    try:
        spec = _spec(launch, command, stdin=stdin, tty=tty)
        engine = manager.engine
        created = engine.create(spec)
        try:
            return _attached(engine, created, launch.secrets)
        finally:
            engine.remove(created, force=True)
    finally:
        if launch.home:
            remove_folder(launch.home)


def _spec(launch: launcher.Launch, command: tuple[str, ...], *, stdin: bool, tty: bool) -> ContainerSpec:
    binds, variables = launcher.surroundings(launch)
    variables.update(launch.secrets)
    _, rule = environment.time_zone()
    if rule:
        variables.setdefault("TZ", rule)
    spec = ContainerSpec(
        image=launch.image,
        command=command,
        name=container.container_name("run", launch.kernel_id),
        labels={**launch.labels, f"{LABEL}.role": "run"},
        user=launch.who.user,
        groups=tuple(str(g) for g in launch.who.groups) if not launch.who.rootless else (),
        environment=variables,
        working_dir=launch.cwd,
        binds=container.merge_binds(binds),
        init=True,
    )
    return replace(container.apply(spec, launch.resources), tty=tty) if launch.resources else spec


def _attached(engine: Engine, created: str, secrets: dict[str, str]) -> int:
    """Start it, pass its output through as it comes, and signals to it."""
    with _signals_to(engine, created):
        engine.start(created)
        for stream, chunk in engine.follow(created):
            target = sys.stderr if stream == "err" else sys.stdout
            target.buffer.write(chunk)
            target.flush()
        code = engine.wait(created)
    return code if code is not None else 1


@contextmanager
def _signals_to(engine: Engine, created: str) -> Iterator[None]:
    """While it runs, ctrl-C and a request to end go to the command, which decides what they mean."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def forward(signum: int, frame: FrameType | None) -> None:
        threading.Thread(target=engine.signal, args=(created, signum), daemon=True).start()

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
