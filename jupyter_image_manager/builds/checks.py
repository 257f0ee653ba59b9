"""Checks of images that are made: asked for like builds, and run in a process of their own by :class:`CheckProcess`.

A check takes nothing away. The content of an image is what it was (R7), so one that was found ready stays ready, and
active where it is; a later check that finds something lacking changes its report, and with it the warnings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Conflict, ImageNotFound
from ..lifecycle import lacking
from ..models import Actor, Build, BuildFailure, BuildKind, BuildState, Image, ImageState, Report
from . import failure
from .joining import joined_or_new
from .process import BuildProcess

if TYPE_CHECKING:
    from ..manager import ImageManager


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
    return joined_or_new(manager, actor, image, project_id, BuildKind.CHECK, activate=activate)


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
        if self.image.pinned:
            self._bring()
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

    def _bring(self) -> None:
        """Have an image here that only its registry may have by now."""
        pulls = self.manager.pulls
        pull = pulls.ensure(self.actor, self.image)
        if pull is not None:
            self.say(f"pulling {self.image.pinned}")
            pulls.wait(self.actor, pull.id, progress=lambda _: self._check_cancelled())

    def _end(self, state: BuildState, why: BuildFailure) -> None:
        """Write an end that is no success; image and engine are as they were."""
        if state is BuildState.CANCELLED:
            why = failure.cancelled(self.image.spec, BuildKind.CHECK)
        self._finish(state, why)
