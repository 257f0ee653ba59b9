"""A retirement through the API, up to the kernel that does not start any more and says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from ..conftest import share_runtimes


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return share_runtimes(tmp_path / "image manager data")


async def test_a_retirement_is_previewed_declared_listed_and_withdrawn(call: Any, project: Any) -> None:
    wanted = {"created_before": "2025-12-03", "stops": "2999-01-31", "python": "<3.9", "message": "No updates"}
    code, found = await call("POST", "retirements/preview", wanted)
    assert (code, found["images"]) == (200, [])
    code, found = await call("POST", "retirements", {**wanted, "delete_after": "90d"})
    assert code == 201
    code, listed = await call("GET", "retirements")
    assert listed["items"] == [found["retirement"]]
    code, _ = await call("DELETE", f"retirements/{found['retirement']['id']}")
    assert code == 204
    code, refused = await call("DELETE", f"retirements/{found['retirement']['id']}")
    assert (code, refused["code"]) == (404, "retirement_not_found")


@pytest.mark.parametrize(
    ("change", "status", "key"),
    [
        ({"stops": "soon"}, 400, "stops"),
        ({"created_before": None}, 400, "created_before"),
        ({"python": "old"}, 400, "python"),
        ({"project": "nowhere"}, 400, "project"),
        ({"colour": "red"}, 400, "colour"),
        ({"delete_after": "late"}, 400, "delete_after"),
        ({"stops": "2001-01-01"}, 409, "images"),
    ],
)
async def test_what_cannot_be_meant_is_refused(call: Any, change: dict[str, Any], status: int, key: str) -> None:
    code, refused = await call("POST", "retirements", {"created_before": "2000-01-01", "stops": "2999-01-31", **change})
    assert code == status
    assert key in (refused["details"].get("key"), *refused["details"])


@pytest.mark.engine
async def test_a_kernel_in_a_retired_image_does_not_start_and_says_why(
    call: Any, jp_fetch: Any, manager: Any, project: Any, base_image: Callable[[str], str]
) -> None:
    dockerfile = f"FROM {base_image('3.11')}\nRUN useradd --create-home --uid 1000 jupyter\n"
    body = {"name": "geo", "dockerfile_text": dockerfile, "activate": True}
    _, build = await call("POST", f"projects/{project['id']}/builds", body)
    for _ in manager.builds.follow(manager.system_actor(), build["id"]):
        pass
    session = {"path": "science/a.ipynb", "type": "notebook", "name": "a", "kernel": {"name": "python3"}}

    async def start() -> Any:
        answer = await jp_fetch("api", "sessions", method="POST", body=json.dumps(session), request_timeout=120)
        return json.loads(answer.body)

    begun = await start()
    await jp_fetch("api", "sessions", begun["id"], method="DELETE")

    rule = {"created_before": "2999-01-01", "stops": "2999-12-31", "confirm": True}
    _, found = await call("POST", "retirements", rule)
    assert [hit["active_in"] for hit in found["images"]] == [["Science"]]
    _, image = await call("GET", f"images/{build['image_id']}")
    assert not image["retirement"]["stopped"]
    assert "stops working on 2999-12-31" in " ".join(image["warnings"])

    await call("POST", "retirements", {**rule, "stops": "2001-01-01", "message": "Python 3.8 gets no updates"})
    with pytest.raises(HTTPClientError) as refused:
        await start()
    assert refused.value.response is not None
    said = json.loads(refused.value.response.body)["message"]
    assert "geo:1 is retired" in said
    assert "Python 3.8 gets no updates" in said
    assert "jupyter image migrate geo:1" in said
    _, image = await call("GET", f"images/{build['image_id']}")
    assert (image["state"], image["retirement"]["stopped"]) == ("ready", True)
    code, refusal = await call("PUT", f"projects/{project['id']}/active-image", {"image_id": image["id"]})
    assert (code, refusal["code"]) == (409, "image_unusable")


async def test_a_migration_says_beforehand_what_it_would_do_and_refuses_what_is_none(call: Any, project: Any) -> None:
    wanted = {"project_id": project["id"]}
    assert await call("POST", "migrations/preview", wanted) == (200, {"items": []})
    code, refused = await call("POST", "migrations", wanted)  # nothing there retires
    assert (code, refused["code"]) == (409, "conflict")
    for body in (
        {},
        {**wanted, "everything": True},
        {**wanted, "test": "nowhere.ipynb"},
        {**wanted, "bases": {"a": "-"}},
    ):
        code, _ = await call("POST", "migrations", body)
        assert code == 400, body
    code, _ = await call("POST", "migrations", {"images": ["nothing"]})
    assert code == 404
    assert await call("GET", "migrations") == (200, {"items": []})
    for verb, route in (("GET", ""), ("DELETE", ""), ("POST", "/resume"), ("POST", "/undo")):
        code, refused = await call(verb, f"migrations/{'0' * 32}{route}")
        assert (code, refused["code"]) == (404, "migration_not_found")
