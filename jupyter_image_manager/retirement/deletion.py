"""Images that stay retired are deleted in the end, where the administrator said so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..errors import EngineError, ImageInUse, ImageNotFound

if TYPE_CHECKING:
    from ..manager import ImageManager
    from .service import Hit


def delete_stopped(manager: ImageManager, hits: Iterable[Hit]) -> list[str]:
    """Delete images, those in use excepted; return the names of what has gone."""
    deleted = []
    actor = manager.system_actor()
    for hit in hits:
        image = manager.store.image(hit.image_id)
        if image is None or image.system or hit.active_in or manager.store.publications(image_id=hit.image_id):
            continue
        try:
            manager.images.delete(actor, image.id, confirm=True)
        except (ImageInUse, ImageNotFound) as error:
            manager.log.debug("A retired image stays: %s", error)
        except EngineError as error:
            manager.log.warning("The retired image %s could not be deleted yet: %s", hit.spec, error)
        else:
            manager.log.info("The image %s of the project %r was retired and is deleted.", hit.spec, hit.project)
            deleted.append(hit.spec)
    return deleted
