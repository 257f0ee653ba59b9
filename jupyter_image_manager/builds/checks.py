"""Checks of images that are made: asked for like builds, and run in a process of their own by :class:`CheckProcess`.

A check takes nothing away. The content of an image is what it was (R7), so one that was found ready stays ready, and
active where it is; a later check that finds something lacking changes its report, and with it the warnings.
"""

from __future__ import annotations

import statistics
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from ..errors import Conflict, ImageNotFound
from ..lifecycle import lacking
from ..models import Actor, Build, BuildFailure, BuildKind, BuildState, Image, ImageState, Report, utcnow
from . import failure
from .process import BuildProcess

if TYPE_CHECKING:
    from ..manager import ImageManager

HISTORY = 9
"""How many earlier checks the estimate looks at."""


def asked_for(
    manager: ImageManager, actor: Actor, image: Image, project_id: str, *, activate: bool
) -> tuple[Build, bool]:
    """Write a check into the store, or join the one that runs; return it, and whether it is new.

    Raises
    ------
    Conflict
        There is nothing yet that could be checked.
    """
    if image.state is ImageState.BUILDING:
        raise Conflict(f"{image.spec} is being built, and checked then; wait for it, or cancel the build.")
    if not image.engine_image:
        raise Conflict(f"{image.spec} has not been built, so there is nothing to check; build it first.")
    same = manager.store.active_check_of(image.id)
    if same is not None and same.project_id == project_id:
        with suppress(Conflict):  # it has just ended: then this is a check of its own
            joined = same.joined + 1
            return manager.store.set_build(same.id, joined=joined, activate=same.activate or activate), False
    took = [
        (build.finished - build.started).total_seconds()
        for build in manager.store.builds(image_id=image.id, active=False)
        if build.kind is BuildKind.CHECK and build.started and build.finished
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
        kind=BuildKind.CHECK,
    )
    return manager.store.add_build(build), True


def keep(manager: ImageManager, image_id: str, report: Report) -> Image:
    """Keep what a check found.

    Raises
    ------
    Conflict
        The image is being made anew meanwhile; that build brings a report of its own.
    """
    image = manager.store.image(image_id)
    if image is None:
        raise ImageNotFound("The image was deleted while it was checked.")
    if image.state is ImageState.BUILDING:
        raise Conflict(f"{image.spec} is being built again, so this check says nothing of it; look at that build.")
    lacks = image.state not in (ImageState.READY, ImageState.MISSING) and not report.ok
    return manager.store.set_image(
        image_id,
        report=report,
        python_version=report.python_version or image.python_version,
        state=ImageState.UNUSABLE if lacks else ImageState.READY,
    )


class CheckProcess(BuildProcess):
    """One check from its queue to its end. It makes nothing in the engine that stays."""

    achieved = "can run kernels"

    def _work(self) -> None:
        self.say(f"checking {self.image.spec}, asked for by {self.build.requested_by}")
        try:
            report = self.manager.builds.checker.check(self.image, line=self._checking)
        except ImageNotFound:
            raise self.manager.images.gone(self.store.image(self.image.id) or self.image) from None
        self._state(BuildState.SAVING)
        image = keep(self.manager, self.image.id, report)
        if report.ok:
            self._activate(image)
            self._finish(BuildState.SUCCEEDED, None)
            return
        stays = " It stays as it is: nothing has been taken away." if image.state is ImageState.READY else ""
        why = BuildFailure(
            f"{image.spec} lacks what a kernel needs ({lacking(report)}); "
            f"`jupyter image check --fix {image.spec}` builds the next version with it.{stays}",
            "image_unusable",
            lines=failure.items(report),
        )
        self._finish(BuildState.FAILED, why)

    def _end(self, state: BuildState, why: BuildFailure) -> None:
        """Write an end that is no success; image and engine are as they were."""
        if state is BuildState.CANCELLED:
            why = failure.cancelled(self.image.spec, BuildKind.CHECK)
        self._finish(state, why)
