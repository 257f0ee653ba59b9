"""What nobody needs: leftovers of builds that failed, and images that were not used for long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..accounting.holdings import kept_here, look
from ..engine.port import LABEL
from ..errors import ImageManagerError
from ..models import (
    Actor,
    Image,
    ImageState,
    Project,
    PruneItem,
    PrunePreview,
    RegistryState,
    Storage,
    utcnow,
)

if TYPE_CHECKING:
    from ..manager import ImageManager

MADE = (ImageState.READY, ImageState.UNUSABLE, ImageState.MISSING)
LEFTOVER = "leftover"
IMAGE = "image"
COPY = "copy"


@dataclass(frozen=True, slots=True)
class _Found:
    """Something to remove: an image of ours, or one of the engine that belongs to none."""

    item: PruneItem
    owner: str  # its name in the forest of what the engine holds
    image: Image | None = None


def prune(
    manager: ImageManager,
    actor: Actor,
    projects: Iterable[Project],
    *,
    older_than: timedelta,
    optimized: bool,
    confirm: bool,
) -> PrunePreview:
    """Return what nobody needs, and with `confirm` remove it."""
    projects = list(projects)
    if confirm:
        _look(manager, projects)
    everything = [image for project in manager.store.projects() for image in manager.store.images(project.id)]
    holdings = look(manager, manager.accounting.contents, everything)
    found = [*_leftovers(manager, projects, everything), *_unused(manager, projects, older_than, optimized)]
    owners: list[str] = []
    items = []
    for each in found:
        before = holdings.engine.frees(owners)
        if holdings.engine.has(each.owner):
            owners.append(each.owner)
        items.append(replace(each.item, frees=holdings.engine.frees(owners) - before))
    frees = holdings.engine.frees(owners)
    if not confirm:
        return PrunePreview(tuple(items), frees)
    removed, failed, freed = [], [], 0
    for each, item in zip(found, items, strict=True):
        try:
            _remove(manager, actor, each)
        except ImageManagerError as error:
            failed.append(f"{item.spec or item.image_id}: {error.message}")
        else:
            removed.append(item)
            freed += item.frees
    return PrunePreview(tuple(removed), freed, done=True, failed=tuple(failed))


def _look(manager: ImageManager, projects: Iterable[Project]) -> None:
    """Ask the registries before copies go: what was known may be old by now, and what goes from here must be there."""
    tags = manager.engine.image_tags()
    images = [image for project in projects for image in manager.store.images(project.id)]
    manager.registry_states.look({image.id for image in images if image.pinned and image.engine_image in tags})


def _remove(manager: ImageManager, actor: Actor, found: _Found) -> None:
    if found.image is None:
        manager.engine.remove_image(found.item.image_id)
    elif found.item.kind == IMAGE:
        manager.images.delete(actor, found.image.id, confirm=True)
    elif found.image.optimized:
        manager.storage.unoptimize(actor, found.image.id)  # without confirmation: a last copy is never pruned
    else:
        manager.storage.remove_copy(found.image)


def _leftovers(manager: ImageManager, projects: list[Project], images: Iterable[Image]) -> Iterator[_Found]:
    """Yield images of the engine that our builds made and that are no image of ours."""
    known = {image.engine_image for image in images} | {image.engine_image for image in manager.store.images(None)}
    busy = {build.id for build in manager.store.builds(active=True)}
    there = {project.id for project in projects}
    whole = there == {project.id for project in manager.store.projects()}
    for held in manager.engine.list_images({f"{LABEL}.installation": manager.store.installation_id()}):
        project, build = held.labels.get(f"{LABEL}.project", ""), held.labels.get(f"{LABEL}.build", "")
        if held.id in known or build in busy or not (whole or project in there):
            continue
        row = manager.store.image(held.labels.get(f"{LABEL}.image", ""))
        if row is not None and row.state is ImageState.BUILDING:
            continue
        item = PruneItem(LEFTOVER, held.id, row.spec if row else "", project, "a build that failed left it", 0)
        yield _Found(item, f"engine/{held.id}")


def _unused(manager: ImageManager, projects: list[Project], older_than: timedelta, optimized: bool) -> Iterator[_Found]:
    """Yield images, and copies of images in a registry, that nobody uses, the longest unused first."""
    store = manager.store
    used = {id for project in store.projects() for id in (project.active_image_id, project.previous_image_id)}
    used |= {image_id for image_id, _ in store.publications()}
    used |= {build.image_id for build in store.builds(active=True)}
    used |= {pull.image_id for pull in store.pulls(active=True)}
    used |= {kernel.image_id for kernel in manager.kernels.list(manager.system_actor())}
    tags = manager.engine.image_tags()
    oldest = utcnow() - older_than
    candidates = [
        image
        for project in projects
        for image in store.images(project.id)
        if image.id not in used and image.state in MADE and not image.system and _last(image) < oldest
    ]
    for image in sorted(candidates, key=_last):
        reason = f"not used since {_last(image):%Y-%m-%d}"
        if image.storage is Storage.LOCAL:
            yield _found(IMAGE, image, f"{reason}; kept on this machine only, so this is final")
        elif image.engine_image not in tags or image.registry_state is not RegistryState.PRESENT:
            continue  # nothing is here, or what is here may be the last there is
        elif not kept_here(image):
            yield _found(COPY, image, f"{reason}; its version in the registry stays")
        elif optimized:
            yield _found(COPY, image, f"{reason}; optimized on purpose, its version in the registry stays")


def _found(kind: str, image: Image, reason: str) -> _Found:
    return _Found(PruneItem(kind, image.id, image.spec, image.project_id, reason, 0), image.id, image)


def _last(image: Image) -> datetime:
    return image.last_used or image.created
