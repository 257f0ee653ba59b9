"""What comes before a kernel or command in an image: it can run, is noted as used, and the engine holds it (R12)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from .. import presence
from ..models import utcnow

if TYPE_CHECKING:
    from ..manager import ImageManager
    from ..models import Actor, Image
    from ..pulls.waiting import Waiting

USED_AGAIN = timedelta(minutes=3)
"""How often at most it is written down that an image is used."""


def begin(manager: ImageManager, actor: Actor, image: Image) -> Waiting | None:
    """See to it that the engine holds an image; return what must be waited for, or None.

    Raises
    ------
    ImageUnusable
        It cannot run kernels, and no pull helps (R48).
    """
    # Before the look: a copy that is just used is not evicted.
    image = used(manager, image)
    manager.images.usable(image)
    pull = manager.pulls.ensure(actor, image)
    return manager.pulls.waiting(actor, pull) if pull is not None else None


def brought(manager: ImageManager, actor: Actor, image: Image) -> None:
    """See to it that the engine holds an image, and wait for that."""
    waiting = begin(manager, actor, image)
    if waiting is not None:
        manager.pulls.wait(actor, waiting.pull.id)


def used(manager: ImageManager, image: Image) -> Image:
    """Write down that an image is used now, unless that was done a moment ago."""
    if image.last_used is not None and utcnow() - image.last_used < USED_AGAIN:
        return image
    return manager.store.set_image(image.id, last_used=utcnow())


def held(manager: ImageManager, actor: Actor, image: Image) -> str:
    """Return the id by which the engine holds an image that was brought; again, if it went a moment ago."""
    found = presence.held(manager.engine, image)
    if found is None:
        brought(manager, actor, image)
        found = presence.held(manager.engine, image)
    if found is None:
        raise manager.images.gone(image)
    return found.id
