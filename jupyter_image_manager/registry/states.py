"""What registries say of the images that are kept in them (R14).

It is looked up by ``HEAD``, which counts as no pull, in the background: lists and kernels never wait for it, they see
what was said last and when. One process at a time does it for all that share a store.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from traitlets import Float, Instance, Int
from traitlets.config import LoggingConfigurable

from ..errors import ImageManagerError, ImageNotFound, PullLimited, RegistryRefused
from ..models import Image, RegistryAccess, RegistryState, utcnow
from ..processes import ProcessIdentity

if TYPE_CHECKING:
    from ..manager import ImageManager
    from .client import Registry

LEASE = "registry-states"
LEASE_SECONDS = 300.0
AT_ONCE = 200
"""Images that one look asks for at most; the next look asks for those whose turn it is then."""
REST = 60.0
"""Seconds for which a registry is left alone that limits requests and does not say for how long."""
SILENT = frozenset({RegistryState.UNREACHABLE, RegistryState.RATE_LIMITED})
"""What says nothing of an image, but of its registry: there is no use in asking it for the next one."""


def state_of(error: ImageManagerError | None) -> RegistryState:
    """Return the state of an image in its registry that an answer to a question, or a pull, means."""
    if error is None:
        return RegistryState.PRESENT
    for kind, state in (
        (ImageNotFound, RegistryState.MISSING),
        (RegistryRefused, RegistryState.FORBIDDEN),
        (PullLimited, RegistryState.RATE_LIMITED),
    ):
        if isinstance(error, kind):
            return state
    return RegistryState.UNREACHABLE


def known_after(before: RegistryState, said: RegistryState) -> RegistryState:
    """Return what is known of an image after an answer: that it was deleted is not undone by one that says nothing."""
    return before if before is RegistryState.MISSING and said in SILENT else said


def access_of(manager: ImageManager, image: Image) -> RegistryAccess:
    """Return as whom an image's registry is asked: its community's service agent, or nobody.

    The secret goes to the registry that it is for and to no other: a community may have moved since.
    """
    host = image.repository.partition("/")[0]
    project = manager.store.project(image.project_id)
    found = manager.communities.access(manager.communities.of(project)) if project is not None else None
    return found if found is not None and found.host == host else RegistryAccess(host)


class RegistryStates(LoggingConfigurable):
    """Looks up, a few at a time, the images whose last look-up is old."""

    manager: ImageManager = Instance("jupyter_image_manager.manager.ImageManager")  # type: ignore[assignment]  # traitlets' descriptor gives the instance
    max_age = Float(900.0, help="Seconds after which it is looked up again whether a registry still has an image.").tag(
        config=True
    )
    parallel = Int(4, min=1, help="Requests of these look-ups that one registry gets at the same time.").tag(
        config=True
    )
    patience = Float(10.0, help="Seconds that a registry may take for an answer to a look-up.").tag(config=True)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let a look that is under way end soon."""
        self._stopped.set()

    def refresh(self) -> int:
        """Look up the images whose turn it is, unless another process does; return how many."""
        store, me = self.manager.store, str(ProcessIdentity.current())
        due = store.images_in_registries(checked_before=utcnow() - timedelta(seconds=self.max_age), limit=AT_ONCE)
        if not due or not store.lease(LEASE, me, LEASE_SECONDS):
            return 0
        try:
            return self._look(due)
        finally:
            store.give_back(LEASE, me)

    def look(self, image_ids: Collection[str]) -> int:
        """Look up these images now, however fresh what is known of them is; return how many."""
        return self._look(self.manager.store.images_in_registries(ids=image_ids))

    def _look(self, images: Iterable[Image]) -> int:
        groups: dict[RegistryAccess, list[Image]] = {}
        for image in images:
            try:
                groups.setdefault(access_of(self.manager, image), []).append(image)
            except ImageManagerError as error:
                # A secret that cannot be opened: nobody can pull it as things are.
                self.log.warning("Whether %s is in its registry is not known: %s", image.spec, error.message)
                self._note(image, RegistryState.FORBIDDEN)
        resting = self.manager.store.resting_registries()
        looks = [_GroupLook(self, access, group, resting=access.host in resting) for access, group in groups.items()]
        for look in looks:
            look.start()
        for look in looks:
            look.join()
        return sum(look.count for look in looks)

    def _note(self, image: Image, said: RegistryState) -> None:
        self.manager.store.set_registry_state(image.id, known_after(image.registry_state, said), utcnow())


class _GroupLook:
    """The look-up of the images that one registry keeps for one community."""

    def __init__(self, states: RegistryStates, access: RegistryAccess, images: list[Image], *, resting: bool) -> None:
        self._states = states
        self._access = access
        self._waiting: queue.SimpleQueue[Image] = queue.SimpleQueue()
        for image in images:
            self._waiting.put(image)
        self._silent = RegistryState.RATE_LIMITED if resting else None  # what the registry says to every question
        self._lock = threading.Lock()
        self.count = 0
        workers = range(min(states.parallel, len(images)))
        self._threads = [threading.Thread(target=self._run, name=f"{LEASE} {n}", daemon=True) for n in workers]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        states = self._states
        try:
            with states.manager.communities.registry(self._access, timeout=states.patience) as registry:
                while not states._stopped.is_set():
                    try:
                        image = self._waiting.get_nowait()
                    except queue.Empty:
                        return
                    self._one(registry, image)
        except ImageManagerError as error:
            states.log.warning("Images of %s were not looked up: %s", self._access.host, error.message)

    def _one(self, registry: Registry, image: Image) -> None:
        said = self._silent or self._ask(registry, image)
        if said in SILENT:
            self._silent = said
        self._states._note(image, said)
        with self._lock:
            self.count += 1

    def _ask(self, registry: Registry, image: Image) -> RegistryState:
        try:
            if registry.head(image.repository, image.digest) is None:
                return RegistryState.MISSING
        except ImageManagerError as error:
            self._states.log.debug("Looking for %s: %s", image.pinned, error.message)
            if isinstance(error, PullLimited):
                wait = error.details.get("retry_after")
                until = utcnow() + timedelta(seconds=REST if wait is None else wait)
                self._states.manager.store.let_registry_rest(self._access.host, until)
            return state_of(error)
        return RegistryState.PRESENT
