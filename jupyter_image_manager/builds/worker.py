"""The process of one build: ``python -m jupyter_image_manager.builds.worker``.

It is started by :meth:`.service.BuildService.submit`, detached, and needs nobody afterwards: it waits for its turn,
builds, checks, keeps, and writes where it is into the store and the log. What it is told, secrets among it, comes
through its standard input.
"""

from __future__ import annotations

import base64
import contextlib
import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from traitlets.config import Config

from .. import presence
from ..engine.lines import LONGEST
from ..engine.port import LABEL, BuildRun, BuildSpec
from ..errors import BuildFailed
from ..manager import ImageManager
from ..models import BuildFailure, BuildKind, BuildState, ImageState, Recipe, Report, SourceKind, Storage, utcnow
from ..processes import ProcessIdentity
from . import failure, importing
from .context import DOCKERFILE, closing, nothing
from .process import BuildProcess
from .redact import PieceRedactor
from .snapshot import Recording, stored
from .sources import folder_of


class ImageProcess(BuildProcess):
    """One build that turns a recipe into an image."""

    def __init__(
        self, manager: ImageManager, build_id: str, secrets: dict[str, bytes], options: dict[str, Any]
    ) -> None:
        super().__init__(manager, build_id, secrets, options)
        self._base = ""  # what an archive held
        self._pieces: dict[str, PieceRedactor] = {}

    def _work(self) -> None:
        # Before the engine has anything of it: whoever finds this build dead knows what to look for.
        self.store.set_image(self.image.id, reference=self.tag)
        if self.recipe.kind is SourceKind.ARCHIVE:
            engine_image = self._load()
        elif self.recipe.dockerfile:
            engine_image = self._build(self.recipe.dockerfile)
        else:
            engine_image = self._import()
        self._architecture(engine_image)
        report = self._checked(engine_image)
        if not report.ok and self.build.fix:
            engine_image, report = self._fixed(engine_image, report)
        self._adopt(engine_image)
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
            with self._standing():
                image = self._follow(run)
        finally:
            self._run = None
            if recording.complete:
                # Kept also when it failed: a retry then needs nothing from the folder.
                self._record(recording)
        self._check_cancelled()
        return image

    def _standing(self) -> AbstractContextManager[None]:
        """Let the engine know what the Dockerfile stands on, where that is the image of an archive."""
        if self.recipe.kind is not SourceKind.ARCHIVE:
            return contextlib.nullcontext()
        return importing.named(self.manager, self._base, importing.archive_base(self.recipe))

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
        """Yield what the recipe says is sent: the copy that is kept, or the folder."""
        recipe = self.recipe
        if recipe.kind is SourceKind.ARCHIVE:
            yield from nothing()
        elif recipe.context_stored:
            yield from stored(self.contexts, recipe.context_digest)
        elif recipe.context_path:
            yield from folder_of(self.manager, self.project, recipe).body(self.say)
        else:
            yield from nothing()

    def _record(self, recording: Recording) -> None:
        """Write down what was really sent: the recipe is then complete."""
        if not self.recipe.context_stored and self.recipe.kind is not SourceKind.ARCHIVE:
            self._keep_recipe(
                replace(
                    self.recipe,
                    context_digest=recording.digest,
                    context_size=recording.size,
                    context_stored=recording.stored,
                )
            )

    def _import(self) -> str:
        """Take in the image that a reference means, and pin the recipe to it."""
        reference = self.recipe.reference
        access = importing.access_for(self.manager, self.project, reference)
        engine_image, pinned = importing.pulled(self.manager.engine, reference, self.say, self._pulling, access)
        self._keep_recipe(replace(self.recipe, reference=pinned))
        return engine_image

    def _pulling(self, done: int, layers: int, text: str) -> None:
        self._check_cancelled()
        self._progress(done, layers, text)

    def _load(self) -> str:
        """Take in the image of an archive; what a Dockerfile adds to it is built on it."""
        self._base, recipe = importing.loaded(self.manager, self.recipe, self.say, self._check_cancelled)
        if recipe != self.recipe:
            self._keep_recipe(recipe)
        self._check_cancelled()
        return self._build(self.recipe.dockerfile) if self.recipe.dockerfile else self._base

    def _adopt(self, engine_image: str) -> None:
        """Take over the recipe that an archive of ours carries: the image can then be built again from that."""
        recipe = self.recipe
        if recipe.kind is SourceKind.ARCHIVE and not recipe.dockerfile and Path(recipe.context_path).is_file():
            carried = self.manager.portable.adopt(Path(recipe.context_path), engine_image)
            if carried is not None:
                self._keep_recipe(carried)
                self.say("the archive carries the recipe of the image: it can be built again from that")

    def _keep_recipe(self, recipe: Recipe) -> None:
        """Write down a recipe that says more than the one before; that one stays as it is."""
        self.recipe = self.store.add_recipe(replace(recipe, id=uuid.uuid4().hex))
        self.store.set_image(self.image.id, recipe_id=self.recipe.id)

    def _architecture(self, engine_image: str) -> None:
        held, machine = self.manager.engine.inspect_image(engine_image), self.manager.engine.info().architecture
        if held.architecture != machine:
            self.say(f"the image is made for {held.architecture}, this machine is {machine}")

    def _checked(self, engine_image: str) -> Report:
        self._state(BuildState.CHECKING, instruction="")
        report = self.manager.builds.checker.check(self.image, engine_image=engine_image, line=self._checking)
        self._check_cancelled()
        return report

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
            archive = self.recipe.kind is SourceKind.ARCHIVE
            start = f"FROM {importing.archive_base(self.recipe) if archive else self.recipe.reference}"
        dockerfile = "\n".join([start, *cures]) + "\n"
        self._keep_recipe(replace(self.recipe, dockerfile=dockerfile))
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
            engine_id=presence.identity(engine.info()),
            python_version=report.python_version,
            report=report,
            state=ImageState.READY if report.ok else ImageState.UNUSABLE,
        )
        if not report.ok:
            from ..lifecycle import why_unusable

            why = BuildFailure(str(why_unusable(image)), "image_unusable", lines=failure.items(report))
            self._finish(BuildState.FAILED, why)
            return
        if image.storage is Storage.REGISTRY:
            self._state(BuildState.PUSHING, step=0, steps=0)
            image = self._pushed(image)
        self._activate(image)
        self._finish(BuildState.SUCCEEDED, None)


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


def _process(kind: BuildKind) -> type[BuildProcess]:
    from .checks import CheckProcess
    from .pushing import PushProcess

    return {BuildKind.BUILD: ImageProcess, BuildKind.CHECK: CheckProcess, BuildKind.PUSH: PushProcess}[kind]


if __name__ == "__main__":
    main()
