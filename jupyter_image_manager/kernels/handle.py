"""A running kernel's container, held by the process that started it."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..engine.port import ContainerState, Engine
from ..errors import EngineUnavailable, ImageManagerError
from ..models import KernelDeath
from ..processes import ProcessIdentity
from .death import explain
from .sockets import Connection, remove_folder

RETRY = 2.0
"""Seconds between two tries to reach an engine that went away."""

LOG_TAIL = 20


class KernelHandle:
    """What the starter of a kernel can do with it. All calls block shortly; any thread may call.

    A thread of its own waits for the container's end, so that :attr:`exit_code` costs nothing to read.
    """

    def __init__(
        self,
        engine: Engine,
        container: str,
        connection: Connection,
        *,
        kernel_id: str,
        memory: int | None = None,
        garbage: tuple[Path, ...] = (),
        on_death: Callable[[KernelDeath], None] | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        self.engine = engine
        self.container = container
        self.connection = connection
        self.kernel_id = kernel_id
        self.death: KernelDeath | None = None
        self.ended = threading.Event()
        self._memory = memory
        self._garbage = garbage
        self._on_death = on_death
        self._exit_code: int | None = None
        self._asked = False
        self._removed = False
        self._log = log or logging.getLogger(__name__)
        self._process: ProcessIdentity | None = None
        self._watcher = threading.Thread(target=self._watch, name=f"kernel {kernel_id[:8]}", daemon=True)

    def watch(self) -> None:
        """Begin to wait for the end."""
        self._watcher.start()

    @property
    def exit_code(self) -> int | None:
        """The exit code once it ended, None while it runs."""
        return self._exit_code

    def state(self) -> ContainerState | None:
        """Ask the engine how the container is."""
        return self.engine.inspect(self.container)

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end; return the exit code, None after `timeout` seconds."""
        self.ended.wait(timeout)
        return self._exit_code

    def signal(self, signum: int) -> None:
        """Signal the kernel and the processes it started; nothing happens when it has ended."""
        if self.ended.is_set():
            return
        if signum in (signal.SIGKILL, signal.SIGTERM):
            self._asked = True
        self.engine.signal(self.container, signum)

    def interrupt(self) -> None:
        """Interrupt what the kernel computes now."""
        self.signal(signal.SIGINT)

    def shutdown_asked(self) -> None:
        """Note that the end, when it comes, is wanted: it needs no explanation."""
        self._asked = True

    def remove(self, *, keep_folder: bool = False) -> None:
        """End it if it runs and remove every trace of it. `keep_folder` keeps the sockets' place for a restart."""
        self._asked = True
        if not self._removed:
            self.engine.remove(self.container, force=True)
            self._removed = True
        self.ended.wait(5)
        for path in self._garbage:
            remove_folder(path)
        if not keep_folder:
            remove_folder(self.connection.folder)

    def _watch(self) -> None:
        code: int | None = None
        state: ContainerState | None = None
        log = b""
        while True:
            try:
                if self._process is None and (now := self.engine.inspect(self.container)) and now.pid:
                    self._process = ProcessIdentity.of(now.pid)
                code = self.engine.wait(self.container)
                state = self.engine.inspect(self.container)
                if state is None or not state.running:
                    break
            except EngineUnavailable:
                # The engine is away; its containers may well go on. Where the process can be seen, it decides.
                if self._process is not None and self._process.start and self._process.alive() is False:
                    break
                time.sleep(RETRY)
            except ImageManagerError:
                try:
                    state = self.engine.inspect(self.container)
                except ImageManagerError:
                    state = None
                    time.sleep(RETRY)
                    continue
                if state is None or not state.running:
                    break
                time.sleep(RETRY)
        self._end(code, state, log)

    def _end(self, code: int | None, state: ContainerState | None, log: bytes) -> None:
        if state is not None and not self._asked:
            try:
                log = self.engine.logs(self.container, tail=LOG_TAIL)
            except ImageManagerError as error:
                self._log.debug("No log of kernel %s: %s", self.kernel_id, error)
        if code is None:
            code = state.exit_code if state is not None and state.exit_code is not None else 1
        if not self._asked:
            self.death = explain(self.kernel_id, state, memory=self._memory, log=log, exit_code=code)
        if self.death is not None and self._on_death is not None:
            try:
                self._on_death(self.death)
            except ImageManagerError as error:
                self._log.warning("The death of kernel %s could not be recorded: %s", self.kernel_id, error)
        self._exit_code = code
        self.ended.set()
