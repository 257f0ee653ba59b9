"""Which image is held where, now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import EngineError, EngineUnavailable
from ..models import Image, ImageState, Layer, RegistryState, Storage
from ..patience import asked
from .forest import Forest
from .parts import Blobs, Parts

if TYPE_CHECKING:
    from ..manager import ImageManager
    from .contents import Contents

REGISTRY = "registry"
OPTIMIZED = "optimized"
CACHED = "cached"
MADE = (ImageState.READY, ImageState.UNUSABLE, ImageState.MISSING)
FOREIGN = "engine/"
"""Begins the names under which images of others stand beside ours in the engine."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What is held, with what others hold beside it in the engine."""

    images: dict[str, Image]
    optimized: tuple[str, ...]  # ids of images
    cached: tuple[str, ...]
    registry: tuple[str, ...]
    engine: Forest  # ours by id, images of others under names that begin with FOREIGN
    blobs: Blobs

    def parts(self, storage: str) -> tuple[tuple[str, ...], Parts]:
        """Return who is in a storage, and what of."""
        if storage == REGISTRY:
            return self.registry, self.blobs
        return (self.optimized if storage == OPTIMIZED else self.cached), self.engine


def look(manager: ImageManager, contents: Contents, images: Iterable[Image], *, ask_engine: bool = True) -> Holdings:
    """Return what is held; while the engine does not answer, what is known of it.

    Parameters
    ----------
    ask_engine : bool
        Also for layers that are not known yet, and what others hold.
    """
    made = {image.id: image for image in images if image.state in MADE and not image.system}
    tags: Mapping[str, tuple[str, ...]] | None = None
    if ask_engine:
        try:
            tags = asked(manager.engine.image_tags)
        except (EngineError, EngineUnavailable) as error:
            manager.log.debug("What the engine holds is not known: %s", error)
    here = {id: image for id, image in made.items() if image.engine_image and _held(image, tags)}
    layers = _layers(manager, contents, here, tags)
    ours = {image.engine_image for image in here.values()}
    others = {f"{FOREIGN}{id}": found for id, found in layers.items() if id not in ours}
    engine = {id: layers.get(image.engine_image) or _whole(id, image.size) for id, image in here.items()}
    kept = {
        id: image
        for id, image in made.items()
        if image.repository and image.registry_state not in (RegistryState.MISSING, RegistryState.NONE)
    }
    blobs = contents.known(image.digest for image in kept.values())
    return Holdings(
        images=made,
        optimized=tuple(id for id, image in here.items() if kept_here(image)),
        cached=tuple(id for id, image in here.items() if not kept_here(image)),
        registry=tuple(kept),
        engine=Forest(engine | others),
        blobs=Blobs(
            {
                id: (image.repository.partition("/")[0], blobs.get(image.digest) or _whole(id, image.registry_size))
                for id, image in kept.items()
            }
        ),
    )


def _held(image: Image, tags: Mapping[str, tuple[str, ...]] | None) -> bool:
    if tags is not None:
        return image.engine_image in tags
    return kept_here(image) and image.state is not ImageState.MISSING


def _whole(id: str, size: int) -> tuple[Layer, ...]:
    """Return what stands for layers that nobody tells: all bytes, shared with nobody."""
    return (Layer(id, size),) if size else ()


def kept_here(image: Image) -> bool:
    """Return whether an image's copy is in the engine on purpose; a local image's is by nature (R23)."""
    return image.optimized or image.storage is Storage.LOCAL


def _layers(
    manager: ImageManager,
    contents: Contents,
    here: Mapping[str, Image],
    tags: Mapping[str, tuple[str, ...]] | None,
) -> dict[str, tuple[Layer, ...]]:
    ours = dict.fromkeys(image.engine_image for image in here.values())
    if tags is None:
        return contents.known(ours)
    others = [id for id in tags if id not in ours]
    try:
        return contents.of_engine(ours) | contents.of_engine(others, keep=False)
    except (EngineError, EngineUnavailable) as error:
        manager.log.debug("Layers that are not known yet stay so: %s", error)
        return contents.known([*ours, *others])
