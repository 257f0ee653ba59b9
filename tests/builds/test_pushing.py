"""Images go to their community's registry: pushed after the check, known by digest; and what a failed push leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from jupyter_image_manager.errors import Conflict
from jupyter_image_manager.models import BuildState, Image, ImageState, RegistryState, Storage
from jupyter_image_manager.registry.client import Manifest, ManifestFacts
from tests import faults, registries
from tests.engine.conftest import bench_of, bench_with, buildx  # noqa: F401  # fixtures

from .conftest import Builder

pytestmark = pytest.mark.engine

BASE = "FROM jim-test/python:3.11\nRUN useradd -m -u 1000 jupyter\n"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[registries.Registry]:
    """One registry for all: the base goes there once, and is mounted from then on."""
    with registries.running(tmp_path_factory.mktemp("registry"), accounts=registries.ACCOUNTS) as registry:
        yield registry


@pytest.fixture
def proxy(registry: registries.Registry) -> Iterator[faults.FaultProxy]:
    with faults.proxy(registry.address) as proxy:
        yield proxy


@pytest.fixture
def keep_in(builder: Builder, registry: registries.Registry) -> Callable[[str], None]:
    """Let the project's community keep its images at an address of the registry."""
    builder.manager.config.BuildSettings.push_attempts = 1

    def choose(address: str, secret: str = registry.secret) -> None:
        communities, actor = builder.manager.communities, builder.actor
        mine = communities.of(builder.project)
        communities.update(actor, mine.id, registry_host=address, namespace="team")
        communities.set_agent(actor, mine.id, registry.user, secret)

    return choose


@pytest.fixture
def kept(keep_in: Callable[[str], None], registry: registries.Registry) -> None:
    keep_in(registry.address)


def dockerfile(builder: Builder, more: str = "") -> str:
    return f"{BASE}LABEL who={builder.project.id}\n{more}"


def told(builder: Builder, image: Image) -> tuple[ManifestFacts, Manifest]:
    """What the registry says of an image, by digest."""
    communities = builder.manager.communities
    access = communities.access(communities.of(builder.project))
    assert access is not None
    with communities.registry(access) as registry:
        by_tag = registry.head(image.repository, str(image.version))
        assert by_tag is not None
        return by_tag, registry.manifest(image.repository, image.digest)


def test_an_image_is_pushed_and_known_by_its_digest(
    builder: Builder, kept: None, registry: registries.Registry
) -> None:
    build = builder.build(dockerfile(builder), activate=True)
    assert build.state is BuildState.SUCCEEDED, (build.failure, builder.text(build))
    image = builder.image(build)
    assert (image.storage, image.optimized, image.state) == (Storage.REGISTRY, False, ImageState.READY)
    start = f"{registry.address}/team/"
    assert image.repository.startswith(start) and image.repository.endswith(f"-{builder.project.id[:8]}/geo")
    by_tag, manifest = told(builder, image)
    assert by_tag.digest == manifest.digest == image.digest != image.engine_image
    assert image.registry_size == manifest.bytes > 1 << 20
    assert image.registry_state is RegistryState.PRESENT and image.registry_checked is not None
    log = builder.text(build)
    assert f"pushed as {image.pinned}" in log and "layers)" in log and registry.secret not in log
    summary = builder.manager.images.get(builder.actor, image.id)
    assert summary.active and not [w for w in summary.warnings if "registr" in w]
    assert not [tag for tag in builder.left() if tag.startswith(registry.address)]
    with pytest.raises(Conflict, match="in its registry already"):
        builder.builds.push(builder.actor, image.id)
    with pytest.raises(Conflict, match="built and never changes"):
        builder.builds.retry(builder.actor, build.id)
