"""What becomes of kernels, written where servers tell it as events: started, died, removed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..engine.port import LABEL, ContainerState
from ..errors import ImageManagerError

if TYPE_CHECKING:
    import logging

    from ..manager import ImageManager
    from ..models import KernelDeath

DEATHS_KEPT = 1000


class KernelEvents:
    """Writes the changes of kernels, and remembers why those of this process died.

    No kernel is kept from running or ending because its change cannot be written.
    """

    def __init__(self, manager: ImageManager, log: logging.Logger) -> None:
        self._manager = manager
        self._log = log
        self._deaths: dict[str, KernelDeath] = {}
        self._lock = threading.Lock()

    def started(self, kernel_id: str, project_id: str, notebook: str) -> None:
        """Note that a kernel's channels are open."""
        with self._lock:
            self._deaths.pop(kernel_id, None)
        self._note(kernel_id, project_id, "started", {"notebook": notebook})

    def died(self, death: KernelDeath, project_id: str, notebook: str) -> None:
        """Note an end that nobody asked for."""
        with self._lock:
            self._deaths[death.kernel_id] = death
            while len(self._deaths) > DEATHS_KEPT:
                self._deaths.pop(next(iter(self._deaths)))
        self._log.warning("Kernel %s: %s", death.kernel_id, death.message)
        data = {"notebook": notebook, "reason": death.reason, "message": death.message}
        self._note(death.kernel_id, project_id, "died", data)

    def removed(self, kernel_id: str, project_id: str, notebook: str) -> None:
        """Note that a kernel's container is gone, after an end that was asked for or a death."""
        self._note(kernel_id, project_id, "removed", {"notebook": notebook})

    def reaped(self, container: ContainerState) -> None:
        """Note that a container was removed because its owner is dead."""
        labels = container.labels
        if labels.get(f"{LABEL}.role") == "kernel":
            self.removed(
                labels.get(f"{LABEL}.kernel", ""),
                labels.get(f"{LABEL}.project", ""),
                labels.get(f"{LABEL}.notebook", ""),
            )

    def explain(self, kernel_id: str) -> KernelDeath | None:
        """Return why a kernel of this process died last; None when it did not."""
        with self._lock:
            return self._deaths.get(kernel_id)

    def _note(self, kernel_id: str, project_id: str, action: str, data: dict[str, str]) -> None:
        try:
            self._manager.store.note_change("kernel", kernel_id, project_id, action, data)
        except ImageManagerError as error:
            self._log.warning("That kernel %s %s could not be recorded: %s", kernel_id, action, error)
