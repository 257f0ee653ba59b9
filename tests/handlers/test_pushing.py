"""Over HTTP: an image goes to the registry; its push fails and is asked for again; what the registry says of it."""

from __future__ import annotations

import asyncio
import io
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_image_manager.models import Actor, Image, ImageState, Recipe, SourceKind, Storage, utcnow
from tests import faults, registries

pytestmark = pytest.mark.engine


@pytest.fixture
def jp_server_config(jp_server_config: dict[str, Any]) -> dict[str, Any]:
    return {
        **jp_server_config,
        "BuildSettings": {"from_server_environment": True, "push_attempts": 1},
        "ImageManagerExtension": {"registry_interval": 0.3},
        "RegistryStates": {"max_age": 0.3},
    }


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[registries.Registry]:
    with registries.running(tmp_path / "registry", accounts=registries.ACCOUNTS) as registry:
        yield registry


async def until(call: Any, route: str, **wanted: Any) -> Any:
    for _ in range(900):
        _, found = await call("GET", route)
        if wanted.items() <= found.items():
            return found
        await asyncio.sleep(0.1)
    raise AssertionError((wanted, found))


@pytest.fixture
def image(manager: Any, project: Any) -> Iterator[Image]:
    """An image that was built and checked, and did not get to its registry; it is tiny."""
    content = io.BytesIO(uuid.uuid4().bytes.ljust(512, b"\0"))
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w") as tar:
        member = tarfile.TarInfo("x")
        member.size = 512
        tar.addfile(member, content)
    tarred.seek(0)
    held = manager.engine.import_filesystem(tarred, f"jim-test/{uuid.uuid4().hex}:1", env={})
    recipe = Recipe(id=uuid.uuid4().hex, kind=SourceKind.DOCKERFILE)
    yield manager.store.add_image(
        Image(
            id=uuid.uuid4().hex,
            project_id=project["id"],
            name="geo",
            version=0,
            state=ImageState.READY,
            storage=Storage.REGISTRY,
            recipe_id=recipe.id,
            created=utcnow(),
            created_by="ada",
            digest=held,
            engine_image=held,
            architecture=manager.engine.info().architecture,
        ),
        recipe,
    )
    manager.engine.remove_image(held, force=True)


async def test_a_push_that_failed_is_asked_for_again(
    call: Any, manager: Any, project: Any, image: Image, registry: registries.Registry, jp_serverapp: Any
) -> None:
    await jp_serverapp.extension_manager.start_all_extensions()  # what the server does by itself
    wanted = {"name": "geo", "dockerfile_text": "FROM x\n", "storage": "registry"}
    code, refused = await call("POST", f"projects/{project['id']}/builds", wanted)
    assert code == 400 and "administrator must set a registry" in refused["message"]
    route = f"images/{image.id}"
    assert (await call("POST", f"{route}/push", {}))[0] == 400
    with faults.proxy(registry.address) as proxy:
        actor = Actor(name="owner", display_name="Owner", via="http")
        mine = manager.communities.of(manager.store.project(project["id"]))
        manager.communities.update(actor, mine.id, registry_host=proxy.address, namespace="team")
        manager.communities.set_agent(actor, mine.id, registry.user, registry.secret)
        proxy.rules[:] = [faults.Fault("^PUT .*/manifests/", status=403)]

        code, push = await call("POST", f"{route}/push", {})
        assert (code, push["kind"]) == (202, "push")
        push = await until(call, f"builds/{push['id']}", state="failed")
        assert push["failure"]["code"] == "push_failed"
        _, found = await call("GET", route)
        assert (found["state"], found["storage"], found["repository"]) == ("ready", "registry", "")
        assert any("saved on this machine only" in warning for warning in found["warnings"])

        proxy.rules.clear()
        _, push = await call("POST", f"builds/{push['id']}/retry", {})
        await until(call, f"builds/{push['id']}", state="succeeded")
        found = await until(call, route, registry_state="present")
        assert found["repository"].startswith(proxy.address) and found["registry_size"] > 0
        assert found["digest"] != image.digest
        assert (await call("POST", f"{route}/push", {}))[0] == 409

        proxy.rules[:] = [faults.Fault("^HEAD ", status=404)]  # the server looks by itself
        lost = await until(call, route, registry_state="missing")
        assert any("missing in the registry" in warning for warning in lost["warnings"])
        code, refused = await call("PUT", f"projects/{project['id']}/active-image", {"image_id": image.id})
        assert (code, refused["code"]) == (409, "image_unusable")
        proxy.rules.clear()
        await until(call, route, registry_state="present")
