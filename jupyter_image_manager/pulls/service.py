"""Pulls: begin or join, wait, look, cancel, take over. The work is done by :mod:`.worker`, a process for each."""

from __future__ import annotations

import builtins
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from traitlets import Float, Instance
from traitlets.config import LoggingConfigurable

from .. import access, presence, workers
from ..errors import Conflict, EngineError, EngineUnavailable, ImageManagerError, PullNotFound
from ..models import Actor, Image, Pull, PullState, RegistryState, utcnow
from ..registry.states import access_of, state_of
from . import source, words
from .waiting import LOOK, WAITER_LIMIT, Waiting

if TYPE_CHECKING:
    from ..engine.port import EngineImage
    from ..manager import ImageManager

TRACE_LINE = 300


class PullService(LoggingConfigurable):
    """Everything about pulls but the pulling."""

    manager: ImageManager = Instance("jupyter_image_manager.manager.ImageManager")  # type: ignore[assignment]  # traitlets' descriptor gives the instance

    patience = Float(
        300.0,
        help="""Seconds for which a pull that had begun is tried again while nothing more comes: the network, the
        registry or the engine may come back.""",
    ).tag(config=True)
    first_patience = Float(
        10.0,
        help="""Seconds for which a registry, or an engine, that does not answer is tried again before anything came;
        after that a kernel that waits for the pull fails to start.""",
    ).tag(config=True)
    look_timeout = Float(5.0, help="Seconds in which a registry must say whether it has an image.").tag(config=True)

    # Begin
    def ensure(self, actor: Actor, image: Image, *, optimize: bool = False, unattended: bool = False) -> Pull | None:
        """Begin to bring an image to the engine, or join a pull of it; None: the engine holds it.

        Parameters
        ----------
        optimize : bool
            The copy is to stay (R20).
        unattended : bool
            Go on though nobody waits. Otherwise somebody must begin to :meth:`wait` within some seconds.

        Raises
        ------
        ImageUnusable
            The engine does not hold it, and no registry has it.
        """
        manager = self.manager
        access.check(actor, "image.pull", manager.store.project(image.project_id))
        held = presence.held(manager.engine, image)
        if held is not None:
            self.hold(image, held)
            return None
        if not image.pinned:
            raise manager.images.gone(image)
        pull = Pull(
            id=uuid.uuid4().hex,
            image_id=image.id,
            project_id=image.project_id,
            reference=image.pinned,
            engine_id=presence.identity(manager.engine.info()),
            state=PullState.WAITING,
            requested_by=actor.name,
            created=utcnow(),
            optimize=optimize,
            unattended=unattended,
        )
        pull, new = manager.store.join_pull(pull, "" if unattended else uuid.uuid4().hex)
        if new:
            self._start(pull, "")
        return pull

    def hold(self, image: Image, held: EngineImage) -> None:
        """Let the engine hold an image by our reference, as it does what is built here."""
        if image.reference and image.reference not in held.tags:
            self.manager.engine.tag(held.id, image.reference)

    def _start(self, pull: Pull, before: str) -> None:
        manager = self.manager
        payload = {"config": manager.configuration(), "pull": pull.id}
        workers.start(
            "jupyter_image_manager.pulls.worker",
            pull.id,
            payload,
            self.trace(pull.id),
            lambda worker: manager.store.claim_pull(pull.id, before, worker),
        )

    def trace(self, pull_id: str) -> Path:
        """Return where a pull's process writes what no code of ours catches."""
        return self.manager.data_path / "pulls" / f"{pull_id}.trace"

    # Wait
    def waiting(self, actor: Actor, pull: Pull) -> Waiting:
        """Return somebody who waits for a pull without holding a thread: for event loops."""
        access.check(actor, "image.pull", self.manager.store.project(pull.project_id))
        return Waiting(self, pull)

    def wait(
        self,
        actor: Actor,
        pull_id: str,
        *,
        timeout: float | None = None,
        progress: Callable[[Pull], object] | None = None,
    ) -> Pull:
        """Wait for a pull, which goes on while somebody does; return it as it is at the end or after `timeout` seconds.

        Raises
        ------
        ImageManagerError
            What the pull failed of, or that it was cancelled.
        """
        end = None if timeout is None else time.monotonic() + timeout
        with self.waiting(actor, self.get(actor, pull_id)) as waiting:
            while True:
                pull = waiting.look()
                if progress is not None:
                    progress(pull)
                if pull.done or (end is not None and time.monotonic() >= end):
                    return pull
                time.sleep(LOOK)

    # Look
    def list(self, actor: Actor, project_id: str | None = None, *, active: bool | None = None) -> builtins.list[Pull]:
        """Return pulls, newest first; of a project also those of others that its images wait for."""
        store = self.manager.store
        project = self.manager.projects.get(actor, project_id) if project_id else None
        access.check(actor, "image.view", project)
        pulls = store.pulls(active=active)
        if project is None:
            return pulls
        own = store.image(project.active_image_id) if project.active_image_id else None
        wanted = own.pinned if own is not None else ""
        return [pull for pull in pulls if pull.project_id == project.id or (wanted and pull.reference == wanted)]

    def get(self, actor: Actor, pull_id: str) -> Pull:
        """Return a pull as it is now.

        Raises
        ------
        PullNotFound
            There is none with this id.
        """
        pull = self.manager.store.pull(pull_id)
        if pull is None:
            raise PullNotFound("There is no such pull; list the pulls again.", {"pull_id": pull_id})
        access.check(actor, "image.view", self.manager.store.project(pull.project_id))
        return pull

    # Change
    def cancel(self, actor: Actor, pull_id: str) -> Pull:
        """Ask for the end of a pull, for all who wait for it; what was pulled so far does not stay."""
        pull = self.get(actor, pull_id)
        access.check(actor, "image.pull", self.manager.store.project(pull.project_id))
        if pull.done:
            return pull
        try:
            pull = self.manager.store.set_pull(pull_id, cancel_requested=True)
        except Conflict:
            return self.get(actor, pull_id)  # it has just ended
        workers.ask_to_end(pull.worker)
        self.recover()
        return self.get(actor, pull_id)

    def forget(self, image_id: str) -> None:
        """End and forget the pulls of an image that is deleted."""
        store = self.manager.store
        for pull in store.pulls(image_id=image_id, active=True):
            self.cancel(self.manager.system_actor(), pull.id)
        store.delete_pulls(image_id)

    def recover(self) -> builtins.list[Pull]:
        """Take over the pulls whose process has died, or end them where nobody waits; return what they are now."""
        workers.reap()
        found = []
        for pull in self.manager.store.pulls(active=True):
            if workers.dead(pull.worker, pull.heartbeat or pull.created):
                self._recover(pull)
                found.append(self.manager.store.pull(pull.id) or pull)
        return found

    def _recover(self, pull: Pull) -> None:
        store = self.manager.store
        image = store.image(pull.image_id)
        spec = image.spec if image is not None else pull.reference
        error: ImageManagerError | None = None
        if image is None or store.abandon_pull(pull.id, within=WAITER_LIMIT):
            error = words.cancelled(spec)
        elif said := self._said(pull):
            error = words.died(spec, said)
        if error is not None:
            state = PullState.FAILED if isinstance(error, EngineError) else PullState.CANCELLED
            self.end(pull.id, state, error)
        elif self._here() == pull.engine_id:
            self.log.info("The process that pulled %s is dead: another goes on.", spec)
            self._start(pull, pull.worker)

    def end(self, pull_id: str, state: PullState, error: ImageManagerError | None = None) -> None:
        """Write a pull's end, unless somebody else has."""
        changes = {} if error is None else {"message": error.message, "code": error.code}
        if error is not None and error.details.get("retry_after") is not None:
            changes["retry_after"] = error.details["retry_after"]
        try:
            workers.insist(lambda: self.manager.store.set_pull(pull_id, state=state, finished=utcnow(), **changes))
        except Conflict as over:
            self.log.debug("The end of a pull was written already: %s", over)
        self.trace(pull_id).unlink(missing_ok=True)

    def _said(self, pull: Pull) -> str:
        """Return the last line that a dead process wrote when it failed by a fault; such a one would fail again."""
        try:
            lines = self.trace(pull.id).read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return lines[-1][:TRACE_LINE] if lines else ""

    def _here(self) -> str | None:
        """Return which engine is used here; None while it does not answer, and nothing can be taken over."""
        try:
            return presence.identity(self.manager.engine.info())
        except (EngineError, EngineUnavailable) as error:
            self.log.debug("Pulls are not taken over: %s", error)
            return None

    def pullable(self, image: Image) -> None:
        """Refuse an image of which its registry says that it does not have it; what else is wrong the pull will say.

        Raises
        ------
        ImageNotFound
            It is not in the registry any more.
        """
        error = source.look(self.manager, image, access_of(self.manager, image), timeout=self.look_timeout)
        if state_of(error) is RegistryState.MISSING:
            raise source.missing(image)
