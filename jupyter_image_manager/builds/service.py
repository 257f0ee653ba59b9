"""Builds: submit, follow, cancel, retry, check. The work itself is done by :mod:`.worker`, a process for each build."""

from __future__ import annotations

import builtins
import fcntl
import statistics
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .. import access, lifecycle, workers
from ..errors import BuildNotFound, Conflict, InvalidRequest, NoSpaceLeft, NotFound
from ..models import (
    Actor,
    Build,
    BuildKind,
    BuildRequest,
    BuildState,
    Image,
    ImageState,
    LogLine,
    SourceKind,
    Storage,
    utcnow,
)
from ..patience import awake
from ..reference import check_name
from . import children, housekeeping, importing, sources
from .log import LogReader, LogWriter
from .preparing import Preparing
from .recovery import end_unmade, recovered, tidy

if TYPE_CHECKING:
    pass


SWEEP = 3600.0
"""Seconds between two looks for logs and contexts that are kept no longer."""


class BuildService(Preparing):
    """Everything about builds but the building."""

    _swept = -SWEEP

    # Submit
    def submit(self, actor: Actor, project_id: str, request: BuildRequest) -> Build:
        """Validate a request, write its image and build, and start the build's process.

        A build of the same recipe that runs already is joined (R8).
        """
        manager = self.manager
        project = manager.projects.get(actor, project_id)
        access.check(actor, "image.build", project)
        name = check_name(request.name)
        storage = manager.communities.choose(project, request.storage)
        if storage is Storage.REGISTRY:
            manager.communities.repository(project, name)  # refused now if it cannot be one
        if not project.found:
            raise Conflict(
                f"The folder {project.path} of the project {project.name!r} is not there; say where it is now with "
                f"`jupyter image project relocate {project.id[:8]} DIR`."
            )
        source = sources.resolve(manager, actor, project, request)
        awake(manager.engine)
        self._room(source.recipe.context_size)
        with self._submitting():
            same = manager.store.active_build_of(project.id, name, source.recipe.digest, storage)
            if same is not None:
                with suppress(Conflict):  # it has just ended: then this is a build of its own
                    return manager.store.set_build(
                        same.id, joined=same.joined + 1, activate=same.activate or request.activate
                    )
            manager.images.check_quota(project)
            image = Image(
                id=uuid.uuid4().hex,
                project_id=project.id,
                name=name,
                version=0,
                state=ImageState.BUILDING,
                storage=storage,
                recipe_id=source.recipe.id,
                created=utcnow(),
                created_by=actor.name,
                description=request.description,
                optimized=storage is Storage.LOCAL,
            )
            image = manager.store.add_image(image, source.recipe)
            build = manager.store.add_build(
                Build(
                    id=uuid.uuid4().hex,
                    project_id=project.id,
                    image_id=image.id,
                    state=BuildState.QUEUED,
                    requested_by=actor.name,
                    created=utcnow(),
                    estimate=self._estimate(project.id, name, str(source.recipe.template.get("name", ""))),
                    activate=request.activate,
                    fix=request.fix,
                )
            )
        with self._log(build.id) as log:
            log.write(f"{image.spec}: asked for by {actor.name}", stream="meta")
            for note in source.notes:
                log.write(note, stream="meta")
        return children.start(manager, build, request.secrets, {"no_cache": request.no_cache})

    def _room(self, context: int) -> None:
        """Refuse up front what cannot fit."""
        disk = self.manager.engine.disk()
        needed = self.manager.policy.min_free_bytes + context
        if disk.free is not None and disk.free < needed:
            raise NoSpaceLeft(
                f"The engine's disk has {disk.free / 1e9:.1f} GB free and the build needs {needed / 1e9:.1f} GB; "
                "delete images that nobody needs, or make room.",
                {"free": disk.free, "needed": needed},
            )

    @contextmanager
    def _submitting(self) -> Iterator[None]:
        """Let one submission at a time look for a build to join and insert its own."""
        path = self.manager.data_path / "submit.lock"
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _estimate(self, project_id: str, name: str, template: str) -> float | None:
        took = self.manager.store.durations(project_id, name, template)
        return round(statistics.median(took[:9]), 1) if took else None

    # Look
    def list(
        self, actor: Actor, project_id: str | None = None, *, active: bool | None = None, limit: int = 100
    ) -> builtins.list[Build]:
        """Return builds, newest first; those whose process died are marked first."""
        access.check(actor, "image.view", self.manager.projects.get(actor, project_id) if project_id else None)
        self.recover()
        return self.manager.store.builds(project_id=project_id, active=active, limit=limit)

    def get(self, actor: Actor, build_id: str) -> Build:
        """Return a build as it is now."""
        build = self.manager.store.build(build_id)
        if build is None:
            raise BuildNotFound("There is no such build; list the builds again.", {"build_id": build_id})
        access.check(actor, "image.view", self.manager.store.project(build.project_id))
        return build if build.done else self._recovered(build) or build

    def log_path_of(self, build_id: str) -> Path:
        """Return where a build's log is kept."""
        return self.manager.data_path / "logs" / f"{build_id}.log"

    def _log(self, build_id: str) -> LogWriter:
        from .redact import Redactor

        return LogWriter(self.log_path_of(build_id), limit=self.settings.log_limit, redact=Redactor())

    def log(
        self, actor: Actor, build_id: str, *, start: int = 1, count: int | None = None, search: str | None = None
    ) -> builtins.list[LogLine]:
        """Return lines of a build's log from a number on; only those that contain `search`, if that is given."""
        reader = LogReader(self.log_path(actor, build_id))
        return [*(reader.search(search, start, count) if search else reader.lines(start, count))]

    def log_path(self, actor: Actor, build_id: str) -> Path:
        """Return the file of the whole log.

        Raises
        ------
        NotFound
            The build made no image, and its log was too old to be kept.
        """
        build, path = self.get(actor, build_id), self.log_path_of(build_id)
        if build.done and not path.is_file():
            why = " ".join(build.failure.lines or (build.failure.message,)) if build.failure else ""
            raise NotFound(
                "The log of this build has been removed: those of builds that made no image are kept for "
                f"{self.settings.failed_log_days} days (BuildSettings.failed_log_days)."
                + (f" What was decisive: {why}" if why else "")
            )
        return path

    def follow(self, actor: Actor, build_id: str, *, after: int = 0, timeout: float | None = None) -> Iterator[LogLine]:
        """Yield the log's lines as they come, from the one after `after` on, until the build has ended."""
        reader = LogReader(self.log_path(actor, build_id))
        return reader.follow(after, lambda: self.get(actor, build_id).done, timeout)

    # Change
    def cancel(self, actor: Actor, build_id: str) -> Build:
        """Cancel a build, queued or running; one that has ended stays as it ended."""
        build = self.get(actor, build_id)
        access.check(actor, "image.build", self.manager.store.project(build.project_id))
        if build.done:
            return build
        build = self.manager.store.set_build(build_id, cancel_requested=True)
        workers.ask_to_end(build.worker)
        return self.get(actor, build_id)

    def retry(self, actor: Actor, build_id: str, secrets: dict[str, bytes] | None = None) -> Build:
        """Build a failed, cancelled or interrupted image again from its recipe; one that is made is only pushed."""
        build = self.get(actor, build_id)
        manager = self.manager
        image = manager.images.get(actor, build.image_id).image
        project = manager.projects.get(actor, build.project_id)
        access.check(actor, "image.build", project)
        if not build.done:
            raise Conflict(f"The {build.kind.value} of {image.spec} is still {build.state.value}; cancel it first.")
        if build.kind is BuildKind.CHECK:
            return self.check(actor, image.id, project.id, activate=build.activate)
        if build.kind is BuildKind.PUSH or lifecycle.unpushed(image):
            return self.push(actor, image.id, activate=build.activate)
        if image.state in (ImageState.READY, ImageState.MISSING):
            raise Conflict(f"{image.spec} is built and never changes; build a new version instead.")
        recipe = manager.images.recipe(actor, image.id)
        missing = set(recipe.secrets) - set(secrets or {})
        if missing:
            raise InvalidRequest(
                f"The recipe of {image.spec} needs the secrets {', '.join(sorted(missing))}, which are never kept; "
                "give them again."
            )
        if recipe.kind is SourceKind.ARCHIVE:
            importing.reachable(manager, recipe)
        awake(manager.engine)
        # In this order: a build without a process is found and ended, whoever dies between the two.
        build = manager.store.restart_build(build_id, heartbeat=utcnow())
        manager.store.set_image(image.id, state=ImageState.BUILDING)
        with self._log(build.id) as log:
            log.write(f"attempt {build.attempt}, asked for by {actor.name}", stream="meta")
        return children.start(manager, build, secrets or {}, {})

    def check(self, actor: Actor, image_id: str, project_id: str | None = None, *, activate: bool = False) -> Build:
        """Check an image that is made once more; nothing of it changes but its report, and nothing is taken away.

        Parameters
        ----------
        project_id : str, optional
            For which project a system image, which belongs to none, is checked; by default the root's.
        activate : bool
            Activate it in that project when it can run kernels.
        """
        from . import checks

        manager, image = self.manager, self.manager.images.image(actor, image_id)
        own = image.project_id or project_id
        project = manager.projects.get(actor, own) if own else manager.projects.ensure_default(actor)
        access.check(actor, "image.check", project)
        awake(manager.engine)
        with self._submitting():
            build, new = checks.asked_for(manager, actor, image, project.id, activate=activate)
        return children.start(manager, build, {}, {}) if new else build

    def push(self, actor: Actor, image_id: str, *, activate: bool = False) -> Build:
        """Push an image that is saved on this machine only to its registry, without building it."""
        from . import pushing

        manager, image = self.manager, self.manager.images.image(actor, image_id)
        project = manager.projects.get(actor, image.project_id)
        access.check(actor, "image.build", project)
        awake(manager.engine)
        with self._submitting():
            build, new = pushing.asked_for(manager, actor, image, project, activate=activate)
        return children.start(manager, build, {}, {}) if new else build

    def fix(self, actor: Actor, image_id: str) -> Build:
        """Append what an image lacks to its Dockerfile and build the next version."""
        from ..requirements import cure_lines, hopeless

        image = self.manager.images.get(actor, image_id).image
        if image.report is None or image.report.ok:
            raise Conflict(f"{image.spec} lacks nothing that the last check saw; check it again first.")
        recipe = self.manager.images.recipe(actor, image.id)
        if lost := hopeless(image.report):
            why = " ".join(item.message or item.title for item in lost)
            raise Conflict(f"What {image.spec} lacks cannot all be appended: {why}")
        cures = cure_lines(image.report)
        if not cures:
            raise Conflict(f"What {image.spec} lacks cannot be appended; choose another base image.")
        start = recipe.dockerfile.rstrip("\n") or f"FROM {importing.base_of(self.manager, image, recipe)}"
        text = "\n".join([start, *cures]) + "\n"
        return self.submit(
            actor, image.project_id, BuildRequest(name=image.name, from_image=image.id, dockerfile_text=text)
        )

    # Recover
    def recover(self) -> builtins.list[Build]:
        """Mark the builds whose process has died; return them (R4)."""
        workers.reap()
        found = []
        for build in self.manager.store.builds(active=True):
            changed = self._recovered(build)
            if changed is not None:
                found.append(changed)
        end_unmade(self.manager)
        return found

    def tidy(self) -> int:
        """Remove what unfinished builds left in the engine, and what is kept no longer; return how many had left it."""
        if time.monotonic() - self._swept > SWEEP:
            self._swept = time.monotonic()
            housekeeping.sweep(self.manager)
        return tidy(self.manager)

    def forget(self, image_id: str) -> None:
        """Remove the builds of a deleted image with their logs; a stored context goes with a later :meth:`tidy`."""
        housekeeping.forget(self.manager, image_id)

    def _recovered(self, build: Build) -> Build | None:
        """End a build if its process is dead; None while it lives."""
        ended = recovered(self.manager, build, self.log_path_of(build.id).with_suffix(".trace"))
        if ended is None:
            return None
        if ended.message:
            with self._log(build.id) as log:
                log.write(ended.message, stream="meta")
        return ended.build
