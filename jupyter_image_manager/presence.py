"""Whether the engine that is there holds the images that the store speaks of: it may be another one than before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from . import lifecycle
from .errors import ImageNotFound
from .models import Image, ImageState

if TYPE_CHECKING:
    from .engine.port import Engine, EngineInfo


def identity(info: EngineInfo) -> str:
    """Return what tells an engine from others."""
    # Podman makes up another id for each question; where it keeps its images is what stays.
    return info.id if info.kind == "docker" else f"{info.kind}:{info.root_dir}"


def absent(engine: Engine, info: EngineInfo, images: Iterable[Image], *, look: bool) -> dict[str, str]:
    """Return, by id, why ready images are not in the engine.

    Parameters
    ----------
    look : bool
        Also look for those that this engine made, each by itself; for a list that would take too long.
    """
    here = identity(info)
    ready = [image for image in images if image.state is ImageState.READY and image.engine_image]
    suspects = [image for image in ready if image.engine_id not in ("", here)]
    held: set[str] = set()
    if look:
        suspects = ready
        held = {image.engine_image for image in suspects if _holds(engine, image.engine_image)}
    elif suspects:
        held = {found.id for found in engine.list_images({})}
    return {
        image.id: lifecycle.why_absent(image, here, info.address)
        for image in suspects
        if image.engine_image not in held
    }


def _holds(engine: Engine, engine_image: str) -> bool:
    try:
        engine.inspect_image(engine_image)
    except ImageNotFound:
        return False
    return True
