"""The process of one build: ``python -m jupyter_image_manager.builds.worker``.

It is started by :meth:`.service.BuildService.submit`, detached, and needs nobody afterwards: it waits for its turn,
builds, checks, keeps, and writes where it is into the store and the log. What it is told, secrets among it, comes
through its standard input.
"""

from __future__ import annotations

import base64
import contextlib
import json
import signal
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

from traitlets.config import Config

from ..engine.lines import LONGEST
from ..engine.port import LABEL, BuildRun, BuildSpec
from ..errors import BuildFailed, Conflict, ImageManagerError, ImageUnusable, NotAllowed
from ..manager import ImageManager
from ..models import Actor, BuildFailure, BuildKind, BuildState, Image, ImageState, Report, SourceKind, utcnow
from ..processes import ProcessIdentity
from . import archive, failure
from .context import DOCKERFILE, Context, closing, member, nothing
from .log import LogWriter
from .recovery import tag_of
from .redact import PieceRedactor, Redactor
from .snapshot import Recording, stored

HEARTBEAT = 2.0
FLUSH = 0.1
QUEUE_LOOK = 0.3
RECOVER = 5.0
"""Seconds between two looks of a waiting build for others whose process died: their places become free."""
PROGRESS = 0.25
"""Seconds between two writes of a build's progress into the store."""
TAIL = 400


class Cancelled(Exception):
    """Somebody asked for the build to end."""


