"""Whether communities' registries do what images need: sign-in, push, pull, delete, and how many pulls are left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import access
from .models import Finding

if TYPE_CHECKING:
    from .manager import ImageManager
    from .models import Actor


def registry_findings(manager: ImageManager, actor: Actor) -> Iterator[Finding]:
    """Try the registry of each community that has one."""
    communities = [one for one in manager.communities.list(actor) if one.registry_host]
    if communities:
        access.check(actor, "community.test", None)
    for community in communities:
        yield from manager.communities.test(actor, community.id)
