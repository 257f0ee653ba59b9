"""What images take on the engine's disk, what a deletion gives back, and the administrator's quotas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .accounting.forest import Forest
from .errors import EngineError, EngineUnavailable, QuotaExceeded
from .models import Image, ImageState, Layer, Project, SharedLayer
from .patience import asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .engine.port import DiskUse
    from .manager import ImageManager

WARN_FROM = 0.9
"""The part of a quota from which on its use is warned of."""
FEW_INODES = 50_000
"""Free inodes from which on they are warned of; an image of scientific Python has as many files."""


def common(mine: Sequence[Layer], others: Sequence[Layer]) -> int:
    """Return how many layers two images share.

    They are shared from the bottom up. Layers without a digest count as the same when the same instruction made them
    with the same size.
    """
    count = 0
    for a, b in zip(mine, others, strict=False):
        known = a.digest and b.digest
        if a.digest != b.digest if known else (a.created_by, a.size) != (b.created_by, b.size):
            break
        count += 1
    return count


def shared_layers(image: Image, others: Iterable[Image]) -> tuple[SharedLayer, ...]:
    """Return an image's layers as its check found them, each with the other images that have it too."""
    mine = image.report.layers if image.report else ()
    shared = {
        other.spec: common(mine, other.report.layers)
        for other in others
        if other.id != image.id and other.engine_image and other.report
    }
    return tuple(
        SharedLayer(layer.created_by, layer.size, tuple(spec for spec, count in shared.items() if count > place))
        for place, layer in enumerate(mine)
    )


def frees(manager: ImageManager, image: Image) -> int:
    """Return the bytes that the engine gives back when an image is deleted (R24).

    Layers that any other image in the engine has stay, ours or not; an image with other tags stays as a whole.

    Raises
    ------
    EngineUnavailable
        The engine cannot be asked.
    """
    if not image.engine_image:
        return 0
    if set(manager.store.images_of_engine(image.engine_image)) - {image.id}:
        return 0
    tags = manager.engine.image_tags()
    if set(tags.get(image.engine_image, ())) - {image.reference}:
        return 0
    layers = manager.accounting.contents.of_engine(tags, keep=False)
    if image.engine_image not in layers:
        return 0
    return Forest(layers).frees([image.engine_image])


@dataclass(frozen=True, slots=True)
class Quota:
    """One limit of the administrator, and how much of it is used."""

    where: str  # the project 'x', the community 'y'
    what: str  # images | bytes
    used: int
    most: int

    @property
    def said(self) -> str:
        """The use and the limit, as a clause."""
        if self.what == "images":
            return f"{self.where[0].upper()}{self.where[1:]} has {self.used} of {self.most} images"
        used, most = self.used / 1e9, self.most / 1e9
        return f"The optimized copies and local images of {self.where} take {used:.1f} of {most:.1f} GB"


def quotas(manager: ImageManager, project: Project) -> Iterator[Quota]:
    """Yield the limits that hold for a project (R54): its own, and those of its community."""
    policy = manager.policy
    places: list[tuple[str, tuple[str, ...], int, int]] = [
        (f"the project {project.name!r}", (project.id,), policy.max_images, policy.max_bytes)
    ]
    if policy.max_community_images or policy.max_community_bytes:
        community = manager.communities.of(project)
        members = (each.id for each in manager.store.projects() if manager.communities.of(each).id == community.id)
        limits = policy.max_community_images, policy.max_community_bytes
        places.append((f"the community {community.name!r}", tuple(members), *limits))
    for where, ids, most_images, most_bytes in places:
        if most_images:
            yield Quota(where, "images", sum(manager.store.count_images(id) for id in ids), most_images)
        if most_bytes:
            yield Quota(where, "bytes", manager.accounting.optimized_bytes(ids), most_bytes)


def check_quota(manager: ImageManager, project: Project) -> None:
    """Refuse a new image above the administrator's quotas (R54).

    Raises
    ------
    QuotaExceeded
        Names the use and the limit.
    """
    for quota in quotas(manager, project):
        if quota.used >= quota.most:
            details = {quota.what: quota.used, f"max_{quota.what}": quota.most}
            raise QuotaExceeded(f"{quota.said}; delete one first.", details)


def check_copy(manager: ImageManager, project: Project, image: Image) -> None:
    """Refuse an optimized copy that would not fit into the administrator's quotas (R54).

    Raises
    ------
    QuotaExceeded
        Names the use and the limit.
    """
    for quota in quotas(manager, project):
        if quota.what == "bytes" and quota.used + image.size > quota.most:
            raise QuotaExceeded(
                f"{quota.said}, and a copy of {image.spec} takes up to {image.size / 1e9:.1f} GB more; give up another "
                "copy first.",
                {"bytes": quota.used, "max_bytes": quota.most, "needs": image.size},
            )


def warnings(manager: ImageManager, project: Project) -> list[str]:
    """Return which quotas are nearly used up, or wholly: before a build is refused for it."""
    found = []
    for quota in quotas(manager, project):
        if quota.used >= quota.most:
            found.append(f"{quota.said}: no more can be built; delete one first.")
        elif quota.used >= WARN_FROM * quota.most:
            found.append(f"{quota.said}: more than {WARN_FROM:.0%} of the quota; `jupyter image prune` makes room.")
    return found


def disk_warnings(manager: ImageManager, disk: DiskUse | None) -> list[str]:
    """Return what is short on the engine's disk."""
    found = []
    if disk is not None and disk.free is not None and disk.free < 2 * manager.policy.min_free_bytes:
        least = manager.policy.min_free_bytes / 1e9
        found.append(
            f"Only {disk.free / 1e9:.1f} GB are free on the engine's disk, and builds need {least:.1f} GB; "
            "`jupyter image prune` makes room."
        )
    if disk is not None and disk.free_inodes is not None and disk.free_inodes < FEW_INODES:
        found.append(
            f"Only {disk.free_inodes} inodes are free on the engine's disk: no more files can be written soon, however "
            "much room there is; `jupyter image prune` makes room."
        )
    return found


def of_project(manager: ImageManager, project: Project) -> dict[str, Any]:
    """Return counts, bytes, quotas and the free disk; None where a value is not limited or not known."""
    images = manager.store.images(project.id)
    disk = None
    try:
        disk = asked(manager.engine.disk)
    except (EngineError, EngineUnavailable) as error:
        manager.log.debug("The engine's disk is not known: %s", error)
    return {
        "images": len(images),
        "ready": sum(image.state is ImageState.READY for image in images),
        "bytes": sum(image.size for image in images),
        "max_images": manager.policy.max_images or None,
        "max_bytes": manager.policy.max_bytes or None,
        "disk_free": disk.free if disk else None,
        "disk_total": disk.total if disk else None,
        "optimized_bytes": manager.accounting.optimized_bytes([project.id]),
        "inodes_free": disk.free_inodes if disk else None,
        "warnings": [*warnings(manager, project), *disk_warnings(manager, disk)],
    }
