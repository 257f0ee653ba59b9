"""The life of a build's process: its turn, its heartbeat, what cancels it, and its end, which is always written."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

from .. import lifecycle
from ..engine.port import BuildRun, Transfer
from ..errors import Conflict, ImageManagerError, NotAllowed, StoreError
from ..manager import ImageManager
from ..models import Actor, BuildFailure, BuildState, Image, ImageState, utcnow
from ..room import own_disk
from ..workers import Beat, insist
from . import failure
from .log import LogWriter
from .recovery import tag_of
from .redact import Redactor

QUEUE_LOOK = 0.3
RECOVER = 5.0
"""Seconds between two looks of a waiting build for others whose process died: their places become free."""
PROGRESS = 0.25
"""Seconds between two writes of a build's progress into the store."""
TAIL = 400


class Cancelled(Exception):
    """Somebody asked for the build to end."""


class BuildProcess(ABC):
    """One build from its queue to its end; what is done in between is its children's :meth:`_work`."""

    achieved = "is ready"

    def __init__(
        self, manager: ImageManager, build_id: str, secrets: dict[str, bytes], options: dict[str, Any]
    ) -> None:
        self.manager = manager
        self.store = manager.store
        self.secrets = secrets
        self.options = options
        build = self.store.build(build_id)
        image = self.store.image(build.image_id) if build else None
        project = self.store.project(build.project_id) if build else None
        recipe = self.store.recipe(image.recipe_id) if image else None
        if build is None or image is None or project is None or recipe is None:
            raise SystemExit(f"The build {build_id} is not in the store any more.")
        self.build, self.image, self.project, self.recipe = build, image, project, recipe
        self.actor = Actor(name=build.requested_by, display_name=build.requested_by, via="system")
        self.tag = tag_of(project, image)
        self.settings = manager.builds.settings
        self.contexts = manager.data_path / "contexts"
        self.redact = Redactor(secrets.values())
        path = manager.builds.log_path_of(build_id)
        self.log = LogWriter(path, limit=self.settings.log_limit, redact=self.redact)
        self.cancelled = threading.Event()
        self.beat = Beat(self._sign, self._cancel, self._tick)
        self._run: BuildRun | Transfer | None = None
        self._tail: list[str] = []
        self._shown = 0.0
        self._place: dict[str, Any] = {}

    # The process's own life
    def live(self) -> None:
        """Build, whatever happens; the build's end is always written."""
        signal.signal(signal.SIGTERM, lambda *_: self._cancel())
        signal.signal(signal.SIGINT, lambda *_: self._cancel())
        with self.beat, self.log:
            try:
                with own_disk():
                    self._turn()
                    self._work()
            except Cancelled:
                self._end(BuildState.CANCELLED, failure.cancelled(self.image.spec))
            except ImageManagerError as error:
                if self.cancelled.is_set():
                    self._end(BuildState.CANCELLED, failure.cancelled(self.image.spec))
                else:
                    self._end(BuildState.FAILED, failure.explain(error, self._tail))
            except Exception as error:  # whatever it is, the user must not wait for ever
                self._end(
                    BuildState.FAILED,
                    BuildFailure(
                        f"The build of {self.image.spec} ended by a mistake of ours: {error!r}.", "internal_error"
                    ),
                )
                raise

    def _cancel(self) -> None:
        self.cancelled.set()
        run = self._run
        if run is not None:
            # A signal handler must not wait for locks that the interrupted code may hold.
            threading.Thread(target=run.cancel, daemon=True).start()

    def _tick(self) -> None:
        """Let readers see the log's last lines, and where the build is."""
        self.log.flush()
        self._show()

    def _sign(self) -> bool:
        """Show that the process lives; return whether the build is to be cancelled."""
        now = self.store.set_build(self.build.id, heartbeat=utcnow())
        return now.cancel_requested and not self.cancelled.is_set()

    def _check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled

    def _turn(self) -> None:
        """Wait for a place among the builds that run."""
        said, looked = False, time.monotonic()
        while not self.store.claim_slot(self.build.id, self.settings.max_parallel):
            self._check_cancelled()
            if time.monotonic() - looked > RECOVER:
                self.manager.builds.recover()
                looked = time.monotonic()
            if not said:
                self.say("waiting for other builds to end")
                said = True
            time.sleep(QUEUE_LOOK)
        self._check_cancelled()

    def say(self, text: str, step: int = 0) -> None:
        """Write a line of ours into the log."""
        self.log.write(text, step=step, stream="meta")

    def _state(self, state: BuildState, **changes: Any) -> None:
        self._check_cancelled()
        self._place = {}
        self.store.set_build(self.build.id, state=state, **changes)
        self.say(state.value)

    @abstractmethod
    def _work(self) -> None:
        """Do what the build is for; end it by :meth:`_finish`, or by an error."""

    def _pushed(self, image: Image) -> Image:
        """Push an image to its registry; return it with its place there."""
        from .pushing import Push

        def follow(transfer: Transfer) -> None:
            self._run, done = transfer, 0
            try:
                for step in transfer:
                    self._check_cancelled()
                    push.progress(step)
                    sent = f" {step.current / 1e6:.1f} of {step.total / 1e6:.1f} MB" if step.total else ""
                    words = f"pushing{sent}"
                    self._progress(step.layers_done, step.layers, words)
                    if step.layers_done > done:
                        done = step.layers_done
                        self.say(f"{step.text} ({done} of {step.layers} layers)")
            finally:
                self._run = None

        def pause(seconds: float) -> None:
            self.cancelled.wait(seconds)
            self._check_cancelled()

        push = Push(self.manager, self.project, image, say=self.say, follow=follow, pause=pause)
        return push.done()

    def _checking(self, text: str) -> None:
        self._check_cancelled()
        self.say(text)

    def _activate(self, image: Image) -> None:
        now = self.store.build(self.build.id)  # somebody who joined may have asked for it meanwhile
        if now is not None and now.activate:
            try:
                self.manager.images.activate(self.actor, self.project.id, image.id)
                self.say(f"{image.spec} is active")
            except (ImageManagerError, NotAllowed) as error:
                self.say(f"{image.spec} is ready but could not be activated: {error}")

    # Where it is
    def _progress(self, step: int, steps: int, instruction: str) -> None:
        self._place = {"step": step, "steps": steps, "instruction": self.redact(instruction)[:500]}
        self._show()

    def _show(self) -> None:
        """Write where it is, if that is new and not too soon; what is too soon is left to the next beat."""
        place = self._place
        if place and time.monotonic() - self._shown > PROGRESS:
            self._place, self._shown = {}, time.monotonic()
            # Where it is can be lost, as lines of the log can: a full disk alone must not end the build.
            with contextlib.suppress(Conflict, StoreError):
                self.store.set_build(self.build.id, **place, log_lines=self.log.lines)

    def _remember(self, line: str) -> None:
        self._tail.append(self.redact(line[:2000]))
        if len(self._tail) > 2 * TAIL:
            del self._tail[:-TAIL]

    def _end(self, state: BuildState, why: BuildFailure) -> None:
        """Write an end that is no success; the engine keeps nothing of it."""
        now = insist(lambda: self.store.image(self.image.id))
        if now is not None and now.state is ImageState.READY and not lifecycle.unpushed(now):
            self._finish(BuildState.SUCCEEDED, None)  # it is made and stays, whatever went wrong afterwards
            return
        if now is not None and lifecycle.unpushed(now):
            why = failure.unpushed(now.spec, state, why)
        why = replace(
            why,
            message=self.redact(why.message),
            instruction=self.redact(why.instruction),
            lines=tuple(self.redact(line) for line in why.lines),
            hint=self.redact(why.hint),
        )
        if now is not None and now.state is ImageState.BUILDING:
            insist(lambda: self.store.set_image(self.image.id, state=ImageState.FAILED))
            try:
                self.manager.engine.remove_image(self.tag)
            except ImageManagerError as error:
                self.say(f"what the build left in the engine stays for now: {error}")
        self._finish(state, why)

    def _finish(self, state: BuildState, why: BuildFailure | None) -> None:
        self.say(why.message if why else f"{self.image.spec} {self.achieved}")
        self.log.flush()
        self.beat.over.set()
        changes = {"state": state, "failure": why, "log_lines": self.log.lines, "instruction": ""}
        with contextlib.suppress(Conflict):
            insist(lambda: self.store.set_build(self.build.id, finished=utcnow(), **changes))
