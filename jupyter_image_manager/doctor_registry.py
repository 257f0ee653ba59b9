"""Whether communities' registries do what images need: sign-in, push, pull, delete; and how many pulls are left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .errors import ImageManagerError, NotAllowed
from .models import Finding, RegistryAccess
from .registry import address

if TYPE_CHECKING:
    from .manager import ImageManager
    from .models import Actor

HUB_SECONDS = 4.0


def registry_findings(manager: ImageManager, actor: Actor) -> Iterator[Finding]:
    """Try the registry of each community that has one."""
    for community in manager.communities.list(actor):
        if not community.registry_host:
            continue
        try:
            yield from manager.communities.test(actor, community.id)
        except NotAllowed as error:
            yield Finding("registry", f"Registry of {community.name}", "info", f"not tried: {error.message}")


def hub_findings(manager: ImageManager) -> Iterator[Finding]:
    """Say how many pulls Docker Hub allows this machine while nobody signs in, where it answers (R16)."""
    from .registry.trial import pulls

    with manager.communities.registry(RegistryAccess(address.DOCKER_HUB), timeout=HUB_SECONDS) as registry:
        try:
            left = registry.pulls_left()
        except ImageManagerError as error:
            # Whether base images can be had at all is said by the check of the engine.
            manager.log.debug("How many pulls Docker Hub allows is not known: %s", error)
            return
    if left is not None:
        yield pulls("Docker Hub, without a sign-in", left)
