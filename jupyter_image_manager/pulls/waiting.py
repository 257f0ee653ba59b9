"""Somebody who waits for a pull, and says so from time to time: while anybody does, it goes on."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from ..errors import ImageManagerError
from ..models import Pull, PullState
from . import words

if TYPE_CHECKING:
    from types import TracebackType

    from .service import PullService

LOOK = 0.1
"""Seconds between two looks at a pull."""
SAY = 2.0
"""Seconds between two times that a waiter says that it waits."""
WAITER_LIMIT = 10.0
"""Seconds of silence after which a waiter counts as gone."""
RECOVER = 5.0
"""Seconds between two looks for a dead process: the pull of a command line has no server that would do it."""


class Waiting:
    """One waiter. Each call is short; between two looks no thread is held."""

    def __init__(self, service: PullService, pull: Pull) -> None:
        self.pull = pull
        image = service.manager.store.image(pull.image_id)
        self.spec = image.spec if image is not None else pull.reference
        self._service = service
        self._name = uuid.uuid4().hex
        self._said = -SAY
        self._recovered = time.monotonic()

    def look(self) -> Pull:
        """Return the pull as it is now.

        Raises
        ------
        ImageManagerError
            It failed, or was cancelled.
        """
        store, now = self._service.manager.store, time.monotonic()
        if now - self._said >= SAY:
            store.wait_for_pull(self.pull.id, self._name)
            self._said = now
        if now - self._recovered >= RECOVER:
            self._recovered = now
            self._service.recover()
        self.pull = store.pull(self.pull.id) or self.pull
        if self.pull.state is PullState.FAILED:
            raise words.error_of(self.pull)
        if self.pull.state is PullState.CANCELLED:
            raise words.cancelled(self.spec)
        return self.pull

    def close(self) -> None:
        """Wait no more."""
        self._service.manager.store.stop_waiting(self.pull.id, self._name)

    @property
    def progress(self) -> str:
        """How far the pull is, for people."""
        return words.progress(self.spec, self.pull)

    def __enter__(self) -> Waiting:
        """Wait."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait no more."""
        try:
            self.close()
        except ImageManagerError as failed:
            if error is None:
                raise
            self._service.log.debug("That nobody waits is seen by silence: %s", failed)
