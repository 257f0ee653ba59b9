"""Where an image is pulled from: as whom, and what its registry says of it without counting a pull."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ImageManagerError, ImageNotFound, RegistryUnavailable
from ..models import Image, RegistryAccess, RegistryState, utcnow
from ..registry.states import access_of, known_after, state_of

if TYPE_CHECKING:
    from ..manager import ImageManager

__all__ = ["access_of", "decisive", "look", "missing", "note", "state_of"]


def look(manager: ImageManager, image: Image, access: RegistryAccess, *, timeout: float) -> ImageManagerError | None:
    """Ask the registry whether it has an image, and write down what it said.

    Returns
    -------
    ImageManagerError or None
        Why the image cannot be pulled, as a sentence; None when it can.
    """
    error: ImageManagerError | None = None
    try:
        with manager.communities.registry(access, timeout=timeout) as registry:
            if registry.head(image.repository, image.digest) is None:
                error = missing(image)
    except ImageManagerError as said:
        error = said
    note(manager, image, state_of(error))
    return error


def missing(image: Image) -> ImageNotFound:
    """Return the error for an image that its registry does not have."""
    return ImageNotFound(
        f"{image.spec} is not on this machine, and its registry has no {image.pinned} any more, or does not show it to "
        "the service agent: look whether it was deleted there and at the agent's rights, or build it again from its "
        f"recipe with `jupyter image build {image.name} --from-image {image.spec}`.",
        {"image_id": image.id},
    )


def note(manager: ImageManager, image: Image, state: RegistryState) -> None:
    """Write down what a registry said of an image, and when."""
    manager.store.set_registry_state(image.id, known_after(image.registry_state, state), utcnow())


def decisive(error: ImageManagerError | None) -> bool:
    """Tell whether the engine need not try: it might reach a registry that this process does not reach."""
    return error is not None and not isinstance(error, RegistryUnavailable)
