"""Cached copies that nobody needs now go from the engine; a pull brings them again (R13).

A copy is cached when its image is in a registry and nobody asked to keep it here. Optimized copies, local images, what
containers use and what was not pushed are never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..accounting.holdings import kept_here, look
from ..engine.port import LABEL, ContainerState
from ..errors import Conflict
from ..kernels import readiness
from ..models import Image, ImageState, PullState, RegistryState, utcnow
from . import holding

if TYPE_CHECKING:
    from ..manager import ImageManager

JUST_USED = timedelta(minutes=10)
"""What was used or brought within this time stays also above the limit: a kernel may be about to start in it."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One image of the engine, which may be that of several projects."""

    engine_image: str
    images: tuple[Image, ...]
    used: datetime  # when something last ran in it, or when it was brought
    in_use: bool = False

    @property
    def cached(self) -> bool:
        """Whether a registry has it, so that it can come back, and nobody keeps it here."""
        return all(
            image.state is ImageState.READY
            and image.pinned
            and image.registry_state is not RegistryState.MISSING
            and not kept_here(image)
            for image in self.images
        )


def choose(
    copies: Iterable[Copy],
    now: datetime,
    *,
    ttl: timedelta,
    limit: int,
    taken: Callable[[Collection[str]], int],
) -> list[Copy]:
    """Return which copies go: those that were not used for long, and the least recently used above the limit; pure.

    Parameters
    ----------
    ttl : timedelta
        How long a copy stays that nothing uses.
    limit : int
        Bytes that all cached copies may take; 0: any number.
    taken : callable
        Return the bytes that copies, by the ids of the engine's images, take together.
    """
    cached = sorted((copy for copy in copies if copy.cached), key=lambda copy: copy.used)
    idle = [copy for copy in cached if not copy.in_use]
    going = [copy for copy in idle if now - copy.used >= ttl]
    if limit:
        staying = [copy.engine_image for copy in cached if copy not in going]
        for copy in idle:
            if copy in going or now - copy.used < JUST_USED:
                continue
            if taken(staying) <= limit:
                break
            staying.remove(copy.engine_image)
            going.append(copy)
    return going


def evict(manager: ImageManager, *, ttl: timedelta, limit: int) -> list[str]:
    """Remove the cached copies that nobody needs now; return the ids of their images."""
    store = manager.store
    images = [image for project in store.projects() for image in store.images(project.id)]
    containers = manager.engine.list_containers({})
    _note_use(manager, containers, images)
    copies = _copies(manager, containers)
    if not any(copy.cached for copy in copies):
        return []
    holdings = look(manager, manager.accounting.contents, [image for copy in copies for image in copy.images])
    one = {copy.engine_image: copy.images[0].id for copy in copies}

    def taken(engine_images: Collection[str]) -> int:
        return holdings.engine.frees([one[id] for id in engine_images])

    found = []
    chosen = choose(copies, utcnow(), ttl=ttl, limit=limit, taken=taken)
    # What was known may be old by now, and what goes from here must be there.
    manager.registry_states.look({image.id for copy in chosen for image in copy.images})
    for copy in chosen:
        if _still(manager, copy):
            found += _remove(manager, copy)
    return found


def _note_use(manager: ImageManager, containers: Iterable[ContainerState], images: Iterable[Image]) -> None:
    """Write down that what runs is used: a project counts as idle from the end of its last kernel."""
    running = {c.labels.get(f"{LABEL}.image", "") for c in containers if c.running}
    for image in images:
        if image.id in running:
            readiness.used(manager, image)


def _copies(manager: ImageManager, containers: Sequence[ContainerState]) -> list[Copy]:
    """Return what the engine holds of ours, with when it was last used."""
    store = manager.store
    tags = manager.engine.image_tags()
    # Any container counts, also a stranger's, and that of another server on this engine; but what only holds a copy.
    busy = {c.image_id for c in containers if c.labels.get(f"{LABEL}.role") != holding.ROLE}
    busy |= {image.engine_image for build in store.builds(active=True) if (image := store.image(build.image_id))}
    pulling = {pull.reference for pull in store.pulls(active=True)}
    brought = {
        pull.reference: pull.finished
        for pull in reversed(store.pulls(active=False))
        if pull.state is PullState.DONE and pull.finished is not None
    }
    groups: dict[str, list[Image]] = {}
    for project in store.projects():
        for image in store.images(project.id):
            if image.engine_image in tags:
                groups.setdefault(image.engine_image, []).append(image)
    return [
        Copy(
            id,
            tuple(group),
            max(moment for image in group for moment in _moments(image, brought.get(image.pinned))),
            id in busy or any(image.pinned in pulling for image in group),
        )
        for id, group in groups.items()
    ]


def _moments(image: Image, brought: datetime | None) -> list[datetime]:
    return [moment for moment in (image.created, image.last_used, brought) if moment is not None]


def _still(manager: ImageManager, copy: Copy) -> bool:
    """Tell whether a copy may go as it was chosen: no kernel is about to start in it, and its registry has it now."""
    now = [manager.store.image(image.id) for image in copy.images]
    return all(
        image is not None
        and image.last_used == before.last_used
        and image.optimized == before.optimized
        and image.registry_state is RegistryState.PRESENT
        for image, before in zip(now, copy.images, strict=True)
    )


def _remove(manager: ImageManager, copy: Copy) -> list[str]:
    """Remove a copy with all our names for it; one that a container uses since a moment ago stays."""
    installation = manager.store.installation_id()
    left = [image.id for image in copy.images]
    for image in copy.images:
        left.remove(image.id)
        try:
            holding.remove(manager.engine, installation, image, others=left)
        except Conflict as error:
            manager.log.debug("%s is not evicted: %s", image.spec, error)
            return []
        manager.store.note_change("image", image.id, image.project_id, "evicted")
    return [image.id for image in copy.images]
