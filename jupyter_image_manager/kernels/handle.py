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
        on_removed: Callable[[], None] | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        self.engine = engine
        self.container = container
        self.connection = connection
        self.kernel_id = kernel_id
        self.death: KernelDeath | None = None
        self.ended = threading.Event()
        self.zero_is_wanted = False
        """Whether exit code 0 needs no explanation: its client asks for the end over channels that we only relay."""
        self._memory = memory
        self._garbage = garbage
        self._on_death = on_death
        self._on_removed = on_removed
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
        first = not self._removed
        if first:
            self.engine.remove(self.container, force=True)
            self._removed = True
        self.ended.wait(5)
        if first and self._on_removed is not None:
            self._on_removed()
        for path in self._garbage:
            remove_folder(path)
        if not keep_folder:
            remove_folder(self.connection.folder)

    def _watch(self) -> None:
        code: int | None = None
        state: ContainerState | None = None
        try:
            code, state = self._until_end()
        finally:
            self._end(code, state)
            self.engine.release()

    def _until_end(self) -> tuple[int | None, ContainerState | None]:
        """Wait for the container's end, through absences of the engine; return its code and last state."""
        code: int | None = None
        while True:
            try:
                if self._process is None and (now := self.engine.inspect(self.container)) and now.pid:
                    self._process = ProcessIdentity.of(now.pid)
                code = self.engine.wait(self.container)
            except EngineUnavailable:
                # The engine is away; its containers may well go on. Where the process can be seen, it decides.
                if self._process is not None and self._process.start and self._process.alive() is False:
                    return code, self._last_state()
                time.sleep(RETRY)
                continue
            except ImageManagerError as error:
                self._log.debug("Waiting for kernel %s: %s", self.kernel_id, error)
            try:
                state = self._settled()
            except EngineUnavailable:
                continue
            if state is None or not state.running:
                return code, state
            time.sleep(RETRY)

    def _settled(self) -> ContainerState | None:
        """Return the container's state once it is no longer on its way out: a removal takes a moment."""
        deadline = time.monotonic() + 5
        while True:
            state = self.engine.inspect(self.container)
            if state is None or state.status not in ("removing", "dead") or self._asked:
                return state
            if time.monotonic() > deadline:
                return None
            time.sleep(0.05)

    def _last_state(self) -> ContainerState | None:
        """Return what the engine says of an ended kernel, if it comes back soon."""
        for _ in range(5):
            try:
                return self._settled()
            except ImageManagerError:
                time.sleep(RETRY)
        return None

    def _end(self, code: int | None, state: ContainerState | None) -> None:
        try:
            if code is None:
                code = state.exit_code if state is not None else None
            if not (self._asked or (self.zero_is_wanted and code == 0)):
                self.death = self._explain(code, state)
                if self._on_death is not None:
                    self._on_death(self.death)
        except ImageManagerError as error:
            self._log.warning("The death of kernel %s could not be recorded: %s", self.kernel_id, error)
        finally:
            # A kernel that was killed by its engine's absence has no code; any but 0 says that it did not end well.
            self._exit_code = 1 if code is None else code
            self.ended.set()

    def _explain(self, code: int | None, state: ContainerState | None) -> KernelDeath:
        log = b""
        if state is not None:
            try:
                log = self.engine.logs(self.container, tail=LOG_TAIL)
            except ImageManagerError as error:
                self._log.debug("No log of kernel %s: %s", self.kernel_id, error)
        elif self._engine_gone():
            return KernelDeath(
                self.kernel_id,
                "engine",
                "The kernel ended together with its engine, which does not answer; start the engine again, "
                "then restart the kernel.",
                code,
            )
        return explain(self.kernel_id, state, memory=self._memory, log=log, exit_code=code)

    def _engine_gone(self) -> bool:
        try:
            self.engine.info(refresh=True)
        except ImageManagerError:
            return True
        return False
