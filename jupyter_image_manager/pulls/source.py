"""What its registry says of an image that is to be pulled, without counting a pull."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ..errors import ImageManagerError, ImageNotFound, PullLimited, RegistryUnavailable
from ..models import Image, RegistryAccess, utcnow
from ..registry.states import REST, known_after, state_of

if TYPE_CHECKING:
    from ..manager import ImageManager


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
    note(manager, image, error)
    return error


def missing(image: Image) -> ImageNotFound:
    """Return the error for an image that its registry does not have."""
    return ImageNotFound(
        f"{image.spec} is not on this machine, and its registry has no {image.pinned} any more, or does not show it to "
        "the service agent: look whether it was deleted there and at the agent's rights, or build it again from its "
        f"recipe with `jupyter image build {image.name} --from-image {image.spec}`.",
        {"image_id": image.id},
    )


def note(manager: ImageManager, image: Image, error: ImageManagerError | None) -> None:
    """Write down what a registry said of an image, and when; None: that it has it."""
    now = manager.store.image(image.id) or image
    manager.store.set_registry_state(image.id, known_after(now.registry_state, state_of(error)), utcnow())
    if isinstance(error, PullLimited):
        wait = error.details.get("retry_after")
        host = image.repository.partition("/")[0]
        manager.store.let_registry_rest(host, utcnow() + timedelta(seconds=REST if wait is None else wait))


def decisive(error: ImageManagerError | None) -> bool:
    """Tell whether the engine need not try: it might reach a registry that does not answer this process at all.

    One that answers, and be it that it is out of order, says the same to the engine, which would ask it for a minute.
    """
    return error is not None and not (isinstance(error, RegistryUnavailable) and "status" not in error.details)
