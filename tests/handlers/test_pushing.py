"""Over HTTP: an image goes to the registry; its push fails and is asked for again; what the registry says of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_image_manager.models import Actor
from tests import faults, registries

pytestmark = pytest.mark.engine

DOCKERFILE = "FROM jim-test/python:3.11\nRUN useradd -m -u 1000 jupyter\n"


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


async def test_a_push_that_failed_is_asked_for_again(
    call: Any, manager: Any, project: Any, registry: registries.Registry, jp_serverapp: Any
) -> None:
    await jp_serverapp.extension_manager.start_all_extensions()  # what the server does by itself
    with faults.proxy(registry.address) as proxy:
        actor = Actor(name="owner", display_name="Owner", via="http")
        mine = manager.communities.of(manager.store.project(project["id"]))
        manager.communities.update(actor, mine.id, registry_host=proxy.address, namespace="team")
        manager.communities.set_agent(actor, mine.id, registry.user, registry.secret)
        proxy.rules[:] = [faults.Fault("^PUT .*/manifests/", status=403)]

        code, build = await call(
            "POST",
            f"projects/{project['id']}/builds",
            {"name": "geo", "dockerfile_text": DOCKERFILE, "storage": "registry"},
        )
        assert code == 202
        build = await until(call, f"builds/{build['id']}", state="failed")
        assert build["failure"]["code"] == "push_failed"
        route = f"images/{build['image_id']}"
        _, image = await call("GET", route)
        assert (image["state"], image["storage"], image["repository"]) == ("ready", "registry", "")
        assert any("saved on this machine only" in warning for warning in image["warnings"])

        proxy.rules.clear()
        code, push = await call("POST", f"{route}/push", {})
        assert (code, push["kind"]) == (202, "push")
        await until(call, f"builds/{push['id']}", state="succeeded")
        image = await until(call, route, registry_state="present")
        assert image["repository"].startswith(proxy.address) and image["registry_size"] > 1 << 20
        assert (await call("POST", f"{route}/push", {}))[0] == 409

        proxy.rules[:] = [faults.Fault("^HEAD ", status=404)]  # the server looks by itself
        lost = await until(call, route, registry_state="missing")
        assert any("missing in the registry" in warning for warning in lost["warnings"])
        code, refused = await call("PUT", f"projects/{project['id']}/active-image", {"image_id": image["id"]})
        assert (code, refused["code"]) == (409, "image_unusable")
        proxy.rules.clear()
        await until(call, route, registry_state="present")
