"""What images take on the engine's disk, what a deletion gives back, and the administrator's quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import EngineError, EngineUnavailable, ImageNotFound, QuotaExceeded
from .models import Image, ImageState, Layer, Project, SharedLayer
from .patience import asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .manager import ImageManager


def common(mine: Sequence[Layer], others: Sequence[Layer]) -> int:
    """Return how many layers two images share.

    They are shared from the bottom up. Two layers count as the same when the same instruction made them with the same
    size, so that what a deletion frees is told rather too small than too large.
    """
    count = 0
    for a, b in zip(mine, others, strict=False):
        if a != b:
            break
        count += 1
    return count


def unshared(mine: Sequence[Layer], others: Iterable[Sequence[Layer]]) -> int:
    """Return the bytes of layers that no other image has."""
    shared = max((common(mine, layers) for layers in others), default=0)
    return sum(layer.size for layer in mine[shared:])


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
    engine = manager.engine
    try:
        held = engine.inspect_image(image.engine_image)
        if set(held.tags) - {image.reference}:
            return 0
        mine = engine.layers(held.id)
    except ImageNotFound:
        return 0
    others = []
    for other in engine.list_images({}):
        if other.id == held.id:
            continue
        try:
            others.append(engine.layers(other.id))
        except ImageNotFound:
            continue  # removed by somebody meanwhile: it shares nothing any more
    return unshared(mine, others)


def check_quota(manager: ImageManager, project: Project) -> None:
    """Refuse a new image above the administrator's quotas (R54).

    Raises
    ------
    QuotaExceeded
        Names the use and the limit.
    """
    policy = manager.policy
    images = manager.store.images(project.id)
    if policy.max_images and len(images) >= policy.max_images:
        raise QuotaExceeded(
            f"The project {project.name!r} has {len(images)} of {policy.max_images} images; delete one first.",
            {"images": len(images), "max_images": policy.max_images},
        )
    used = sum(image.size for image in images)
    if policy.max_bytes and used >= policy.max_bytes:
        raise QuotaExceeded(
            f"The images of the project {project.name!r} take {used / 1e9:.1f} of {policy.max_bytes / 1e9:.1f} GB; "
            "delete one first.",
            {"bytes": used, "max_bytes": policy.max_bytes},
        )


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
    }
