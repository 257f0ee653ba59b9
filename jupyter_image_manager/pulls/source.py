"""Where an image is pulled from: as whom, and what its registry says of it without counting a pull."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ImageManagerError, ImageNotFound, PullLimited, RegistryRefused, RegistryUnavailable
from ..models import Image, RegistryAccess, RegistryState, utcnow

if TYPE_CHECKING:
    from ..manager import ImageManager


def access_of(manager: ImageManager, image: Image) -> RegistryAccess:
    """Return as whom an image is pulled: its community's service agent, or nobody.

    The secret goes to the registry that it is for and to no other: a community may have moved since.
    """
    host = image.repository.partition("/")[0]
    project = manager.store.project(image.project_id)
    found = manager.communities.access(manager.communities.of(project)) if project is not None else None
    return found if found is not None and found.host == host else RegistryAccess(host)


def look(manager: ImageManager, image: Image, access: RegistryAccess, *, timeout: float) -> ImageManagerError | None:
    """Ask the registry whether it has an image, and write down what it said.

    Returns
    -------
    ImageManagerError or None
        Why the image cannot be pulled, as a sentence; None when it can.
    """
    from ..registry.client import Registry

    error: ImageManagerError | None = None
    try:
        with Registry(access, ca_bundle=manager.builds.settings.certificates(), timeout=timeout) as registry:
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


def state_of(error: ImageManagerError | None) -> RegistryState:
    """Return the state of an image in its registry that an answer to a question or a pull means."""
    if error is None:
        return RegistryState.PRESENT
    for kind, state in (
        (ImageNotFound, RegistryState.MISSING),
        (RegistryRefused, RegistryState.FORBIDDEN),
        (PullLimited, RegistryState.RATE_LIMITED),
    ):
        if isinstance(error, kind):
            return state
    return RegistryState.UNREACHABLE


def note(manager: ImageManager, image: Image, state: RegistryState) -> None:
    """Write down what a registry said of an image, and when."""
    manager.store.set_image(image.id, registry_state=state, registry_checked=utcnow())


def decisive(error: ImageManagerError | None) -> bool:
    """Tell whether the engine need not try: it might reach a registry that this process does not reach."""
    return error is not None and not isinstance(error, RegistryUnavailable)
