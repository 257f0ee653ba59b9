"""Communities through the API: no answer, error or log ever holds a secret."""

from __future__ import annotations

import base64
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from .. import registries
from .test_app import heard


async def test_a_community_is_set_tried_and_used_by_a_project(
    call: Any, project: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[Any] = []

    async def answered(method: str, route: str, body: Any = None, *, code: int = 200) -> Any:
        status, found = await call(method, route, body)
        assert status == code, found
        shown.append(found)
        return found

    personal = (await answered("GET", "communities"))["items"][0]
    assert personal["personal"]
    made = await answered("POST", "communities", {"name": "Science"}, code=201)
    place = f"communities/{made['id']}"
    assert await answered("GET", place) == made
    with registries.running(tmp_path / "r", accounts=registries.ACCOUNTS) as registry:
        await answered("PATCH", place, {"registry_host": registry.address, "namespace": "science"})
        offer = await answered("GET", f"projects/{project['id']}/storage")
        assert offer["default"] == "local"
        agent = await answered("PUT", f"{place}/agent", {"user": "agent", "secret": registry.secret})
        assert (agent["agent"], agent["agent_enabled"]) == ("agent", True)
        moved = await answered("PATCH", f"projects/{project['id']}", {"community_id": made["id"]})
        assert moved["community_id"] == made["id"]
        offer = await answered("GET", f"projects/{project['id']}/storage")
        assert offer["default"] == "registry"
        found = (await answered("POST", f"{place}/test"))["items"]
        assert {each["id"]: each["status"] for each in found if each["id"] != "registry-engine"} == {
            "registry-push": "ok",
            "registry-pull": "ok",
            "registry-delete": "ok",
        }
        await answered("PUT", f"{place}/agent", {"user": "agent", "secret": "battery staple"})
        (finding,) = (await answered("POST", f"{place}/test"))["items"]
        assert (finding["id"], finding["status"]) == ("registry-sign-in", "error")
    await answered("PATCH", place, {"agent_enabled": False})
    await answered("DELETE", f"{place}/agent")
    refused = await answered("DELETE", place, code=409)
    assert refused["code"] == "conflict"
    await answered("PATCH", f"projects/{project['id']}", {"community_id": ""})
    await answered("DELETE", place, code=204)
    await answered("GET", place, code=404)
    for secret in registries.HASHES:
        assert secret not in json.dumps(shown)
        assert secret not in caplog.text
        assert base64.b64encode(f"agent:{secret}".encode()).decode() not in caplog.text


REFUSED: list[tuple[str, str, Any, int]] = [
    ("POST", "communities", {}, 400),
    ("POST", "communities", {"name": 5}, 400),
    ("POST", "communities", {"name": " "}, 400),
    ("PATCH", "communities/{id}", {"registry_host": "https://x.example"}, 400),
    ("PATCH", "communities/{id}", {"namespace": "../.."}, 400),
    ("PATCH", "communities/{id}", {"agent_enabled": True}, 400),
    ("PATCH", "communities/{id}", {"agent_enabled": "yes"}, 400),
    ("PATCH", "communities/{id}", {"agent": "x"}, 400),
    ("PUT", "communities/{id}/agent", {"user": "agent"}, 400),
    ("PUT", "communities/{id}/agent", {"user": "agent", "secret": ["hush-hush"]}, 400),
    ("PUT", "communities/{id}/agent", {"user": "agent", "secret": "hush-hush"}, 400),  # no registry yet
    ("PUT", "communities/{id}/agent", '{"user": "agent", "secret": "hush-hush"', 400),
    ("PATCH", "communities/nowhere", {"name": "x"}, 404),
    ("PUT", "communities/nowhere/agent", {"user": "agent", "secret": "hush-hush"}, 404),
    ("POST", "communities/nowhere/test", {}, 404),
    ("DELETE", "communities/nowhere", None, 404),
    ("DELETE", "communities/{id}", None, 409),
    ("GET", "projects/nowhere/storage", None, 404),
]


async def test_what_cannot_be_meant_is_refused_without_repeating_a_secret(
    call: Any, project: Any, caplog: pytest.LogCaptureFixture
) -> None:
    _, listed = await call("GET", "communities")
    for method, route, body, code in REFUSED:
        status, refused = await call(method, route.format(id=listed["items"][0]["id"]), body)
        assert status == code, (method, route, body, refused)
        assert "hush" not in json.dumps(refused) + caplog.text
        assert (await call("GET", "communities"))[1] == listed, (method, route, body)


async def test_a_change_of_a_community_is_an_event(call: Any, jp_serverapp: Any) -> None:
    _, one_more = await heard(jp_serverapp, "community")
    await jp_serverapp.extension_manager.start_all_extensions()
    _, made = await call("POST", "communities", {"name": "Heard"})
    event = await one_more()
    assert (event["action"], event["id"], event["project_id"]) == ("created", made["id"], "")
