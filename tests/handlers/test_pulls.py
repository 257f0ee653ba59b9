"""Over HTTP: a pull is begun, seen, told as events and cancelled; an image that its registry has no more is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_image_manager.models import ImageState, Report, Storage
from jupyter_image_manager.watcher import schema_of
from tests import faults, registries

from ..store.values import a_recipe, an_image

pytestmark = pytest.mark.engine


@pytest.fixture
def jp_server_config(jp_server_config: dict[str, Any]) -> dict[str, Any]:
    return {**jp_server_config, "PullService": {"look_timeout": 1.0, "first_patience": 60.0}}


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[faults.FaultProxy]:
    with registries.running(tmp_path / "registry") as registry, faults.proxy(registry.address) as proxy:
        yield proxy


def absent(manager: Any, project: Any, proxy: faults.FaultProxy) -> Any:
    """Add an image that is on no machine."""
    recipe = a_recipe()
    image = an_image(
        project["id"],
        recipe,
        state=ImageState.READY,
        storage=Storage.REGISTRY,
        engine_image="sha256:" + "e" * 64,
        digest="sha256:" + "d" * 64,
        repository=f"{proxy.address}/team/geo",
        architecture=manager.engine.info().architecture,
        report=Report(ok=True),
    )
    return manager.store.add_image(image, recipe)


async def test_a_pull_is_begun_seen_and_cancelled(
    call: Any, jp_serverapp: Any, manager: Any, project: Any, proxy: faults.FaultProxy
) -> None:
    told: list[str] = []

    async def listen(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        told.append(data["action"])
        if data["action"] == "cancelled":
            over.set()

    over = asyncio.Event()
    await jp_serverapp.extension_manager.start_all_extensions()
    jp_serverapp.event_logger.add_listener(schema_id=schema_of("pull"), listener=listen)
    image = absent(manager, project, proxy)
    proxy.rules.append(faults.Fault("", hang=120))
    code, pull = await call("POST", f"images/{image.id}/pull", {})
    assert code == 202 and pull["state"] == "waiting" and pull["unattended"] and pull["reference"] == image.pinned
    code, joined = await call("POST", f"images/{image.id}/pull", {})
    assert code == 202 and joined["id"] == pull["id"]
    code, listed = await call("GET", "pulls", active="true", project_id=project["id"])
    assert code == 200 and [one["id"] for one in listed["items"]] == [pull["id"]]
    code, _ = await call("DELETE", f"pulls/{pull['id']}")
    assert code == 202
    await over.wait()
    assert told[0] == "waiting"
    assert (await call("GET", f"pulls/{pull['id']}"))[1]["state"] == "cancelled"
    assert (await call("GET", "pulls", active="true"))[1] == {"items": []}
    code, error = await call("GET", "pulls/nothing")
    assert (code, error["code"]) == (404, "pull_not_found")


async def test_what_the_registry_has_no_more_cannot_be_pulled_nor_activated(
    call: Any, manager: Any, project: Any, proxy: faults.FaultProxy
) -> None:
    image = absent(manager, project, proxy)
    code, error = await call("POST", f"images/{image.id}/pull", {})
    assert (code, error["code"]) == (409, "image_unusable") and image.pinned in error["message"]
    code, error = await call("PUT", f"projects/{project['id']}/active-image", {"image_id": image.id})
    assert (code, error["code"]) == (409, "image_unusable")
    _, shown = await call("GET", f"images/{image.id}")
    assert shown["state"] == "missing" and shown["registry_state"] == "missing"
