"""From an empty folder to a cell that ran in the image, through a server in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect
from traitlets.config import Config

from jupyter_image_manager.manager import ImageManager

from ..conftest import clean, share_runtimes
from .described import check_answer
from .test_fuzz import TOKEN, _address

pytestmark = pytest.mark.engine
WAIT = 60


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Start a real server; return its address."""
    (tmp_path / "work" / "наука").mkdir(parents=True)
    data = share_runtimes(tmp_path / "images")
    environment = {
        **os.environ,
        **{f"JUPYTER_{name}_DIR": str(tmp_path / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")},
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--ServerApp.port=0", "--allow-root"]
    command += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={tmp_path / 'work'}"]
    command += [f"--ImageManager.data_dir={data}"]
    command += ["--ServerApp.jpserver_extensions={'jupyter_image_manager': True, 'jupyter_server_terminals': False}"]
    log = tmp_path / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, cwd=tmp_path)
    try:
        yield _address(process, tmp_path / "runtime", log)
    finally:
        process.terminate()
        process.wait(60)
        service = ImageManager(config=Config({"ImageManager": {"data_dir": str(data)}}))
        clean(service.engine, service.store.installation_id())
        service.close()


class Client:
    """A browser, as far as we need one."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.headers = {"Authorization": f"token {TOKEN}"}

    async def fetch(self, method: str, path: str, body: Any = None) -> Any:
        answer = await AsyncHTTPClient().fetch(
            self.address + path,
            method=method,
            headers=self.headers,
            body=json.dumps(body) if method in ("POST", "PUT") else None,
            request_timeout=WAIT,
        )
        return json.loads(answer.body) if answer.body else None

    async def call(self, method: str, route: str, body: Any = None) -> Any:
        found = await self.fetch(method, f"image-manager/v1/{route}", body)
        code = {"DELETE": 204, "POST": 202 if route.endswith("builds") else 201}.get(method, 200)
        check_answer(method, route.split("?")[0], code, "application/json", found)
        return found

    async def open(self, path: str) -> WebSocketClientConnection:
        return await websocket_connect(HTTPRequest(f"ws{self.address[4:]}{path}", headers=self.headers))

    async def lines(self, build_id: str, after: int = 0, until: int | None = None) -> tuple[list[int], Any]:
        """Follow a log; break off after some lines, or return the build at its end."""
        numbers: list[int] = []
        reader, writer = await asyncio.open_connection(*self.address.split("/")[2].split(":"))
        writer.write(
            f"GET /image-manager/v1/builds/{build_id}/log HTTP/1.1\r\nHost: {self.address.split('/')[2]}\r\n"
            f"Authorization: token {TOKEN}\r\nAccept: text/event-stream\r\nLast-Event-ID: {after}\r\n\r\n".encode()
        )
        try:
            event = ""
            while words := (await asyncio.wait_for(reader.readline(), WAIT)).decode().strip("\r\n") or " ":
                if words.startswith("id: "):
                    numbers.append(int(words[4:]))
                    if until is not None and len(numbers) == until:
                        return numbers, None
                elif words.startswith("event: "):
                    event = words[7:]
                elif words.startswith("data: ") and event == "end":
                    return numbers, json.loads(words[6:])
                assert not reader.at_eof(), "the stream ended without `end`"
        finally:
            writer.close()
        raise AssertionError("unreachable")


async def answers(socket: WebSocketClientConnection, code: str) -> list[dict[str, Any]]:
    """Run a cell; return all that the kernel said to it, up to its becoming idle."""
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "session": "s",
        "username": "",
        "version": "5.3",
    }
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    await socket.write_message(json.dumps(message))
    said: list[dict[str, Any]] = []
    while True:
        answer = json.loads(await asyncio.wait_for(socket.read_message(), WAIT) or "null")
        assert answer is not None, "the kernel's websocket was closed"
        if answer["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        said.append(answer)
        if answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
            return said


async def execute(socket: WebSocketClientConnection, code: str) -> str:
    """Run a cell; return what it printed."""
    said = ""
    for answer in await answers(socket, code):
        assert answer["msg_type"] != "error", answer["content"]
        if answer["msg_type"] == "stream":
            said += answer["content"]["text"]
    return said


async def until_event(socket: WebSocketClientConnection, seen: list[Any], wanted: Callable[[Any], bool]) -> None:
    while not any(wanted(event) for event in seen):
        message = await asyncio.wait_for(socket.read_message(), WAIT)
        assert message is not None, "the events' websocket was closed"
        seen.append(json.loads(message))


async def test_a_notebook_runs_in_the_image_of_its_project(server: str, base_image: Callable[[str], str]) -> None:
    client, secret = Client(server), uuid.uuid4().hex
    events = await client.open("api/events/subscribe")
    seen: list[Any] = []
    project = await client.call("POST", "projects", {"path": "наука"})
    dockerfile = (
        f"FROM {base_image('3.11')}\nRUN useradd --create-home --uid 1000 jupyter\n"
        f"RUN for n in $(seq 30); do echo line $n; sleep 0.05; done; echo {secret} > /etc/baked\n"
    )
    build = await client.call(
        "POST", f"projects/{project['id']}/builds", {"name": "geo", "dockerfile_text": dockerfile}
    )
    first, _ = await client.lines(build["id"], until=6)
    rest, ended = await client.lines(build["id"], after=first[-1])
    assert first + rest == list(range(1, len(first + rest) + 1))
    assert ended["state"] == "succeeded", ended["failure"]
    await client.call("PUT", f"projects/{project['id']}/active-image", {"image_id": ended["image_id"]})

    asked = {"path": "наука/a.ipynb", "name": "a.ipynb", "type": "notebook", "kernel": {"name": "python3"}}
    session = await client.fetch("POST", "api/sessions", asked)
    kernel = session["kernel"]["id"]
    socket = await client.open(f"api/kernels/{kernel}/channels")
    assert await execute(socket, "print(open('/etc/baked').read(), end='')") == f"{secret}\n"
    running = await client.call("GET", f"projects/{project['id']}/kernels")
    assert [(each["kernel_id"], each["image"]) for each in running["items"]] == [(kernel, "geo:1")]
    await client.fetch("POST", f"api/kernels/{kernel}/restart")
    socket.close()
    await client.fetch("DELETE", f"api/sessions/{session['id']}")

    def of_kernels() -> list[Any]:
        return [event for event in seen if event["schema_id"].endswith("/kernel/v1")]

    await until_event(events, seen, lambda event: len(of_kernels()) == 4)
    assert [event["action"] for event in of_kernels()] == ["started", "removed"] * 2
    assert {event["kernel_id"] for event in of_kernels()} == {kernel}
    assert all(event["notebook"].endswith("/наука/a.ipynb") for event in of_kernels())
    for noun in ("project", "image", "build"):
        await until_event(events, seen, lambda event, noun=noun: event["schema_id"].endswith(f"/{noun}/v1"))
    ours = [event for event in seen if "jupyter_image_manager" in event["schema_id"]]
    # The personal community, made with the first project, belongs to none.
    assert {event["project_id"] for event in ours if "/community/" not in event["schema_id"]} == {project["id"]}
    events.close()
    await client.call("PUT", f"projects/{project['id']}/active-image", {"image_id": None})
    await client.call("DELETE", f"images/{ended['image_id']}?confirm=true")
    assert (await client.call("GET", f"projects/{project['id']}/images"))["items"] == []
