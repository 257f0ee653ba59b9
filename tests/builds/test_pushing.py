"""Images go to their community's registry: pushed after the check, known by digest; and what a failed push leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_image_manager.errors import Conflict, InvalidRequest
from jupyter_image_manager.models import Build, BuildKind, BuildState, Image, ImageState, RegistryState, Storage
from jupyter_image_manager.processes import ProcessIdentity
from jupyter_image_manager.registry.client import Manifest, ManifestFacts
from tests import faults, registries
from tests.conftest import MACHINE

from .conftest import Builder

pytestmark = pytest.mark.engine

BASE = "FROM jim-test/python:3.11\nRUN useradd -m -u 1000 jupyter\n"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[registries.Registry]:
    with registries.running(tmp_path_factory.mktemp("registry"), accounts=registries.ACCOUNTS) as registry:
        yield registry


@pytest.fixture(scope="module")
def gate(registry: registries.Registry) -> Iterator[faults.FaultProxy]:
    """One way to the registry for all tests: the base goes there once, and is mounted from then on."""
    with faults.proxy(registry.address) as gate:
        yield gate


@pytest.fixture
def proxy(gate: faults.FaultProxy) -> Iterator[faults.FaultProxy]:
    yield gate
    gate.rules.clear()


@pytest.fixture
def keep_in(builder: Builder, registry: registries.Registry) -> Callable[[str], None]:
    """Let the project's community keep its images at an address of the registry."""
    builder.manager.config.BuildSettings.push_attempts = 1
    builder.manager.config.BuildSettings.push_wait = 0.1

    def choose(address: str, secret: str = registry.secret) -> None:
        communities, actor = builder.manager.communities, builder.actor
        mine = communities.of(builder.project)
        communities.update(actor, mine.id, registry_host=address, namespace="team")
        communities.set_agent(actor, mine.id, registry.user, secret)

    return choose


@pytest.fixture
def kept(keep_in: Callable[[str], None], proxy: faults.FaultProxy) -> None:
    keep_in(proxy.address)


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


