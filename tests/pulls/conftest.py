from __future__ import annotations

import io
import os
import tarfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest
from traitlets.config import Config

from jupyter_image_manager.engine.port import Engine
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import (
    Image,
    ImageState,
    Project,
    Pull,
    Recipe,
    RegistryState,
    Report,
    SourceKind,
    Storage,
    utcnow,
)
from jupyter_image_manager.requirements import Checker
from jupyter_image_manager.requirements.policy import judge

from .. import faults, registries
from ..conftest import share_runtimes
from ..kernels.laboratory import ACTOR, Laboratory, until

MEGABYTE = 1 << 20
LAYERS, EACH = 3, 2 * MEGABYTE


def packed(name: str, content: bytes) -> bytes:
    """Return the tar of one file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


class Harbour:
    """Projects whose images are in a registry, behind a proxy that makes faults, and not on the machine."""

    def __init__(self, lab: Laboratory, registry: registries.Registry, proxy: faults.FaultProxy) -> None:
        self.lab, self.manager, self.pulls = lab, lab.manager, lab.manager.pulls
        self.registry, self.proxy = registry, proxy
        self._reports: dict[str, Report] = {}
        self.references: list[str] = []
        self._known: Image | None = None

    @property
    def engine(self) -> Engine:
        return self.manager.engine

    def image(self, project: Project, like: Image | None = None) -> Image:
        """Push an image of new random layers, or take one that is there for another project too."""
        held = like.engine_image if like else self._made()
        repository = like.repository if like else f"{self.proxy.address}/team/{uuid.uuid4().hex[:8]}"
        digest = like.digest if like else self._pushed(held, repository)
        if "report" not in self._reports:
            checker = Checker(parent=self.manager, manager=self.manager)
            facts = checker.look(held)
            self._reports["report"] = checker.report(facts, judge(facts, checker.versions), held)
        report = replace(self._reports["report"], layers=self.engine.layers(held) if not like else ())
        recipe = Recipe(uuid.uuid4().hex, SourceKind.DOCKERFILE, dockerfile="FROM x", digest=uuid.uuid4().hex)
        image = Image(
            id=uuid.uuid4().hex,
            project_id=project.id,
            name="geo",
            version=0,
            state=ImageState.READY,
            storage=Storage.REGISTRY,
            recipe_id=recipe.id,
            created=utcnow(),
            created_by="tester",
            engine_image=held,
            digest=digest,
            repository=repository,
            registry_state=RegistryState.PRESENT,
            registry_size=LAYERS * EACH,
            size=LAYERS * EACH,
            reference=f"jupyter-image-manager/{uuid.uuid4().hex[:8]}/geo:1",
            architecture=report.architecture,
            report=report,
        )
        return self.manager.store.add_image(image, recipe)

    def _made(self) -> str:
        """Make an image of random layers; by no builder, whose cache would keep them on the machine."""
        image = self.lab.engine_image(self.lab.dockerfile())
        with docker.APIClient(timeout=120) as client:
            for number in range(LAYERS):
                container = client.create_container(image, "true")["Id"]
                client.put_archive(container, "/", packed(f"layer{number}", os.urandom(EACH)))
                image = client.commit(container)["Id"]
                client.remove_container(container)
            client.tag(image, "jim-test/pulls", uuid.uuid4().hex)
        return image

    def _pushed(self, held: str, repository: str) -> str:
        with docker.APIClient(timeout=120) as client:
            return registries.push(client, held, f"{repository}:1")

    def project(self, folder: Path, like: Image | None = None) -> tuple[Project, Image]:
        """Make a project with an active image; what it has of an earlier one is where that is, else on no machine."""
        folder.mkdir(parents=True)
        if os.getuid() == 0:
            os.chown(folder, 1000, 1000)
        project = self.manager.projects.create(ACTOR, str(folder))
        image = self.image(project, like)
        self.manager.store.activate_image(project.id, image.id)
        self.references += [image.reference, image.pinned]
        if like is None:
            self.leave(image)
        return project, image

    def known(self, folder: Path) -> tuple[Project, Image]:
        """Make a project with an image that others have too, and that is on no machine."""
        if self._known is None:
            self._known = self.project(folder)[1]
            return self.manager.projects.get(ACTOR, self._known.project_id), self._known
        self.leave(self._known)
        return self.project(folder, like=self._known)

    def leave(self, image: Image) -> None:
        """Take an image from the machine, whoever holds it there."""
        if any(found == image.engine_image for found in self.engine.image_tags()):
            self.engine.remove_image(image.engine_image, force=True)

    def held(self, image: Image) -> bool:
        return image.engine_image in self.engine.image_tags()

    def now(self, image: Image) -> Image:
        found = self.manager.store.image(image.id)
        assert found is not None
        return found

    def ensure(self, image: Image, **more: bool) -> Pull:
        pull = self.pulls.ensure(ACTOR, image, **more)
        assert pull is not None
        return pull

    def until(self, pull: Pull, true: Callable[[Pull], bool]) -> Pull:
        until(lambda: true(self.pulls.get(ACTOR, pull.id)))
        return self.pulls.get(ACTOR, pull.id)

    def slow(self, rate: int = MEGABYTE) -> None:
        """Let each layer come slowly."""
        self.proxy.rules.append(faults.Fault("^GET .*/blobs/", rate=rate))


@pytest.fixture(scope="session")
def laboratory(_engine_while_tests_run: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    data = tmp_path_factory.mktemp("pulls") / "image_manager"
    share_runtimes(data)
    config = Config({"PullService": {"first_patience": 2.0}})
    laboratory = Laboratory(ImageManager(config=config, data_dir=str(data)))
    yield laboratory
    laboratory.close()


@pytest.fixture(scope="session")
def quay(laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    """One registry for all tests: the layers of the base go there once."""
    folder = tmp_path_factory.mktemp("registry")
    with registries.running(folder) as registry, faults.proxy(registry.address) as proxy:
        yield Harbour(laboratory, registry, proxy)


@pytest.fixture
def harbour(quay: Harbour) -> Iterator[Harbour]:
    quay.proxy.rules.clear()
    quay.proxy.seen.clear()
    yield quay
    quay.proxy.rules.clear()
    for pull in quay.pulls.list(ACTOR, active=True):
        quay.pulls.cancel(ACTOR, pull.id)
        quay.until(pull, lambda pull: pull.done)
    for reference in quay.references:
        quay.engine.remove_image(reference)
    quay.references.clear()


@pytest.fixture(autouse=True)
def client_environment(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A client without our server: configured by nothing but the environment."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(Path(laboratory.manager.data_dir).parent))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "image-provisioner")
    monkeypatch.setenv("PYTHONPATH", os.getcwd())  # noqa: PTH109
