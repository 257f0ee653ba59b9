"""Whether the engine that is there holds the images that the store speaks of: it may be another one than before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import ImageNotFound
from .models import Image, ImageState

if TYPE_CHECKING:
    from .engine.port import Engine, EngineImage, EngineInfo


def identity(info: EngineInfo) -> str:
    """Return what tells an engine from others."""
    # Podman makes up another id for each question; where it keeps its images is what stays.
    return info.id if info.kind == "docker" else f"{info.kind}:{info.root_dir}"


def expected(image: Image) -> bool:
    """Tell whether an engine should hold an image: one that a registry has comes when a project starts (R12)."""
    return image.state is ImageState.READY and bool(image.engine_image) and not image.pinned


def held(engine: Engine, image: Image) -> EngineImage | None:
    """Return an image as an engine holds it, by its id or by the digest that it has in its registry; None: not at all.

    Raises
    ------
    EngineUnavailable
        It cannot be asked.
    """
    # An engine that keeps images by manifest gives what it pulls another id than the one by which it was built.
    for name in dict.fromkeys(name for name in (image.engine_image, image.pinned) if name):
        try:
            return engine.inspect_image(name)
        except ImageNotFound:
            continue
    return None


def holds(engine: Engine, engine_image: str) -> bool:
    """Tell whether an engine holds an image.

    Raises
    ------
    EngineUnavailable
        It cannot be asked.
    """
    try:
        engine.inspect_image(engine_image)
    except ImageNotFound:
        return False
    return True