@pytest.mark.parametrize("kind", ["classic", "buildkit"])
def test_an_image_is_pushed_and_known_by_its_digest_with_either_builder(
    builder: Builder, kept: None, proxy: faults.FaultProxy, registry: registries.Registry, kind: str, folder: Path
) -> None:
    buildx = subprocess.run([MACHINE / "buildx"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    (folder / "Dockerfile").write_text(dockerfile(builder, "ENV A=1\n"))

    def said(*words: str) -> str:
        settings = [f"--ImageManager.data_dir={builder.manager.data_dir}", f"--DockerEngine.builder={kind}"]
        done = subprocess.run(
            [str(Path(sys.executable).with_name("jupyter-image")), *words, *settings],
            env=os.environ | {"PATH": f"{buildx}:{os.environ['PATH']}"},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    document = json.loads(said("build", "geo", "--activate", "--json"))
    assert (document["storage"], document["registry_state"], document["optimized"]) == ("registry", "present", False)
    image = builder.manager.store.image(document["id"])
    assert image is not None and image.state is ImageState.READY and image.registry_checked is not None
    start, end = f"{proxy.address}/team/", f"-{builder.project.id[:8]}/geo"
    assert image.repository.startswith(start) and image.repository.endswith(end)
    by_tag, manifest = told(builder, image)
    assert by_tag.digest == manifest.digest == image.digest == document["digest"] != image.engine_image
    assert image.registry_size == manifest.bytes > 1 << 20
    log = said("log", "geo")
    assert f"pushed as {image.pinned}" in log and "layers)" in log and registry.secret not in log
    # The base is there since the first of these tests, in another project's repository.
    assert kind == "classic" or "Mounted from team/" in log or "Layer already exists" in log
    assert image.repository in said("show", "geo") and "registry" in said("list")
    summary = builder.manager.images.get(builder.actor, image.id)
    assert summary.active and not [warning for warning in summary.warnings if "registr" in warning]
    assert not [tag for tag in builder.left() if tag.startswith(proxy.address)]
    with pytest.raises(Conflict, match="in its registry already"):
        builder.builds.push(builder.actor, image.id)
    with pytest.raises(Conflict, match="built and never changes"):
        builder.builds.retry(builder.actor, str(image.last_build_id))


def unpushed(builder: Builder, build: Build, words: str) -> None:
    """What every push that failed leaves: an image that works here, and says so."""
    image = builder.image(build)
    assert image.state is ImageState.READY and not image.repository, (build.failure, builder.text(build))
    assert image.registry_state is RegistryState.NONE
    assert build.failure is not None and "saved on this machine only" in build.failure.message
    assert words in build.failure.message and f"retry {image.spec}" in build.failure.hint
    said = builder.manager.images.get(builder.actor, image.id).warnings
    assert any("saved on this machine only" in warning for warning in said)
    assert not [tag for tag in builder.left() if tag.startswith("127.0.0.1:")]


def test_a_push_that_fails_is_tried_again_without_building(
    builder: Builder, registry: registries.Registry, proxy: faults.FaultProxy, keep_in: Callable[..., None]
) -> None:
    keep_in(proxy.address, "battery staple")  # which is not the agent's secret
    build = builder.build(dockerfile(builder), activate=True)
    assert (build.state, build.failure.code) == (BuildState.FAILED, "push_failed")
    unpushed(builder, build, "does not accept its service agent 'agent'")
    assert builder.manager.projects.get(builder.actor, builder.project.id).active_image_id is None
    builder.manager.images.activate(builder.actor, builder.project.id, build.image_id)  # meanwhile, by whoever wants it

    def again(words: str) -> Build:
        push = builder.wait(builder.builds.retry(builder.actor, build.id))
        assert (push.kind, push.state, push.image_id) == (BuildKind.PUSH, BuildState.FAILED, build.image_id)
        unpushed(builder, push, words)
        return push

    keep_in(proxy.address)  # rotated: the next push has it
    for status, words in ((403, "does not let"), (500, "cannot be reached, or broke off")):
        proxy.rules[:] = [faults.Fault("^PUT .*/manifests/", status=status)]
        again(words)
    proxy.rules[:] = [faults.Fault("^PUT .*/manifests/", cut_request_after=10)]
    again("cannot be reached, or broke off")
    proxy.rules[:] = [faults.Fault("/manifests/|/v2/$", status=429, headers={"Retry-After": "3600"})]
    limited = again("try again in 3600 s")

    # What the registry has it is not sent again; a limit without a time is waited out.
    builder.manager.config.BuildSettings.push_attempts = 2
    sent = len(proxy.seen)
    proxy.rules[:] = [faults.Fault("^PUT .*/manifests/", status=429, times=1)]
    push = builder.wait(builder.builds.retry(builder.actor, limited.id))
    assert push.state is BuildState.SUCCEEDED, (push.failure, builder.text(push))
    image = builder.image(push)
    assert image.repository.startswith(proxy.address) and told(builder, image)[0].digest == image.digest
    assert not [line for line in proxy.seen[sent:] if line.startswith(("PATCH", "PUT /v2/team/uploads"))]
    assert "takes no more for now" in builder.text(push) and "Trying again in 0 s" in builder.text(push)
    assert builder.builds.get(builder.actor, build.id).state is BuildState.FAILED  # it stays as it ended
    with pytest.raises(Conflict, match="in its registry already"):
        builder.builds.retry(builder.actor, push.id)


def test_a_push_is_cancelled_and_one_whose_process_dies_is_interrupted(
    builder: Builder, proxy: faults.FaultProxy, keep_in: Callable[..., None]
) -> None:
    keep_in(proxy.address)
    proxy.rules[:] = [faults.Fault("^(PATCH|PUT) .*/blobs/", rate=20_000)]
    more = "RUN head -c 400000 /dev/urandom > /noise\n"
    build = builder.submit(dockerfile(builder, more))
    builder.wait(build, lambda now: now.state is BuildState.PUSHING and now.steps > 0 and "MB" in now.instruction)
    builder.builds.cancel(builder.actor, build.id)
    build = builder.wait(build, lambda now: now.done)
    assert build.state is BuildState.CANCELLED
    unpushed(builder, build, "was cancelled")

    push = builder.builds.push(builder.actor, build.image_id)
    assert builder.builds.push(builder.actor, build.image_id).joined == 1
    push = builder.wait(push, lambda now: now.state is BuildState.PUSHING and "MB" in now.instruction)
    with pytest.raises(Conflict, match="being pushed"):
        builder.manager.images.delete(builder.actor, build.image_id, confirm=True)
    worker = ProcessIdentity.parse(push.worker)
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    push = builder.wait(push, lambda now: now.done)
    assert push.state is BuildState.INTERRUPTED
    unpushed(builder, push, "died")

    proxy.rules.clear()
    push = builder.wait(builder.builds.retry(builder.actor, push.id))
    assert push.state is BuildState.SUCCEEDED, (push.failure, builder.text(push))
    assert told(builder, builder.image(push))[1].digest == builder.image(push).digest


def test_without_a_registry_images_stay_and_a_registry_cannot_be_asked_for(
    builder: Builder, registry: registries.Registry
) -> None:
    communities, actor = builder.manager.communities, builder.actor

    def refused(words: str) -> None:
        with pytest.raises(InvalidRequest, match=words):
            builder.submit(dockerfile(builder), storage=Storage.REGISTRY)
        assert builder.manager.communities.choose(builder.project, None) is Storage.LOCAL

    refused("administrator must set a registry")
    mine = communities.of(builder.project)
    communities.update(actor, mine.id, registry_host=registry.address)
    refused("must give a service agent")
    communities.set_agent(actor, mine.id, registry.user, registry.secret)
    assert communities.choose(builder.project, None) is Storage.REGISTRY
    communities.update(actor, mine.id, agent_enabled=False)
    refused("must enable the service agent 'agent'")
    assert builder.builds.list(actor) == []
