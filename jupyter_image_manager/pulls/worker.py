"""The process of one pull: ``python -m jupyter_image_manager.pulls.worker``.

It is started by :class:`.service.PullService`, detached, and needs nobody afterwards. It lets the engine pull exactly
the digest that is pinned, tries again while network, registry or engine are away, makes sure that what came is what was
asked for, and ends when nobody waits any more.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from concurrent.futures import Future, wait
from typing import Any

from traitlets.config import Config

from ..engine.port import Transfer
from ..errors import (
    EngineError,
    EngineUnavailable,
    ImageManagerError,
    ImageNotFound,
    PullLimited,
    RegistryUnavailable,
)
from ..manager import ImageManager
from ..models import Image, Pull, PullState, RegistryAccess, utcnow
from ..reference import parse_reference
from ..registry.states import access_of
from ..room import own_disk
from ..workers import HEARTBEAT, Beat
from . import room, source, words
from .waiting import WAITER_LIMIT

PROGRESS = 0.5
"""Seconds between two writes of a pull's progress into the store."""
DEAF = 0.1
FIRST_DELAY = 0.5
LONGEST_DELAY = 10.0
LASTING = frozenset({"certificate", "digest", "permission"})
"""Reasons for which trying again is of no use."""


class Cancelled(Exception):
    """Nobody waits any more, or somebody asked for the end."""


class PullProcess:
    """One pull, from its beginning, or from where a dead process left it, to its end, which is always written."""

    def __init__(self, manager: ImageManager, pull: Pull, image: Image) -> None:
        self.manager, self.store, self.service = manager, manager.store, manager.pulls
        self.pull, self.image = pull, image
        self.cancelled = threading.Event()
        self._transfer: Transfer | None = None
        self._came = False
        self._best = (0, 0)  # layers and bytes of this attempt
        self._news = time.monotonic()  # when something came last
        self._place: dict[str, Any] = {}
        self._shown = 0.0
        self._heard = time.monotonic()  # when the engine said anything last
        self._began = time.monotonic()  # when it was asked
        self._doubt: ImageManagerError | None = None  # why the registry did not answer us; the engine may reach it
        self._given_up = False
        self._beaten = time.time()

    def live(self) -> None:
        """Pull, whatever happens."""
        signal.signal(signal.SIGTERM, lambda *_: self._cancel())
        signal.signal(signal.SIGINT, lambda *_: self._cancel())
        with Beat(self._sign, self._cancel, self._tick) as beat:
            error: ImageManagerError | None = None
            try:
                with own_disk():
                    self._work()
                state: PullState = PullState.DONE
            except Cancelled:
                state, error = PullState.CANCELLED, words.cancelled(self.image.spec)
            except ImageManagerError as failed:
                state, error = PullState.FAILED, failed
                if self.cancelled.is_set():
                    state, error = PullState.CANCELLED, words.cancelled(self.image.spec)
            except Exception as fault:  # whatever it is, the user must not wait for ever
                mistake = ImageManagerError(f"The pull of {self.image.spec} ended by a mistake of ours: {fault!r}.")
                self.service.end(self.pull.id, PullState.FAILED, mistake)
                raise
            beat.over.set()
            self._shown = 0.0
            self._show()
            self.service.end(self.pull.id, state, error)

    # Signs
    def _cancel(self) -> None:
        self.cancelled.set()
        transfer = self._transfer
        if transfer is not None:
            # A signal handler must not wait for locks that the interrupted code may hold.
            threading.Thread(target=transfer.cancel, daemon=True).start()

    def _sign(self) -> bool:
        """Show that the process lives; return whether the pull is to end."""
        slept, self._beaten = time.time() - self._beaten > 3 * HEARTBEAT, time.time()
        now = self.store.set_pull(self.pull.id, heartbeat=utcnow())
        # After the machine slept nobody can have said that they wait.
        return now.cancel_requested or (not slept and self.store.abandon_pull(self.pull.id, within=WAITER_LIMIT))

    def _tick(self) -> None:
        self._show()
        transfer, limit, last = self._transfer, self.service.patience, self._heard
        if self._doubt is not None and not self._came:
            # An engine tries a registry that is out of order again by itself, and says so, for longer than people wait.
            limit, last = self.service.first_patience, max(self._news, self._began)
        if transfer is not None and time.monotonic() - last > limit and not self._given_up:
            self._given_up = True
            transfer.cancel()

    def _show(self) -> None:
        """Write where the pull is, if that is new and not too soon."""
        place = self._place
        if place and time.monotonic() - self._shown > PROGRESS:
            self._place, self._shown = {}, time.monotonic()
            try:
                self.store.set_pull(self.pull.id, **place)
            except ImageManagerError:
                return  # where it is can be lost: a full disk alone must not end the pull

    def _check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled

    # Work
    def _work(self) -> None:
        self.store.set_pull(self.pull.id, state=PullState.PULLING, started=self.pull.started or utcnow())
        delay = FIRST_DELAY
        while True:
            try:
                self._attempt()
                return
            except ImageManagerError as error:
                self._check_cancelled()
                pause = self._pause(error, delay)
                if pause is None:
                    if isinstance(error, (ImageNotFound, PullLimited, RegistryUnavailable)):
                        source.note(self.manager, self.image, error)
                    raise
            if self.cancelled.wait(pause):
                raise Cancelled
            delay = min(2 * delay, LONGEST_DELAY)

    def _pause(self, error: ImageManagerError, delay: float) -> float | None:
        """Return after how many seconds to try again; None: it is of no use."""
        began = self._came and (isinstance(error, (RegistryUnavailable, EngineUnavailable)) or _broke(error))
        limit = self.service.patience if began else self.service.first_patience
        left = limit - (time.monotonic() - self._news)
        if isinstance(error, PullLimited):
            wait = error.details.get("retry_after")
            return float(wait) + 0.1 if wait is not None and wait <= left else None
        if not passing(error) or left <= 0:
            return None
        return min(delay, left)

    def _attempt(self) -> None:
        access = access_of(self.manager, self.image)  # each time anew: it may have been rotated meanwhile
        refused = self._look(access)
        if refused is not None and source.decisive(refused):
            raise refused
        room.require(self.manager, self.image)
        self._check_cancelled()
        transfer = self.manager.engine.pull(self.pull.reference, access=access)
        self._doubt, self._given_up = refused, False
        self._heard = self._began = time.monotonic()
        self._transfer, self._best = transfer, (0, 0)
        try:
            self._check_cancelled()
            for step in transfer:
                self._heard = time.monotonic()
                if (step.layers_done, step.current) > self._best:
                    self._best, self._news = (step.layers_done, step.current), time.monotonic()
                    self._came = self._came or step.current > 0
                self._place = {
                    "layers": step.layers,
                    "layers_done": step.layers_done,
                    "current": step.current,
                    "total": max(step.total, step.current),
                }
        except ImageManagerError:
            self._check_cancelled()
            if self._given_up:
                raise self._doubt or silent(self.image) from None
            raise
        finally:
            self._transfer = None
        self._check_cancelled()
        self._keep()

    def _look(self, access: RegistryAccess) -> ImageManagerError | None:
        """Ask the registry, which may be silent for long, without being deaf meanwhile."""
        found: Future[ImageManagerError | None] = Future()

        def look() -> None:
            try:
                found.set_result(source.look(self.manager, self.image, access, timeout=self.service.look_timeout))
            except BaseException as error:  # raised again by who asked
                found.set_exception(error)

        threading.Thread(target=look, daemon=True).start()
        while not wait([found], DEAF).done:
            self._check_cancelled()
        return found.result()

    def _keep(self) -> None:
        """Make sure that what came is what was asked for, and hold it."""
        engine, image = self.manager.engine, self.image
        try:
            held = engine.inspect_image(self.pull.reference)
        except ImageNotFound:
            raise RegistryUnavailable(
                f"The pull of {image.spec} broke off; look whether engine and registry are up, then try again."
            ) from None
        digests = {parse_reference(one).digest for one in held.repo_digests}
        # An engine that keeps images by manifest has the digest as their id, before the push or after it.
        same = held.id in (image.engine_image, image.digest) or image.engine_image == image.digest
        if image.digest not in digests or not same:
            engine.remove_image(self.pull.reference)
            raise wrong(image)
        for id in {image.id, *self.store.images_of_engine(image.engine_image)}:
            other = self.store.image(id)
            if other is not None and other.pinned == image.pinned:
                self.service.hold(other, held)
        now = self.store.pull(self.pull.id)
        if now is not None and now.optimize:  # somebody who joined may have asked for it meanwhile
            self.manager.storage.hold(self.store.set_image(image.id, optimized=True))
        source.note(self.manager, image, None)


