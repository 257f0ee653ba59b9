from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

pytestmark = pytest.mark.engine

Base = Callable[[str], str]


@pytest.fixture
def stream(jp_serverapp: Any, jp_base_url: str, jp_auth_header: Any) -> Any:
    """Open a log's stream; return its events as (id, name, data) when it ended, or after some of them."""

    async def follow(build_id: str, *, until: int | None = None, **headers: str) -> list[tuple[str, str, Any]]:
        events: list[tuple[str, str, Any]] = []
        enough, rest = asyncio.Event(), b""

        def chunk(data: bytes) -> None:
            nonlocal rest
            *whole, rest = (rest + data).split(b"\n\n")
            for text in whole:
                fields = dict(line.split(": ", 1) for line in text.decode().split("\n") if not line.startswith(":"))
                if fields:
                    events.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
                    if until is not None and len(events) >= until:
                        enough.set()

        client = AsyncHTTPClient(force_instance=True)
        url = f"http://127.0.0.1:{jp_serverapp.port}{jp_base_url}image-manager/v1/builds/{build_id}/log"
        request = HTTPRequest(
            url,
            headers={**jp_auth_header, "Accept": "text/event-stream", **headers},
            streaming_callback=chunk,
            request_timeout=300,
        )
        response = asyncio.ensure_future(client.fetch(request, raise_error=False))
        waiting = asyncio.ensure_future(enough.wait())
        await asyncio.wait({response, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        client.close()
        if response.done():
            assert response.result().code == 200
            assert response.result().headers["Content-Type"] == "text/event-stream"
            assert response.result().headers["Cache-Control"] == "no-cache"
        else:
            response.cancel()
        return events

    return follow


async def test_a_build_is_followed_to_its_end(
    call: Any, jp_fetch: Any, manager: Any, project: Any, base_image: Base, stream: Any, jp_base_url: str
) -> None:
    lines = "".join(f"echo line-{n};" for n in range(40))
    user = "RUN useradd --create-home --uid 1000 jupyter"
    # Never seen before, so that the builder does not take the step from its cache.
    dockerfile = f"FROM {base_image('3.11')}\n{user}\nRUN {lines} : {uuid.uuid4()}\n"
    answer = await jp_fetch(
        *f"image-manager/v1/projects/{project['id']}/builds".split("/"),
        method="POST",
        body=json.dumps({"name": "geo", "dockerfile_text": dockerfile, "activate": True}),
    )
    build = json.loads(answer.body)
    assert answer.code == 202
    assert answer.headers["Location"] == f"{jp_base_url}image-manager/v1/builds/{build['id']}"

    events = await stream(build["id"])
    numbers = [int(identity) for identity, name, _ in events if name == "line"]
    assert numbers == list(range(1, len(numbers) + 1))
    texts = [data["text"] for _, name, data in events if name == "line"]
    assert [text for text in texts if text.startswith("line-")] == [f"line-{n}" for n in range(40)]
    assert all(identity == str(data["number"]) for identity, name, data in events if name == "line")
    assert events[0][1] == "build"
    assert [name for _, name, _ in events].count("end") == 1
    _, name, ended = events[-1]
    assert (name, ended["failure"]) == ("end", None)
    assert ended["state"] == "succeeded"

    # Again, from the middle, as a browser does that lost the stream.
    again = await stream(build["id"], **{"Last-Event-ID": str(numbers[-3])})
    assert [int(identity) for identity, name, _ in again if name == "line"] == numbers[-2:]
    assert again[-1][1] == "end"

    _, window = await call("GET", f"builds/{build['id']}/log", headers={"Accept": "application/json"}, start=2, count=3)
    assert [line["number"] for line in window["items"]] == [2, 3, 4]
    _, window = await call("GET", f"builds/{build['id']}/log", headers={"Accept": "application/json"}, search="LINE-39")
    assert "line-39" in [line["text"] for line in window["items"]]
    whole = await jp_fetch("image-manager", "v1", "builds", build["id"], "log")
    assert whole.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert b"line-0\n" in whole.body

    _, shown = await call("GET", f"projects/{project['id']}")
    assert shown["active_image"]["spec"] == "geo:1"
    _, listed = await call("GET", f"projects/{project['id']}/builds", active="false")
    assert [each["id"] for each in listed["items"]] == [build["id"]]
    assert (await call("GET", "builds", active="true")) == (200, {"items": []})
    code, check = await call("POST", f"images/{ended['image_id']}/check")
    assert (code, check["kind"], check["image_id"]) == (202, "check", ended["image_id"])
    said = await stream(check["id"])
    assert said[-1][1:] == ("end", (await call("GET", f"builds/{check['id']}"))[1])
    assert said[-1][2]["state"] == "succeeded", said
    assert any("A kernel starts" in data["text"] for _, name, data in said if name == "line")
    _, image = await call("GET", f"images/{ended['image_id']}")
    assert (image["last_build_id"], image["warnings"]) == (ended["id"], [])
    assert image["report"]["checked"] > ended["started"]
    code, refused = await call("POST", f"images/{ended['image_id']}/fix")
    assert (code, refused["code"]) == (409, "conflict")
    code, deletion = await call("GET", f"images/{ended['image_id']}/deletion")
    assert (code, deletion["allowed"]) == (200, False)
    code, refused = await call("DELETE", f"images/{ended['image_id']}", confirm="true")
    assert (code, refused["code"]) == (409, "image_in_use")


async def test_who_goes_away_ends_the_stream_and_a_build_is_cancelled(
    call: Any, manager: Any, project: Any, base_image: Base, stream: Any, jp_serverapp: Any
) -> None:
    dockerfile = f"FROM {base_image('3.11')}\nRUN while true; do echo tick; sleep 0.2; done\n"
    code, build = await call(
        "POST", f"projects/{project['id']}/builds", {"name": "endless", "dockerfile_text": dockerfile}
    )
    assert code == 202
    some = await stream(build["id"], until=5)
    assert some[-1][1] != "end"
    extension = next(iter(jp_serverapp.extension_manager.extension_apps["jupyter_image_manager"]))
    await asyncio.to_thread(extension._count_builds)
    assert extension.current_activity() == {"builds": 1}
    code, cancelled = await call("DELETE", f"builds/{build['id']}")
    assert code == 202
    assert cancelled["id"] == build["id"]
    events = await stream(build["id"])
    assert (events[-1][1], events[-1][2]["state"]) == ("end", "cancelled")
    await asyncio.to_thread(extension._count_builds)
    assert extension.current_activity() is None
    code, retried = await call("POST", f"builds/{build['id']}/retry")
    assert (code, retried["attempt"]) == (202, 2)
    await call("DELETE", f"builds/{build['id']}")
    events = await stream(build["id"])
    assert events[-1][2]["state"] == "cancelled"


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"storage": "cloud"}, "storage"),
        ({"secrets": {"a": 1}}, "secrets"),
        ({"build_args": ["a"]}, "build_args"),
        ({"activate": 1}, "activate"),
        ({"dockerfile": "FROM x"}, "dockerfile"),
        ({"name": None}, "name"),
    ],
)
async def test_a_wrong_request_is_refused_before_anything_is_written(
    call: Any, manager: Any, project: Any, wrong: Any, key: str
) -> None:
    code, refused = await call("POST", f"projects/{project['id']}/builds", {"name": "geo", **wrong})
    assert (code, refused["details"]) == (400, {"key": key})
    assert (await call("GET", "builds")) == (200, {"items": []})


