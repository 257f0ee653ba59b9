"""Images as lists show them: each with what the rest of the store and the engine know of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from . import lifecycle, presence
from .errors import EngineError, EngineUnavailable
from .models import Image, ImageState, ImageSummary, Project, RunningKernel
from .patience import asked

if TYPE_CHECKING:
    from .engine.port import EngineInfo
    from .manager import ImageManager


class Surroundings:
    """What the engine says at one moment, asked once for all images that are summed up.

    Nothing of it is known while the engine does not answer.
    """

    def __init__(self, manager: ImageManager) -> None:
        self.manager = manager
        self._info: EngineInfo | None = None
        self._running: Counter[str] = Counter()
        self._retired = manager.retirements.notices()
        self._resting = manager.store.resting_registries()

        def ask() -> tuple[Sequence[RunningKernel], EngineInfo]:
            info = manager.engine.info()
            return manager.kernels.list(manager.system_actor()), info

        try:
            running, self._info = asked(ask)
        except (EngineError, EngineUnavailable) as error:
            manager.log.debug("Lists do not say which kernels run: %s", error)
        else:
            self._running.update(kernel.image_id for kernel in running)
            self._here = presence.identity(self._info)

    @cached_property
    def _held(self) -> frozenset[str] | None:
        try:
            return frozenset(image.id for image in asked(lambda: self.manager.engine.list_images({})))
        except (EngineError, EngineUnavailable) as error:
            self.manager.log.debug("Lists do not say which images are absent: %s", error)
            return None

    def held(self, image: Image, *, look: bool) -> bool | None:
        """Tell whether the engine holds an image; None when that is not known.

        Parameters
        ----------
        look : bool
            Ask the engine also about an image that it made itself; for a list that would take too long.
        """
        if image.state is ImageState.MISSING:
            return False
        if self._info is None or image.state is not ImageState.READY or not image.engine_image:
            return None
        if look:
            try:
                there = asked(lambda: presence.holds(self.manager.engine, image.engine_image))
                return there or (False if presence.expected(image) else None)  # what a registry has comes when needed
            except (EngineError, EngineUnavailable) as error:
                self.manager.log.debug("Whether %s is there is not known: %s", image.spec, error)
                return None
        if not presence.expected(image) or image.engine_id in ("", self._here) or self._held is None:
            return None
        return image.engine_image in self._held

    def _absent(self, image: Image, held: bool | None) -> str:
        """Return why the engine does not hold a ready image; empty when it does, or when that is not known."""
        if held is not False or self._info is None or not presence.expected(image):
            return ""
        return lifecycle.why_absent(image, self._here, self._info.address)

    def summary(self, image: Image, project: Project | None, *, look: bool = False) -> ImageSummary:
        """Return an image with what is known of it; with `look`, also whether it is there and what a rebuild needs."""
        retirement = self._retired(image)
        held = self.held(image, look=look)
        warnings = lifecycle.warnings(
            image,
            self._info.architecture if self._info else "",
            self._absent(image, held),
            retirement.message if retirement else "",
            self._resting.get(image.repository.partition("/")[0]),
        )
        if look:
            warnings += lifecycle.rebuilding(self.manager.store.recipe(image.recipe_id))
        return ImageSummary(
            image=image,
            project=project.name if project else "",
            active=project is not None and project.active_image_id == image.id,
            warnings=warnings,
            running_kernels=self._running[image.id],
            held=held,
            retirement=retirement,
        )

    def each(self, images: Iterable[Image], project: Project | None) -> Iterator[ImageSummary]:
        """Yield summaries one by one: those of a long list need not all be there at once."""
        return (self.summary(image, project) for image in images)