def wrong(image: Image) -> RegistryUnavailable:
    """Return the error for a registry that gives something else than what was asked for."""
    return RegistryUnavailable(
        f"The registry delivered something else than {image.pinned}, so {image.spec} was not taken in; let its "
        "administrator look why, or build the image again from its recipe.",
        {"reason": "digest"},
    )


def silent(image: Image) -> RegistryUnavailable:
    """Return the error for a pull of which nothing was heard for long."""
    return RegistryUnavailable(
        f"Nothing more came of {image.spec} for minutes; look whether registry and network are up, then try again."
    )


def passing(error: ImageManagerError) -> bool:
    """Tell whether what went wrong may pass by itself: the network, the registry or the engine may come back."""
    if error.details.get("reason") in LASTING:
        return False
    return isinstance(error, (RegistryUnavailable, EngineUnavailable)) or _broke(error)


def _broke(error: ImageManagerError) -> bool:
    """Tell whether the engine's words are none of which the meaning is known: it may have been cut off in one."""
    return type(error) is EngineError


def main() -> None:
    """Read what to pull from standard input, and pull it; nothing at all means that somebody else does."""
    told = sys.stdin.read()
    if not told:
        return
    payload = json.loads(told)
    manager = ImageManager(config=Config(payload["config"]))
    try:
        pull = manager.store.pull(payload["pull"])
        image = manager.store.image(pull.image_id) if pull is not None else None
        if pull is None or image is None:
            sys.exit(f"The pull {payload['pull']} is not in the store any more.")
        PullProcess(manager, pull, image).live()
    finally:
        manager.close()


if __name__ == "__main__":
    main()