class BuildProcess:
    """One build from its queue to its end."""

    achieved = "is ready"

    def __init__(
        self, manager: ImageManager, build_id: str, secrets: dict[str, bytes], options: dict[str, Any]
    ) -> None:
        self.manager = manager
        self.store = manager.store
        self.secrets = secrets
        self.options = options
        build = self.store.build(build_id)
        image = self.store.image(build.image_id) if build else None
        project = self.store.project(build.project_id) if build else None
        recipe = self.store.recipe(image.recipe_id) if image else None
        if build is None or image is None or project is None or recipe is None:
            raise SystemExit(f"The build {build_id} is not in the store any more.")
        self.build, self.image, self.project, self.recipe = build, image, project, recipe
        self.actor = Actor(name=build.requested_by, display_name=build.requested_by, via="system")
        self.tag = tag_of(project, image)
        self.settings = manager.builds.settings
        self.contexts = manager.data_path / "contexts"
        self.redact = Redactor(secrets.values())
        path = manager.builds.log_path_of(build_id)
        self.log = LogWriter(path, limit=self.settings.log_limit, redact=self.redact)
        self.cancelled = threading.Event()
        self.over = threading.Event()
        self._run: BuildRun | None = None
        self._tail: list[str] = []
        self._pieces: dict[str, PieceRedactor] = {}
        self._shown = 0.0

    # The process's own life
    def live(self) -> None:
        """Build, whatever happens; the build's end is always written."""
        signal.signal(signal.SIGTERM, lambda *_: self._cancel())
        signal.signal(signal.SIGINT, lambda *_: self._cancel())
        beat = threading.Thread(target=self._beat, daemon=True)
        beat.start()
        try:
            with self.log:
                try:
                    self._turn()
                    self._work()
                except Cancelled:
                    self._end(BuildState.CANCELLED, failure.cancelled(self.image.spec))
                except ImageManagerError as error:
                    if self.cancelled.is_set():
                        self._end(BuildState.CANCELLED, failure.cancelled(self.image.spec))
                    else:
                        self._end(BuildState.FAILED, failure.explain(error, self._tail))
                except Exception as error:  # whatever it is, the user must not wait for ever
                    self._end(
                        BuildState.FAILED,
                        BuildFailure(
                            f"The build of {self.image.spec} ended by a mistake of ours: {error!r}.", "internal_error"
                        ),
                    )
                    raise
        finally:
            self.over.set()
            beat.join(5)

    def _cancel(self) -> None:
        self.cancelled.set()
        run = self._run
        if run is not None:
            # A signal handler must not wait for locks that the interrupted code may hold.
            threading.Thread(target=run.cancel, daemon=True).start()

    def _beat(self) -> None:
        """Show that the process lives, see requests to cancel, and let readers see the log's last lines."""
        last = 0.0
        while not self.over.wait(FLUSH):
            self.log.flush()
            if time.monotonic() - last < HEARTBEAT:
                continue
            last = time.monotonic()
            try:
                now = self.store.set_build(self.build.id, heartbeat=utcnow())
            except Conflict:
                self._cancel()  # somebody else has ended this build: nothing of it may go on
                return
            except ImageManagerError:
                continue  # the store is busy or its disk full; the next beat may come through
            if now.cancel_requested and not self.cancelled.is_set():
                self._cancel()

    def _check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled

    def _turn(self) -> None:
        """Wait for a place among the builds that run."""
        said, looked = False, time.monotonic()
        while not self.store.claim_slot(self.build.id, self.settings.max_parallel):
            self._check_cancelled()
            if time.monotonic() - looked > RECOVER:
                self.manager.builds.recover()
                looked = time.monotonic()
            if not said:
                self.say("waiting for other builds to end")
                said = True
            time.sleep(QUEUE_LOOK)
        self._check_cancelled()

    def say(self, text: str, step: int = 0) -> None:
        """Write a line of ours into the log."""
        self.log.write(text, step=step, stream="meta")

    def _state(self, state: BuildState, **changes: Any) -> None:
        self._check_cancelled()
        self.store.set_build(self.build.id, state=state, **changes)
        self.say(state.value)

    # The work
    def _work(self) -> None:
        if self.recipe.kind is SourceKind.IMPORT:
            engine_image = self._import()
        elif self.recipe.kind is SourceKind.ARCHIVE:
            engine_image = self._load()
        else:
            engine_image = self._build(self.recipe.dockerfile)
        self._architecture(engine_image)
        report = self._checked(engine_image)
        if not report.ok and self.build.fix:
            engine_image, report = self._fixed(engine_image, report)
        self._keep(engine_image, report)

    def _spec(self) -> BuildSpec:
        from ..dockerfile import parse
        from ..engine.buildkit import needs_buildkit

        return BuildSpec(
            tag=self.tag,
            dockerfile=DOCKERFILE,
            labels={
                f"{LABEL}.installation": self.store.installation_id(),
                f"{LABEL}.project": self.project.id,
                f"{LABEL}.image": self.image.id,
                f"{LABEL}.build": self.build.id,
            },
            build_args=self.recipe.build_args,
            secrets=self.secrets,
            environment=self.settings.run_environment(),
            ca_bundle=self.settings.certificates(),
            network=self.settings.network or None,
            memory=self.settings.memory or None,
            cpus=self.settings.cpus or None,
            no_cache=bool(self.options.get("no_cache")),
            needs_buildkit=bool(self.recipe.dockerfile) and needs_buildkit(parse(self.recipe.dockerfile)) is not None,
        )

    def _build(self, dockerfile: str) -> str:
        """Send the context and follow the engine; return the id of the image."""
        spec = self._spec()
        recording = Recording(
            self._body(),
            self.contexts,
            self.settings.context_store_limit,
            keep=not self.recipe.context_stored and self.recipe.context_size <= self.settings.context_store_limit,
        )
        sent = self.manager.engine.adapt(dockerfile, spec)
        run = self.manager.engine.build(spec, self._stream(recording, sent))
        self._run = run
        self._check_cancelled()
        try:
            image = self._follow(run)
        finally:
            self._run = None
            if recording.complete:
                # Kept also when it failed: a retry then needs nothing from the folder.
                self._record(recording)
        self._check_cancelled()
        return image

    def _follow(self, run: BuildRun) -> str:
        """Write what the builder says into the log; return the id of the image."""
        image = ""
        for progress in run:
            if self.cancelled.is_set():
                run.cancel()  # again: the first time may have been before there was anything to cancel
            if progress.kind == "step":
                self._progress(progress.step, progress.steps, progress.text)
                self.log.write(
                    f"Step {progress.step}/{progress.steps} : {progress.text}", step=progress.step, stream="meta"
                )
            elif progress.kind == "cached":
                self.say("unchanged since an earlier build", progress.step)
            elif progress.kind == "line":
                text = self._pieces.setdefault(progress.stream, PieceRedactor(self.redact, LONGEST))(progress.text)
                self._remember(text)
                self.log.write(text, step=progress.step, stream=progress.stream)
            elif progress.kind == "image":
                image = progress.image_id
        for stream, pieces in self._pieces.items():
            if rest := pieces.rest():
                self.log.write(rest, stream=stream)
        return image

    def _stream(self, recording: Recording, dockerfile: str) -> Iterator[bytes]:
        for block in recording:
            self._check_cancelled()
            yield block
        yield from closing(dockerfile)

    def _body(self) -> Iterator[bytes]:
        """Yield what the recipe says is sent: the stored copy, the template's files, or the folder."""
        recipe = self.recipe
        if recipe.context_stored:
            yield from stored(self.contexts, recipe.context_digest)
        elif recipe.template:
            rendered = self.manager.builds.catalog.render(recipe.template)
            yield from nothing()
            for name, content in sorted(rendered.files.items()):
                yield from member(name, content)
        elif recipe.context_path:
            yield from Context(Path(self.project.path), recipe.context_path, recipe.dockerfile_path).body(self.say)
        else:
            yield from nothing()

    def _record(self, recording: Recording) -> None:
        """Write down what was really sent: the recipe is then complete, and stays as it is."""
        if self.recipe.context_stored:
            return
        self.recipe = self.store.add_recipe(
            replace(
                self.recipe,
                id=uuid.uuid4().hex,
                context_digest=recording.digest,
                context_size=recording.size,
                context_stored=recording.stored,
            )
        )
        self.store.set_image(self.image.id, recipe_id=self.recipe.id)

    def _import(self) -> str:
        """Pull the reference and pin it."""
        from ..errors import ImageNotFound

        reference = self.recipe.reference
        engine = self.manager.engine
        try:
            held = engine.inspect_image(reference)
            self.say(f"{reference} is on this machine")
        except ImageNotFound:
            self.say(f"pulling {reference}")
            for progress in engine.pull(reference):
                self._check_cancelled()
                self._progress(progress.layers_done, progress.layers, progress.text)
            held = engine.inspect_image(reference)
        repository = reference.rpartition("@")[0] or reference.rpartition(":")[0]
        digests = [
            digest
            for digest in held.repo_digests
            if repository.removeprefix("docker.io/").removeprefix("library/") in digest
        ]
        pinned = digests[0] if digests else reference
        self.recipe = self.store.add_recipe(replace(self.recipe, id=uuid.uuid4().hex, reference=pinned))
        self.store.set_image(self.image.id, recipe_id=self.recipe.id)
        self.say(f"pinned as {pinned}" if digests else f"{reference} has no digest: it was never in a registry")
        return held.id

    def _load(self) -> str:
        """Load the archive; nothing of it is unpacked by us."""
        path = Path(self.options["archive"])
        size = archive.survey(path, self.settings.archive_limit, self._check_cancelled)
        self.say(f"loading {path.name}: {size / 1e6:.0f} MB unpacked")
        with archive.Watched(path, self._check_cancelled) as file:
            found = self.manager.engine.load(cast("IO[bytes]", file))
        if len(found) != 1:
            raise ImageUnusable(f"The archive holds {len(found)} images; name one with exactly one image.")
        return found[0]

    def _architecture(self, engine_image: str) -> None:
        held, machine = self.manager.engine.inspect_image(engine_image), self.manager.engine.info().architecture
        if held.architecture != machine:
            self.say(f"the image is made for {held.architecture}, this machine is {machine}")

    def _checked(self, engine_image: str) -> Report:
        self._state(BuildState.CHECKING, instruction="")
        report = self.manager.builds.checker.check(self.image, engine_image=engine_image, line=self._checking)
        self._check_cancelled()
        return report

    def _checking(self, text: str) -> None:
        self._check_cancelled()
        self.say(text)

    def _fixed(self, engine_image: str, report: Report) -> tuple[str, Report]:
        """Append what is missing and build once more."""
        from ..requirements import cure_lines

        cures = cure_lines(report)
        if not cures:
            return engine_image, report
        self.say("appending what is missing:")
        for line in cures:
            self.say("  " + line)
        start = self.recipe.dockerfile.rstrip("\n")
        if not start:
            # An image that was taken in has no Dockerfile: what is appended stands on the image itself.
            self.manager.engine.tag(engine_image, self.tag)
            start = f"FROM {self.tag}"
        dockerfile = "\n".join([start, *cures]) + "\n"
        self.recipe = self.store.add_recipe(replace(self.recipe, id=uuid.uuid4().hex, dockerfile=dockerfile))
        self.store.set_image(self.image.id, recipe_id=self.recipe.id)
        self.store.set_build(self.build.id, state=BuildState.BUILDING)
        engine_image = self._build(dockerfile)
        return engine_image, self._checked(engine_image)

    def _keep(self, engine_image: str, report: Report) -> None:
        """Write the image down; from here on it never changes."""
        self._state(BuildState.SAVING)
        engine = self.manager.engine
        engine.tag(engine_image, self.tag)
        held = engine.inspect_image(engine_image)
        image = self.store.set_image(
            self.image.id,
            digest=held.id,
            engine_image=held.id,
            reference=self.tag,
            size=held.size,
            architecture=held.architecture,
            python_version=report.python_version,
            report=report,
            state=ImageState.READY if report.ok else ImageState.UNUSABLE,
        )
        if not report.ok:
            from ..lifecycle import why_unusable

            why = BuildFailure(str(why_unusable(image)), "image_unusable", lines=failure.items(report))
            self._finish(BuildState.FAILED, why)
            return
        now = self.store.build(self.build.id)  # somebody who joined may have asked for it meanwhile
        if now is not None and now.activate:
        self._activate(image)
        self._finish(BuildState.SUCCEEDED, None)

    def _activate(self, image: Image) -> None:
            try:
                self.manager.images.activate(self.actor, self.project.id, image.id)
                self.say(f"{image.spec} is active")
            except (ImageManagerError, NotAllowed) as error:
                self.say(f"{image.spec} is ready but could not be activated: {error}")

    # Where it is
    def _progress(self, step: int, steps: int, instruction: str) -> None:
        if time.monotonic() - self._shown > PROGRESS:
            self._shown = time.monotonic()
            with contextlib.suppress(Conflict):
                self.store.set_build(
                    self.build.id,
                    step=step,
                    steps=steps,
                    instruction=self.redact(instruction)[:500],
                    log_lines=self.log.lines,
                )

    def _remember(self, line: str) -> None:
        self._tail.append(self.redact(line[:2000]))
        if len(self._tail) > 2 * TAIL:
            del self._tail[:-TAIL]

    def _end(self, state: BuildState, why: BuildFailure) -> None:
        """Write an end that is no success; the engine keeps nothing of it."""
        why = replace(
            why,
            message=self.redact(why.message),
            instruction=self.redact(why.instruction),
            lines=tuple(self.redact(line) for line in why.lines),
            hint=self.redact(why.hint),
        )
        try:
            self.manager.engine.remove_image(self.tag)
        except ImageManagerError as error:
            self.say(f"what the build left in the engine stays for now: {error}")
        now = self.store.image(self.image.id)
        if now is not None and now.state is ImageState.BUILDING:
            self.store.set_image(self.image.id, state=ImageState.FAILED)
        self._finish(state, why)

    def _finish(self, state: BuildState, why: BuildFailure | None) -> None:
        self.say(why.message if why else f"{self.image.spec} {self.achieved}")
        self.log.flush()
        self.over.set()
        with contextlib.suppress(Conflict):
            self.store.set_build(
                self.build.id, state=state, finished=utcnow(), failure=why, log_lines=self.log.lines, instruction=""
            )


def main() -> None:
    """Read what to build from standard input, and build it."""
    payload = json.load(sys.stdin)
    secrets = {name: base64.b64decode(value) for name, value in payload["secrets"].items()}
    manager = ImageManager(config=Config(payload["config"]))
    try:
        build = manager.store.set_build(payload["build"], worker=str(ProcessIdentity.current()), heartbeat=utcnow())
        _process(build.kind)(manager, build.id, secrets, payload["options"]).live()
    except BuildFailed as error:
        sys.exit(str(error))
    finally:
        manager.close()


if __name__ == "__main__":
    main()
def _process(kind: BuildKind) -> type[BuildProcess]:
    if kind is BuildKind.BUILD:
        return BuildProcess
    from .checks import CheckProcess

    return CheckProcess


