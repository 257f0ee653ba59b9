"""Whether the engine that is there holds the images that the store speaks of: it may be another one than before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import ImageNotFound
from .models import Image, ImageState

if TYPE_CHECKING:
    from .engine.port import Engine, EngineInfo


def identity(info: EngineInfo) -> str:
    """Return what tells an engine from others."""
    # Podman makes up another id for each question; where it keeps its images is what stays.
    return info.id if info.kind == "docker" else f"{info.kind}:{info.root_dir}"


def expected(image: Image) -> bool:
    """Tell whether an engine should hold an image."""
    return image.state is ImageState.READY and bool(image.engine_image)


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
