"""Whether the engine's disk can hold an image that is to be pulled, said before the first byte of it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ImageNotFound, NoSpaceLeft
from ..models import Image
from ..usage import common

if TYPE_CHECKING:
    from ..manager import ImageManager


def require(manager: ImageManager, image: Image) -> None:
    """Refuse a pull that cannot fit.

    While it is pulled an image is there twice: compressed, as it comes, and unpacked.

    Raises
    ------
    NoSpaceLeft
        Says how much it needs and how much is free.
    """
    free = manager.engine.disk().free
    needed = image.size + image.registry_size
    if free is None or needed <= free:
        return
    # Layers that are there already take nothing; to count them costs a question for each image, so only now.
    new = _new(manager, image)
    needed = min(needed, new + image.registry_size * new // max(image.size, 1))
    if needed > free:
        raise NoSpaceLeft(
            f"{image.spec} needs {needed / 1e9:.1f} GB on the engine's disk while it is pulled, and "
            f"{free / 1e9:.1f} GB are free; delete images that nobody needs (`jupyter image usage`), or make room.",
            {"free": free, "needed": needed},
        )


def _new(manager: ImageManager, image: Image) -> int:
    """Return the bytes, unpacked, of an image's layers that no image of the engine has."""
    layers = image.report.layers if image.report else ()
    if not layers:
        return image.size
    shared = 0
    for other in manager.engine.image_tags():
        try:
            shared = max(shared, common(layers, manager.engine.layers(other)))
        except ImageNotFound:
            continue  # removed by somebody meanwhile
    return sum(layer.size for layer in layers[shared:])
