"""Work on an image that is made, asked for like a build: joined where the same is under way (R8)."""

from __future__ import annotations

import statistics
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from ..errors import Conflict
from ..models import Actor, Build, BuildKind, BuildState, Image, utcnow

if TYPE_CHECKING:
    from ..manager import ImageManager

HISTORY = 9
"""How many earlier ones the estimate looks at."""


def joined_or_new(
    manager: ImageManager, actor: Actor, image: Image, project_id: str, kind: BuildKind, *, activate: bool
) -> tuple[Build, bool]:
    """Write a check or push into the store, or join the one that runs; return it, and whether it is new."""
    same = manager.store.active_of_kind(image.id, kind)
    if same is not None and same.project_id == project_id:
        with suppress(Conflict):  # it has just ended: then this is one of its own
            joined = same.joined + 1
            return manager.store.set_build(same.id, joined=joined, activate=same.activate or activate), False
    took = [
        (build.finished - build.started).total_seconds()
        for build in manager.store.builds(image_id=image.id, active=False)
        if build.kind is kind and build.started and build.finished
    ]
    build = Build(
        id=uuid.uuid4().hex,
        project_id=project_id,
        image_id=image.id,
        state=BuildState.QUEUED,
        requested_by=actor.name,
        created=utcnow(),
        estimate=round(statistics.median(took[:HISTORY]), 1) if took else None,
        activate=activate,
        kind=kind,
    )
    return manager.store.add_build(build), True
