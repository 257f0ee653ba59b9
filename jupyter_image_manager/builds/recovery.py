"""Builds whose process has died: found, ended, and what they left in the engine removed (R4)."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from .. import lifecycle
from ..engine.port import LABEL
from ..errors import Conflict, ImageManagerError
from ..models import Build, BuildFailure, BuildKind, BuildState, Image, ImageState, SourceKind, Storage, utcnow
from ..reference import slug
from ..workers import HEARTBEAT_LIMIT, dead
from . import failure, importing
from .redact import Redactor

if TYPE_CHECKING:
    from ..manager import ImageManager
    from ..models import Project

SETTLED = timedelta(minutes=1)
"""This long after a build's end the engine does nothing for it any more."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a build ended whose process could not say so itself."""

    build: Build
    message: str = ""
    """What to write into its log; empty when somebody else wrote it."""


def recovered(manager: ImageManager, build: Build, trace: Path) -> Ended | None:
    """End a build if its process is dead; None while it lives.

    Parameters
    ----------
    trace : Path
        What the process wrote to its standard error.
    """
    if not dead(build.worker, build.heartbeat or build.created):
        return None
    store = manager.store
    now = store.build(build.id)
    if now is None or now.done or now.worker != build.worker:
        return Ended(now) if now is not None else None  # it ended between the two looks
    image = store.image(build.image_id)
    state, why = _end(now, image, trace)
    spec = image.spec if image else build.image_id
    try:
        ended = store.set_build(build.id, state=state, finished=utcnow(), failure=why)
    except Conflict:
        seen = store.build(build.id)  # somebody else saw it first
        return Ended(seen) if seen is not None else None
    if build.kind is BuildKind.CHECK:
        _remove_containers(manager, ended, spec)
    elif image is not None and image.state is ImageState.READY and image.storage is Storage.REGISTRY:
        _untag(manager, image)
    elif image is not None and image.state is ImageState.BUILDING:
        store.set_image(image.id, state=ImageState.FAILED)
        _forget(manager, ended, image)
    return Ended(ended, why.message if why else f"{spec} is ready")


def end_unmade(manager: ImageManager) -> None:
    """End images that no build makes: a process died between two of its writes."""
    for image in manager.store.unmade_images():
        if image.state is ImageState.BUILDING and utcnow() - image.created > HEARTBEAT_LIMIT:
            manager.store.set_image(image.id, state=ImageState.FAILED)


def tidy(manager: ImageManager) -> int:
    """Remove what unfinished builds left in the engine while it was away, or what it finished after their end.

    Returns
    -------
    int
        How many images are looked after no longer.
    """
    count = 0
    for image in manager.store.unmade_images():
        build = manager.store.build(image.last_build_id) if image.last_build_id else None
        if image.state is not ImageState.FAILED or (build is not None and not build.done):
            continue
        try:
            manager.engine.remove_image(image.reference)
        except Conflict as error:
            manager.log.debug("%s stays in the engine: %s", image.reference, error)
            continue
        if build is None or build.finished is None or utcnow() - build.finished > SETTLED:
            manager.store.set_image(image.id, reference="")
            count += 1
    return count


def _end(build: Build, image: Image | None, trace: Path) -> tuple[BuildState, BuildFailure | None]:
    spec = image.spec if image else build.image_id
    if build.kind is not BuildKind.CHECK and image is not None and image.state is ImageState.READY:
        if lifecycle.unpushed(image):
            ended = BuildState.CANCELLED if build.cancel_requested else BuildState.INTERRUPTED
            return ended, failure.unpushed(spec, ended)
        return BuildState.SUCCEEDED, None  # it died after its work was done, before it could say so
    if build.cancel_requested:
        return BuildState.CANCELLED, failure.cancelled(spec, build.kind)
    try:
        lines = trace.read_text(errors="replace").splitlines()[-1:]
    except OSError:
        lines = []
    said = tuple(Redactor()(line)[:500] for line in lines)
    return BuildState.INTERRUPTED, failure.interrupted(spec, said, build.kind)


def _untag(manager: ImageManager, image: Image) -> None:
    """Take away the tag by which a dead worker pushed an image: here it would only hold it."""
    project = manager.store.project(image.project_id)
    if project is None:
        return
    try:
        manager.engine.remove_image(f"{manager.communities.repository(project, image.name)}:{image.version}")
    except ImageManagerError as error:
        manager.log.warning(f"The tag by which {image.spec} was pushed stays in the engine for now: {error}")


def _remove_containers(manager: ImageManager, build: Build, spec: str) -> None:
    """Remove the containers in which a dead worker checked an image."""
    if not build.worker:
        return
    try:
        for container in manager.engine.list_containers({f"{LABEL}.owner": build.worker}):
            manager.engine.remove(container.id)
    except ImageManagerError as error:
        manager.log.warning(f"What the {build.kind.value} of {spec} left in the engine stays for now: {error}")


def _forget(manager: ImageManager, build: Build, image: Image) -> None:
    """Remove what an unfinished build left in the engine. The engine may be down: the build has ended all the same."""
    _end_clients(build.id)
    project = manager.store.project(image.project_id)
    if project is None:
        return
    try:
        # The check's containers: they hold the image.
        for container in manager.engine.list_containers({f"{LABEL}.owner": build.worker}) if build.worker else ():
            manager.engine.remove(container.id)
        manager.engine.remove_image(tag_of(project, image))
        recipe = manager.store.recipe(image.recipe_id)
        if recipe is not None and recipe.kind is SourceKind.ARCHIVE and recipe.context_digest:
            importing.forget_base(manager, importing.archive_base(recipe), known=0)
    except ImageManagerError as error:
        manager.log.warning(f"What the build of {image.spec} left in the engine stays for now: {error}")


def _end_clients(build_id: str) -> None:
    """End the builder's client of a dead worker: alone it would go on, and tag an image that nobody waits for."""
    wanted = f"{LABEL}.build={build_id}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "cmdline").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGTERM)
        except OSError:
            continue  # it has ended meanwhile, or belongs to somebody else


def tag_of(project: Project, image: Image) -> str:
    """Return the tag by which the engine holds an image: for people and for protection, never for a decision."""
    return f"jupyter-image-manager/{slug(project.name)}-{project.id[:8]}/{image.name}:{image.version}"
