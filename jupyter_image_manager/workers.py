"""Work in a process of its own, which outlives whoever asked for it: started, let go of, and found when it has died."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from .errors import Conflict, ImageManagerError, StoreError
from .models import utcnow
from .processes import ProcessIdentity

T = TypeVar("T")
HEARTBEAT = 2.0
"""Seconds between two signs of life in the store."""
HEARTBEAT_LIMIT = timedelta(seconds=10)
"""After this long without a sign a worker that cannot be seen from here counts as dead (R4)."""
TICK = 0.1
PATIENCE = 30.0
"""Seconds for which an end is written again and again: a full disk may soon have room."""
AGAIN = 0.3

_CHILDREN: list[subprocess.Popen[bytes]] = []


def start(module: str, name: str, payload: dict[str, Any], trace: Path, claim: Callable[[str], bool]) -> bool:
    """Start a module as a detached process; what it must not show goes through a pipe.

    Parameters
    ----------
    name : str
        What it works on: the process list shows it.
    trace : Path
        Where it writes what no code of ours catches.
    claim : callable
        Writes the identity of the new process down; False when somebody else does the work by now.

    Returns
    -------
    bool
        Whether it works: a process that may not is told nothing, and ends.
    """
    trace.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with trace.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", module, name],
            stdin=subprocess.PIPE,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
            cwd="/",
        )
    _CHILDREN.append(process)
    claimed = False
    # A pipe that breaks: it ended at once. Its trace says why, and whoever looks for the dead finds it.
    with suppress(BrokenPipeError), process.stdin or nullcontext() as told:
        claimed = claim(str(ProcessIdentity.of(process.pid)))
        if claimed and told is not None:
            told.write(json.dumps(payload).encode())
    reap()
    return claimed


def reap() -> None:
    """Let go of workers that have ended, so that they do not stay as zombies of a long-lived server."""
    _CHILDREN[:] = [child for child in _CHILDREN if child.poll() is None]


def dead(worker: str, heartbeat: datetime) -> bool:
    """Tell whether a worker has died: by its process, or by its silence where that cannot be seen from here."""
    process = ProcessIdentity.parse(worker)
    alive = process.alive() if process is not None else None
    if alive is None:
        return utcnow() - heartbeat >= HEARTBEAT_LIMIT
    return not alive


def ask_to_end(worker: str) -> None:
    """Ask a worker of this machine to end; one that cannot be asked sees the request in the store, if it lives."""
    process = ProcessIdentity.parse(worker)
    if process is not None and process.alive():
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, signal.SIGTERM)


def insist(write: Callable[[], T]) -> T:
    """Call the store until it can: an end that is not written would look like a death without a reason."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return write()
        except StoreError:
            if time.monotonic() > deadline:
                raise
            time.sleep(AGAIN)


class Beat:
    """Shows, in a thread of its own, that a worker lives, and hears requests to cancel.

    Parameters
    ----------
    sign : callable
        Writes a sign of life; returns whether the work is to be cancelled. Raises Conflict when somebody else has
        ended it: nothing of it may go on.
    cancel : callable
        Cancels the work; may be called more than once.
    tick : callable, optional
        What else is to be done ten times a second.
    """

    def __init__(
        self, sign: Callable[[], bool], cancel: Callable[[], None], tick: Callable[[], None] | None = None
    ) -> None:
        self.over = threading.Event()
        self._sign, self._cancel, self._tick = sign, cancel, tick
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Beat:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """End, when the work is over."""
        self.over.set()
        self._thread.join(5)

    def _run(self) -> None:
        last = 0.0
        while not self.over.wait(TICK):
            if self._tick is not None:
                self._tick()
            if time.monotonic() - last < HEARTBEAT:
                continue
            last = time.monotonic()
            try:
                if self._sign():
                    self._cancel()
            except Conflict:
                self._cancel()
                return
            except ImageManagerError:
                continue  # the store is busy or its disk full; the next beat may come through
