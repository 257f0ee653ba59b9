"""Make images for tests of the check, through the engine, and look at them."""

from __future__ import annotations

import io
import tarfile
import uuid
from dataclasses import dataclass, field

from jupyter_image_manager.engine.port import LABEL, BuildSpec
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Image, ImageState, Report, Storage, utcnow
from jupyter_image_manager.requirements import Checker, cure_lines
from jupyter_image_manager.requirements.facts import Facts
from jupyter_image_manager.requirements.policy import judge


def context(dockerfile: str, files: dict[str, bytes] | None = None) -> list[bytes]:
    """The tar of a context."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in {"Dockerfile": dockerfile.encode(), **(files or {})}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return [stream.getvalue()]


@dataclass
class Workshop:
    """Builds, looks, cures; removes what it made when it is closed."""

    manager: ImageManager
    environment: dict[str, str] = field(default_factory=dict)  # of each RUN: package index, proxies
    ca_bundle: str | None = None
    made: list[str] = field(default_factory=list)

    @property
    def checker(self) -> Checker:
        return Checker(parent=self.manager, manager=self.manager)

    def build(self, dockerfile: str, files: dict[str, bytes] | None = None) -> str:
        """Build; return the id of the image."""
        tag = f"jim-test/check:{uuid.uuid4().hex[:12]}"
        spec = BuildSpec(
            tag=tag,
            dockerfile="Dockerfile",
            labels={f"{LABEL}.installation": self.manager.store.installation_id()},
            build_args={},
            environment=self.environment,
            ca_bundle=self.ca_bundle,
        )
        run = self.manager.engine.build(spec, context(dockerfile, files))
        image = next(progress.image_id for progress in run if progress.kind == "image")
        self.made.append(tag)
        return image

    def report(self, image: str) -> tuple[Facts, Report]:
        """Judge an image without starting a kernel in it."""
        checker = self.checker
        facts = checker.look(image)
        return facts, checker.report(facts, judge(facts, checker.versions), image)

    def check(self, image: str) -> Report:
        """Check an image with everything, as a build does."""
        return self.checker.check(an_image(image))

    def cured(self, dockerfile: str, report: Report) -> str:
        """Append the cures and build again, as `--fix` does."""
        return self.build("\n".join([dockerfile.rstrip("\n"), *cure_lines(report), ""]))

    def close(self) -> None:
        for tag in self.made:
            self.manager.engine.remove_image(tag, force=True)


def an_image(engine_image: str) -> Image:
    """An image of the store that is being built."""
    return Image(
        id=uuid.uuid4().hex,
        project_id=uuid.uuid4().hex,
        name="tried",
        version=1,
        state=ImageState.BUILDING,
        storage=Storage.LOCAL,
        recipe_id="",
        created=utcnow(),
        created_by="test",
        engine_image=engine_image,
    )


def lacks(report: Report) -> set[str]:
    """The required items that are missing and do not only wait for others."""
    return {
        item.id
        for item in report.items
        if item.required and not item.ok and not item.message.startswith("Cannot be tried")
    }
