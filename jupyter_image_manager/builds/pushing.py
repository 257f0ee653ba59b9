"""The push of an image to its community's registry, at the end of a build or, when that failed, once more by itself.

A tag is pushed, for people; what is kept is the digest of the manifest (R11). The engine skips the layers that the
registry has, and mounts those that it knows to be in another repository of it, so that a push which is tried again goes
on where it stopped, and the base that two projects share is sent once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import (
    Conflict,
    EngineError,
    EngineUnavailable,
    ImageManagerError,
    ImageNotFound,
    NoSpaceLeft,
    PullLimited,
    RegistryRefused,
    RegistryUnavailable,
)
from ..lifecycle import unpushed
from ..models import (
    Actor,
    Build,
    BuildFailure,
    BuildKind,
    BuildState,
    Image,
    ImageState,
    Project,
    RegistryAccess,
    RegistryState,
    Storage,
    utcnow,
)
from .joining import joined_or_new
from .process import BuildProcess

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..engine.port import Transfer, TransferProgress
    from ..manager import ImageManager
    from ..registry.client import Registry

LONGEST_WAIT = 120.0
"""Seconds that a registry may ask a push to wait; with more the push fails, and says so."""


def asked_for(
    manager: ImageManager, actor: Actor, image: Image, project: Project, *, activate: bool
) -> tuple[Build, bool]:
    """Write a push into the store, or join the one that runs; return it, and whether it is new.

    Raises
    ------
    Conflict
        There is nothing to push.
    """
    if image.storage is Storage.LOCAL:
        raise Conflict(
            f"{image.spec} is kept on this machine by choice; build it with `--storage registry` to have it in the "
            "registry."
        )
    if image.repository:
        raise Conflict(f"{image.spec} is in its registry already, as {image.pinned}.")
    if not unpushed(image):
        raise Conflict(f"{image.spec} is {image.state.value}; only an image that is ready can be pushed.")
    manager.communities.repository(project, image.name)  # whether there is a registry to push to
    for build in manager.store.builds(image_id=image.id, active=True):
        if build.kind is BuildKind.BUILD:
            return build, False  # which is pushing it
    return joined_or_new(manager, actor, image, project.id, BuildKind.PUSH, activate=activate)


class Push:
    """One image on its way to its registry."""

    def __init__(
        self,
        manager: ImageManager,
        project: Project,
        image: Image,
        *,
        say: Callable[[str], None],
        follow: Callable[[Transfer], None],
        pause: Callable[[float], None],
    ) -> None:
        self._manager = manager
        self._project = project
        self._image = image
        self._say = say
        self._follow = follow
        self._pause = pause
        self._digest = ""

    def done(self) -> Image:
        """Push it, as often as the settings allow; return the image with its place in the registry."""
        settings = self._manager.builds.settings
        wait = settings.push_wait
        for left in reversed(range(max(1, settings.push_attempts))):
            try:
                return self._once()
            except ImageManagerError as error:
                pause = self._seconds(error, wait)
                if not left or pause is None:
                    raise
                self._say(f"{error.message} Trying again in {pause:.0f} s.")
            self._pause(pause)
            wait *= 2
        raise AssertionError("the last attempt returns or raises")

    def _seconds(self, error: ImageManagerError, wait: float) -> float | None:
        """Return after which time another attempt makes sense; None when it makes none."""
        if isinstance(error, (NoSpaceLeft, ImageNotFound)) or not isinstance(error, (EngineError, EngineUnavailable)):
            return None
        if not isinstance(error, PullLimited):
            return wait
        asked = error.details.get("retry_after")
        if asked is None:
            return wait
        return float(asked) if asked <= LONGEST_WAIT else None

    def _once(self) -> Image:
        manager, image = self._manager, self._image
        community = manager.communities.of(self._project)
        access = manager.communities.access(community)  # anew each time: a secret may have been rotated meanwhile
        repository = manager.communities.repository(self._project, image.name)
        if access is None:
            raise Conflict(f"The community {community.name!r} has no registry any more, so {image.spec} stays here.")
        tag = f"{repository}:{image.version}"
        self._say(f"pushing {tag}")
        manager.engine.tag(image.engine_image, tag)
        with manager.communities.registry(access) as registry:
            try:
                self._follow(manager.engine.push(tag, access))
            except (PullLimited, RegistryRefused) as error:
                raise self._told(error, registry) from error
            finally:
                manager.engine.remove_image(tag)  # in the registry it helps people; here it would hold the image
            digest, size = self._look(registry, access, repository)
        self._say(f"pushed as {repository}@{digest}")
        return manager.store.set_image(
            image.id,
            repository=repository,
            digest=digest,
            registry_size=size,
            registry_state=RegistryState.PRESENT,
            registry_checked=utcnow(),
        )

    def progress(self, step: TransferProgress) -> None:
        """Remember what the engine tells at the end."""
        self._digest = step.digest or self._digest

    def _told(self, error: PullLimited | RegistryRefused, registry: Registry) -> ImageManagerError:
        """Return the refusal as the registry tells it itself.

        The engine swallows the time to wait, and takes a registry that limits even the first question for one that
        wants another sign-in.
        """
        if error.details.get("retry_after") is not None:
            return error
        try:
            registry.ping()
        except (PullLimited, RegistryUnavailable) as said:
            return said
        except ImageManagerError as said:
            self._manager.log.debug("Asked why a push was refused, the registry says: %s", said.message)
        return error

    def _look(self, registry: Registry, access: RegistryAccess, repository: str) -> tuple[str, int]:
        """Return the digest and the bytes by which the registry keeps it.

        What the engine says of the digest decides; where it says nothing, the registry's word does.
        """
        image = self._image
        reference = self._digest or str(image.version)
        try:
            facts = registry.head(repository, reference)
            if facts is None:
                raise RegistryUnavailable(
                    f"The registry {access.host} took {image.spec} and does not have it; look at the registry, then "
                    "try again.",
                    {"host": access.host},
                )
            manifest = registry.manifest(repository, facts.digest, architecture=image.architecture or "amd64")
        except ImageManagerError as error:
            if not self._digest or isinstance(error, PullLimited):
                raise
            # The engine has pushed it, so it is there; this process may trust other certificates than the engine.
            self._say(f"how much it takes there is not known: {error.message}")
            return self._digest, 0
        return facts.digest, manifest.bytes


class PushProcess(BuildProcess):
    """The push of an image that is made, from its queue to its end."""

    achieved = "is in its registry"

    def _work(self) -> None:
        self.say(f"pushing {self.image.spec}, asked for by {self.build.requested_by}")
        self._activate(self._pushed(self.image))
        self._finish(BuildState.SUCCEEDED, None)

    def _end(self, state: BuildState, why: BuildFailure) -> None:
        """Write an end that is no success; the image is as it was."""
        if self.image.state is not ImageState.READY:
            self._finish(state, why)
            return
        super()._end(state, why)
