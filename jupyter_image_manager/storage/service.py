"""Optimized copies and originals: make, hold, remove; and the clean-up of what nobody needs (R20-R24)."""

from __future__ import annotations

import builtins
from datetime import timedelta
from typing import TYPE_CHECKING

from traitlets import Bool, Float, Instance, Int
from traitlets.config import LoggingConfigurable

from .. import access, lifecycle, usage
from ..accounting.holdings import kept_here
from ..errors import ImageInUse, ImageManagerError, ImageUnusable, InvalidRequest, NeedsConfirmation
from ..models import (
    Actor,
    Image,
    ImageState,
    ImageSummary,
    PrunePreview,
    Pull,
    RegistryState,
    StorageAction,
    StoragePreview,
    utcnow,
)
from ..patience import awake
from ..processes import ProcessIdentity
from . import eviction, holding, previews, pruning

if TYPE_CHECKING:
    from ..manager import ImageManager

HELD = (ImageState.READY, ImageState.UNUSABLE)

EVICTION_SECONDS = 300.0
"""After this long another process may evict, though the one that does has not said that it is done."""


class StorageService(LoggingConfigurable):
    """What may be done with where an image is kept. None of it changes its content (R7)."""

    manager: ImageManager = Instance("jupyter_image_manager.manager.ImageManager")  # type: ignore[assignment]  # traitlets' descriptor gives the instance

    protect_copies = Bool(
        True,
        help="""Hold each optimized copy and local image by a container that is created and never started, so that
        `docker image prune --all` spares it.""",
    ).tag(config=True)

    prune_days = Float(
        30.0,
        min=0.0,
        help="Days for which an image must not have been used before a prune takes it, unless it is told.",
    ).tag(config=True)

    cache_ttl = Float(
        3600.0,
        min=0.0,
        help="""Seconds for which a cached copy stays on this machine after the last kernel in it ended; it is pulled
        again when a kernel starts. Optimized copies stay.""",
    ).tag(config=True)

    cache_limit = Int(
        0,
        min=0,
        help="""Bytes that all cached copies may take together; above it the least recently used go first, but none
        that a container uses or that came within ten minutes. 0 means no limit.""",
    ).tag(config=True)

    # Before
    def preview(self, actor: Actor, image_id: str, action: StorageAction) -> StoragePreview:
        """Say what an action would do: what is freed where, what goes on working, what is final.

        Raises
        ------
        EngineUnavailable
            What the engine holds cannot be asked.
        """
        image = self.manager.images.image(actor, image_id)
        awake(self.manager.engine)
        return previews.of(self.manager, image, StorageAction(action))

    def _allowed(self, actor: Actor, image: Image, right: str, action: StorageAction, confirm: bool) -> StoragePreview:
        """Return what an action would do, or refuse it."""
        access.check(actor, right, self.manager.store.project(image.project_id))
        awake(self.manager.engine)
        found = previews.of(self.manager, image, action)
        if not found.allowed:
            error = ImageInUse if found.used_by else InvalidRequest
            raise error(found.reason, {"image_id": image.id})
        if found.final and not confirm:
            raise NeedsConfirmation(
                f"{' '.join(found.lost)} This is final; confirm it.",
                {"frees": found.frees_engine, "frees_registry": found.frees_registry},
            )
        return found

    # Copies
    def optimize(self, actor: Actor, image_id: str) -> Pull | None:
        """Keep a copy on this machine on purpose (R20); None: it is there already, else the pull that brings it.

        Raises
        ------
        ImageUnusable
            It is not made, or neither its registry nor this machine has it.
        QuotaExceeded
            Copies of the project would take more than they may.
        """
        image = self.manager.images.image(actor, image_id)
        if image.state not in (ImageState.READY, ImageState.MISSING):
            why = lifecycle.why_unusable(image) or f"{image.spec} is {image.state.value}."
            raise ImageUnusable(why, {"image_id": image.id})
        self._allowed(actor, image, "image.optimize", StorageAction.OPTIMIZE, confirm=True)
        if image.optimized:
            self.hold(image)
            return None
        project = self.manager.store.project(image.project_id)
        if project is not None:
            usage.check_copy(self.manager, project, image)
        if image.engine_image and image.engine_image in self.manager.engine.image_tags():
            self.hold(self.manager.store.set_image(image.id, optimized=True))
            return None
        return self.manager.pulls.ensure(actor, image, optimize=True, unattended=True)

    def unoptimize(self, actor: Actor, image_id: str, *, confirm: bool = False) -> ImageSummary:
        """Give up the optimized copy: the image returns to its version in the registry, if that still exists (R22).

        A copy in which kernels run stays until they end, as one that may be evicted.

        Raises
        ------
        InvalidRequest
            It is kept on this machine only: deleting it is what is meant.
        NeedsConfirmation
            The registry has it no more, or cannot be asked: this may be final.
        """
        image = self.manager.images.image(actor, image_id)
        self._allowed(actor, image, "image.optimize", StorageAction.UNOPTIMIZE, confirm)
        image = self.manager.store.set_image(image.id, optimized=False)
        if previews.kernels_in(self.manager, image):
            self.release(image)
        else:
            self.remove_copy(image)
        return self.manager.images.get(actor, image_id)

    def delete_original(self, actor: Actor, image_id: str, *, confirm: bool = False) -> ImageSummary:
        """Delete the version in the registry, by its digest (R21).

        Raises
        ------
        ImageInUse
            It has no optimized copy, and somebody uses it.
        NeedsConfirmation
            What is deleted there does not come back.
        RegistryRefused
            The service agent may not delete, or the registry never does.
        """
        image = self.manager.images.image(actor, image_id)
        self._allowed(actor, image, "image.delete", StorageAction.DELETE_ORIGINAL, confirm)
        self._delete_version(image)
        return self.manager.images.get(actor, image_id)

    def _delete_version(self, image: Image) -> None:
        from ..registry.states import access_of

        agent = access_of(self.manager, image)
        with self.manager.communities.registry(agent) as registry:
            registry.delete(image.repository, image.digest)
        for each in previews.same_version(self.manager, image):
            self.manager.store.set_image(each.id, registry_state=RegistryState.MISSING, registry_checked=utcnow())

    # In the engine
    def hold(self, image: Image) -> None:
        """Let an optimized copy survive ``docker image prune --all``."""
        if self.protect_copies and image.engine_image:
            try:
                holding.hold(self.manager.engine, self.manager.store.installation_id(), image)
            except ImageManagerError as error:  # the copy is there all the same, and :meth:`keep` tries again
                self.log.warning("The optimized copy of %s could not be protected: %s", image.spec, error)

    def release(self, image: Image) -> None:
        """Hold a copy no more."""
        holding.release(self.manager.engine, self.manager.store.installation_id(), image.id)

    def remove_copy(self, image: Image) -> None:
        """Remove an image from the engine, with what holds it, unless another image of ours is the same there."""
        store = self.manager.store
        others = set(store.images_of_engine(image.engine_image)) - {image.id} if image.engine_image else set()
        holding.remove(self.manager.engine, store.installation_id(), image, others=others)

    def keep(self) -> int:
        """Hold every optimized copy and local image again, and release what is none any more; return what changed."""
        store = self.manager.store
        wanted = {
            image.id: image
            for project in store.projects()
            for image in store.images(project.id)
            if self.protect_copies and image.state in HELD and image.engine_image and kept_here(image)
        }
        changed, gone = holding.keep(self.manager.engine, store.installation_id(), wanted, self.log)
        if gone:
            self.log.debug("The engine does not have the copies of %s.", ", ".join(wanted[id].spec for id in gone))
        return changed

    # Clean up
    def evict(self) -> builtins.list[str]:
        """Remove the cached copies that nobody needs now, unless another server does; return their images (R13)."""
        store, holder = self.manager.store, str(ProcessIdentity.current())
        if not store.lease("evict", holder, EVICTION_SECONDS):
            return []
        try:
            return eviction.evict(self.manager, ttl=timedelta(seconds=self.cache_ttl), limit=self.cache_limit)
        finally:
            store.give_back("evict", holder)

    def prune(
        self,
        actor: Actor,
        *,
        project_id: str | None = None,
        older_than: timedelta | None = None,
        optimized: bool = False,
        confirm: bool = False,
    ) -> PrunePreview:
        """Say what nobody needs, and with `confirm` remove it: never what is in use, or what others own.

        Parameters
        ----------
        project_id : str, optional
            Only of this project; default: of all.
        older_than : timedelta, optional
            How long an image was not used, nor made; default: `prune_days`.
        optimized : bool
            Also copies that were optimized on purpose.
        """
        projects = [self.manager.projects.get(actor, project_id)] if project_id else self.manager.store.projects()
        for project in projects:
            access.check(actor, "image.prune", project)
        awake(self.manager.engine)
        since = timedelta(days=self.prune_days) if older_than is None else older_than
        return pruning.prune(self.manager, actor, projects, older_than=since, optimized=optimized, confirm=confirm)
