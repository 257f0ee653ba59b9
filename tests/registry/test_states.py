"""What registries say of images is looked up without a pull, kept with its time, and said to whoever relies on it."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import docker
import pytest

from jupyter_image_manager import errors, lifecycle
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import (
    Actor,
    Image,
    ImageState,
    Project,
    Recipe,
    RegistryState,
    SourceKind,
    Storage,
    utcnow,
)
from jupyter_image_manager.registry.states import known_after, state_of
from tests import faults, registries

S = RegistryState


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (None, S.PRESENT),
        (errors.ImageNotFound(""), S.MISSING),
        (errors.RegistryRefused(""), S.FORBIDDEN),
        (errors.PullLimited(""), S.RATE_LIMITED),
        (errors.RegistryUnavailable(""), S.UNREACHABLE),
        (errors.EngineError(""), S.UNREACHABLE),
    ],
)
def test_what_an_answer_means(error: errors.ImageManagerError | None, state: RegistryState) -> None:
    assert state_of(error) is state


def test_only_an_answer_undoes_that_it_was_deleted() -> None:
    assert known_after(S.MISSING, S.UNREACHABLE) is known_after(S.MISSING, S.RATE_LIMITED) is S.MISSING
    assert known_after(S.MISSING, S.PRESENT) is S.PRESENT
    assert known_after(S.PRESENT, S.UNREACHABLE) is S.UNREACHABLE


def an_image(project: Project | None = None, **changes: object) -> Image:
    made = Image(
        id=uuid.uuid4().hex,
        project_id=project.id if project else "p",
        name="geo",
        version=1,
        state=ImageState.READY,
        storage=Storage.REGISTRY,
        recipe_id=uuid.uuid4().hex,
        created=utcnow(),
        created_by="ada",
        repository="r.example:5000/team/p/geo",
        digest="sha256:" + "1" * 64,
    )
    return replace(made, **changes)


def test_each_state_is_said_with_what_to_do() -> None:
    def said(**changes: object) -> str:
        return " ".join(lifecycle.warnings(an_image(**changes)))

    assert said(registry_state=S.PRESENT) == ""
    assert "saved on this machine only" in said(repository="") and "retry geo:1" in said(repository="")
    assert said(repository="", storage=Storage.LOCAL, optimized=True) == ""
    assert "r.example:5000 cannot be reached" in said(registry_state=S.UNREACHABLE)
    assert "right" in said(registry_state=S.FORBIDDEN)
    lost = an_image(registry_state=S.MISSING)
    assert "no longer be pulled, optimized or activated" in (lifecycle.why_unusable(lost) or "")
    assert "build geo --from-image geo:1" in " ".join(lifecycle.warnings(lost))
    held = replace(lost, optimized=True)
    assert lifecycle.why_unusable(held) is None and "optimized copy" in " ".join(lifecycle.warnings(held))
    until = utcnow() + timedelta(minutes=7)
    limited = lifecycle.warnings(an_image(registry_state=S.RATE_LIMITED), limited_until=until)
    assert f"until {until:%H:%M} UTC" in limited[0]
    for state in (S.UNREACHABLE, S.FORBIDDEN, S.RATE_LIMITED):
        assert lifecycle.why_unusable(an_image(registry_state=state)) is None


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[registries.Registry]:
    with registries.running(tmp_path / "registry", accounts=registries.ACCOUNTS) as registry:
        yield registry


@pytest.fixture
def proxy(registry: registries.Registry) -> Iterator[faults.FaultProxy]:
    with faults.proxy(registry.address) as proxy:
        yield proxy


@pytest.fixture
def pushed(
    manager: ImageManager, actor: Actor, project: Project, registry: registries.Registry, proxy: faults.FaultProxy
) -> Iterator[Callable[[str], Image]]:
    """Give images that the registry keeps behind the proxy."""
    mine = manager.communities.of(project)
    manager.communities.update(actor, mine.id, registry_host=proxy.address, namespace="team")
    manager.communities.set_agent(actor, mine.id, registry.user, registry.secret)
    client = docker.APIClient(timeout=60)
    held = manager.engine.import_filesystem(io.BytesIO(bytes(10240)), f"jim-test/{uuid.uuid4().hex}:1", env={})
    auth = {"username": registry.user, "password": registry.secret}

    def make(name: str) -> Image:
        digest = registries.push(client, held, f"{registry.address}/team/p/{name}:1", auth)
        image = an_image(project, name=name, repository=f"{proxy.address}/team/p/{name}", digest=digest)
        return manager.store.add_image(image, Recipe(id=image.recipe_id, kind=SourceKind.DOCKERFILE))

    yield make
    client.remove_image(held, force=True)
    client.close()


@pytest.mark.engine
def test_states_follow_what_the_registry_says_and_no_pull_is_counted(
    manager: ImageManager,
    actor: Actor,
    project: Project,
    registry: registries.Registry,
    proxy: faults.FaultProxy,
    pushed: Callable[[str], Image],
) -> None:
    images = [pushed(name) for name in ("a", "b", "c")]
    states = manager.registry_states
    states.max_age, states.patience = 0, 2.0

    def found(*rules: faults.Fault) -> set[RegistryState]:
        proxy.rules[:] = rules
        before = utcnow()
        assert states.refresh() == len(images)
        now = [manager.store.image(image.id) for image in images]
        assert all(one and one.registry_checked and one.registry_checked >= before for one in now)
        return {one.registry_state for one in now if one}

    def warned() -> str:
        return " ".join(w for s in manager.images.list(actor, project.id) for w in s.warnings)

    proxy.seen.clear()
    assert found() == {S.PRESENT} and warned() == ""
    told = manager.store.last_change()
    assert found() == {S.PRESENT} and manager.store.last_change() == told  # nothing new is no news
    assert not [line for line in proxy.seen if line.startswith("GET /v2/team")]

    assert found(faults.Fault("^HEAD ", status=403)) == {S.FORBIDDEN}
    assert found(faults.Fault("^HEAD ", status=500)) == {S.UNREACHABLE}
    assert found(faults.Fault(".", hang=30)) == {S.UNREACHABLE} and "cannot be reached" in warned()
    assert found() == {S.PRESENT}

    proxy.seen.clear()
    assert found(faults.Fault("^HEAD ", status=429, headers={"Retry-After": "600"})) == {S.RATE_LIMITED}
    assert "takes no more until" in warned()
    asked = len(proxy.seen)
    assert found() == {S.RATE_LIMITED} and len(proxy.seen) == asked  # it is left alone as long as it wants
    manager.store.let_registry_rest(proxy.address, utcnow())

    registry.allow({"agent": "battery staple"})
    assert found() == {S.FORBIDDEN}
    registry.allow(registries.ACCOUNTS)

    access = manager.communities.access(manager.communities.of(project))
    assert access is not None
    with manager.communities.registry(access) as client:
        client.delete(images[0].repository, images[0].digest)
    assert states.look([images[0].id]) == 1
    gone = manager.images.get(actor, images[0].id)
    assert gone.image.registry_state is S.MISSING and "missing in the registry" in " ".join(gone.warnings)
    with pytest.raises(errors.ImageUnusable):
        manager.images.activate(actor, project.id, images[0].id)
    registry.stop()
    assert found() == {S.MISSING, S.UNREACHABLE}  # what was deleted stays so until the registry says otherwise


@pytest.mark.engine
def test_one_process_looks_and_the_fresh_are_left_alone(
    manager: ImageManager, actor: Actor, project: Project, pushed: Callable[[str], Image]
) -> None:
    image = pushed("a")
    assert manager.store.lease("registry-states", "another", 60)
    assert manager.registry_states.refresh() == 0
    manager.store.give_back("registry-states", "another")
    assert manager.registry_states.refresh() == 1
    assert manager.registry_states.refresh() == 0
    manager.communities.update(actor, manager.communities.of(project).id, registry_host="")
    assert manager.registry_states.look([image.id]) == 1  # as nobody: no secret goes to a registry that it is not for
    now = manager.store.image(image.id)
    assert now is not None and now.registry_state is S.FORBIDDEN