async def test_no_such_build(call: Any) -> None:
    for accept in ("text/event-stream", "application/json", "*/*"):
        code, refused = await call("GET", "builds/nothing/log", headers={"Accept": accept})
        assert (code, refused["code"]) == (404, "build_not_found")


async def test_help_before_a_build(call: Any, project: Any) -> None:
    _, templates = await call("GET", "templates")
    choices = {"name": templates["items"][0]["name"], "python": "3.11", "requirements": "six", "apt": [], "env": {}}
    code, rendered = await call("POST", "templates/render", choices)
    assert code == 200
    assert "FROM " in rendered["dockerfile"]
    code, parsed = await call("POST", "templates/parse", rendered)
    assert (code, parsed["choices"]["requirements"]) == (200, "six\n")
    assert await call("POST", "templates/parse", {"dockerfile": "FROM a\n"}) == (200, {"choices": None})
    code, read = await call("POST", "templates/environment", {"text": "dependencies: [python=3.9, six, openssl]"})
    assert (code, read) == (200, {"name": "", "python": "3.9", "requirements": "six\n", "left_out": ["openssl"]})
    code, _ = await call("POST", "templates/environment", {"text": "six"})
    assert code == 400
    code, found = await call("GET", "package-versions", name="six", python="3.9")
    assert (code, "1.16.0" in found["items"]) == (200, True)
    code, _ = await call("GET", "package-versions", name="--pre")
    assert code == 400
    code, refused = await call("POST", "templates/render", {"name": "no such"})
    assert (code, refused["code"]) == (400, "invalid_request")
    code, found = await call("POST", "lint", {"project_id": project["id"], "dockerfile": "FROM a\nMAINTAINER me\n"})
    assert code == 200
    assert found["items"][0]["line"] in (1, 2)
    code, preview = await call("GET", f"projects/{project['id']}/context")
    assert (code, preview["files"]) == (200, 0)
    route = f"projects/{project['id']}/context"
    code, preview = await call("PATCH", route, {"file": "big.bin", "ignored": True})
    assert (code, preview["files"]) == (200, 1)  # the list itself is sent
    code, preview = await call("PATCH", route, {"file": "big.bin", "ignored": False})
    assert (code, preview["files"]) == (200, 0)
    code, _ = await call("PATCH", route, {"file": "../x", "ignored": True})
    assert code == 400
    code, refused = await call("GET", f"projects/{project['id']}/context", path="../..")
    assert code == 400
