"""Changes become Jupyter events: whoever wrote them, a worker process, the command line or this server.

Only the server has an event bus. So it looks at the store's changes and emits what is new.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ImageManagerError

if TYPE_CHECKING:
    import logging

    from .manager import ImageManager
    from .store import Change

SCHEMAS = Path(__file__).parent / "event_schemas"
NOUNS = ("project", "image", "build", "kernel", "community", "pull", "retirement", "migration")
KERNEL_WORDS = ("notebook", "reason", "message")


def schema_of(noun: str) -> str:
    """Return the id of an event schema."""
    return f"https://schema.jupyter.org/jupyter_image_manager/{noun}/v1"


def payload(change: Change) -> dict[str, Any]:
    """Return the event of a change."""
    data: dict[str, Any] = {
        "action": change.action,
        "project_id": change.project_id,
        "id": change.id,
        "sequence": change.sequence,
    }
    if change.noun == "kernel":
        data["kernel_id"] = change.id
        data.update({key: str(change.data[key]) for key in KERNEL_WORDS if change.data.get(key)})
    return data


class Watcher:
    """Looks for changes; not itself a thread.

    Parameters
    ----------
    emit : callable
        Takes a list of ``(schema id, payload)``; called in the thread that looks.
    after : int, optional
        Number of the last change that is known; None: whatever there is at the first look.
    """

    def __init__(
        self, manager: ImageManager, emit: Callable[[list[tuple[str, dict[str, Any]]]], None], after: int | None = None
    ) -> None:
        self._manager = manager
        self._emit = emit
        self._last = after

    @property
    def began(self) -> bool:
        """Whether there was a first look."""
        return self._last is not None

    def look(self) -> list[Change]:
        """Emit what is new, and return it; what was there before the first look is not new."""
        actor = self._manager.system_actor()
        if self._last is None:
            self._last = self._manager.last_change(actor)
            return []
        changes = self._manager.changes(actor, self._last)
        if changes:
            self._last = changes[-1].sequence
            self._emit([(schema_of(change.noun), payload(change)) for change in changes if change.noun in NOUNS])
        return changes


class Periodic:
    """Calls a function again and again in a thread of its own; a failure is said once, in one sentence.

    Parameters
    ----------
    name : str
        For people: what is being done.
    seconds : float
        Between the end of one call and the next.
    """

    def __init__(self, name: str, seconds: float, function: Callable[[], object], log: logging.Logger) -> None:
        self._name = name
        self._seconds = seconds
        self._function = function
        self._log = log
        self._stop = threading.Event()
        self._said = ""
        self._thread = threading.Thread(target=self._run, name=f"image manager: {name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Say that there shall be no further call."""
        self._stop.set()

    def join(self, timeout: float) -> bool:
        """Wait for the call that is under way, at most some seconds; return whether it ended."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.once()
            self._stop.wait(self._seconds)

    def once(self) -> None:
        """Call the function now."""
        try:
            self._function()
        except ImageManagerError as error:
            self._fail(error.message)
        except Exception as error:
            # The thread must outlive whatever goes wrong once: the server works on, and the next call may succeed.
            self._fail(f"{type(error).__name__}: {error}", fault=True)
        else:
            if self._said and not self._stop.is_set():
                self._log.info("Jupyter Image Manager: %s works again.", self._name)
            self._said = ""

    def _fail(self, message: str, *, fault: bool = False) -> None:
        if message != self._said and not self._stop.is_set():
            self._said = message
            self._log.warning("Jupyter Image Manager: %s does not work: %s", self._name, message)
            if fault:
                self._log.debug("Where it failed:", exc_info=True)
