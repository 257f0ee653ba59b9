"""What a real engine cannot be made to do on demand: the real client talks to a server that hangs, dies or is old."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_image_manager.engine.docker_engine import DockerEngine
from jupyter_image_manager.engine.port import BuildSpec
from jupyter_image_manager.errors import EngineTimeout, EngineUnavailable, ImageManagerError, PullLimited

VERSION = {"ApiVersion": "1.41", "Version": "20.10.24", "Components": [{"Name": "Engine"}]}
HANG = b""


def answer(value: object, status: str = "200 OK") -> bytes:
    body = json.dumps(value).encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def chunks(*events: object) -> bytes:
    """The beginning of a stream that never comes to its end."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    bodies = [json.dumps(event).encode() + b"\n" for event in events]
    return head + b"".join(f"{len(body):x}\r\n".encode() + body + b"\r\n" for body in bodies)


class Server:
    """Answers each request by its path, and closes; nothing to say means that it hangs."""

    def __init__(self, path: Path, answers: dict[str, bytes]) -> None:
        self.address = f"unix://{path}"
        self._answers = answers
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # a client that has gone is none of the server's business
            received = b""
            while b"\r\n\r\n" not in received:
                received += connection.recv(1 << 16)
            head = received.partition(b"\r\n\r\n")[0]
            while b"chunked" in head and not received.endswith(b"0\r\n\r\n"):
                received += connection.recv(1 << 16)
            path = head.split()[1].decode()
            said = next((text for part, text in self._answers.items() if part in path), HANG)
            if said != HANG:
                connection.sendall(said)
                connection.shutdown(socket.SHUT_RDWR)
                connection.close()

    def close(self) -> None:
        self._socket.close()
        for connection in self._open:
            connection.close()


@pytest.fixture
def engine_at(tmp_path: Path) -> Iterator[Callable[[dict[str, bytes]], DockerEngine]]:
    servers: list[Server] = []
    engines: list[DockerEngine] = []

    def make(answers: dict[str, bytes]) -> DockerEngine:
        servers.append(Server(tmp_path / f"{len(servers)}.sock", answers))
        engines.append(DockerEngine(host=servers[-1].address, timeout=0.5, builder="classic"))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()
    for server in servers:
        server.close()


def one_sentence(error: ImageManagerError) -> bool:
    return error.message.endswith(".") and "\n" not in error.message and error.exit_code == 3


def test_an_engine_that_hangs(engine_at) -> None:
    for answers in ({}, {"/version": answer(VERSION)}):
        engine = engine_at(answers)
        for call in (engine.info, lambda e=engine: e.inspect("x"), lambda e=engine: e.list_images({})):
            with pytest.raises(EngineTimeout) as caught:
                call()
            assert one_sentence(caught.value)


def test_an_engine_that_is_not_there(tmp_path: Path) -> None:
    engine = DockerEngine(host=f"unix://{tmp_path}/none.sock")
    with pytest.raises(EngineUnavailable, match="jupyter image setup") as caught:
        engine.info()
    assert one_sentence(caught.value)


def test_an_engine_of_long_ago(engine_at) -> None:
    with pytest.raises(EngineUnavailable, match=r"19\.03\.1; 20\.10 or newer"):
        engine_at({"/version": answer({"ApiVersion": "1.40", "Version": "19.03.1"})}).info()


def test_newer_engines_are_spoken_to_in_their_language(engine_at) -> None:
    engine = engine_at(
        {
            "/v1.44/version": answer({**VERSION, "ApiVersion": "1.52"}),
            "/v1.44/info": answer({"ID": "x"}),
            "/version": answer({**VERSION, "ApiVersion": "1.52", "Version": "29.0.0"}),
        }
    )
    assert engine.info().id == "x"


def test_a_build_whose_engine_dies(engine_at) -> None:
    stream = chunks({"stream": "Step 1/2 : FROM x"}, {"stream": "\n"}, {"aux": {"ID": "sha256:1"}})
    engine = engine_at({"/build": stream, "/version": answer(VERSION)})
    seen = []
    spec = BuildSpec(tag="a:1", dockerfile="Dockerfile", labels={}, build_args={})
    with pytest.raises(EngineUnavailable) as caught:
        seen.extend(engine.build(spec, [b"x"]))
    assert one_sentence(caught.value)


def test_a_build_that_ends_without_a_word(engine_at) -> None:
    """No image of an earlier build with the same tag may be taken for its result."""
    stream = chunks({"stream": "Step 1/1 : FROM x\n"}, {"aux": {"ID": "sha256:1"}}) + b"0\r\n\r\n"
    engine = engine_at({"/build": stream, "/version": answer(VERSION), "/images": answer({"Id": "sha256:1"})})
    spec = BuildSpec(tag="a:1", dockerfile="Dockerfile", labels={}, build_args={})
    with pytest.raises(EngineUnavailable, match="build again"):
        list(engine.build(spec, [b"x"]))


def test_the_words_of_newer_classic_builders(engine_at) -> None:
    said = [
        *("Step 1/1 : RUN x", "\n", " ---> Running in 0123456789ab\n", "x\n"),
        *(" ---> Removed intermediate container 0123456789ab\n", " ---> ba9876543210\n"),
        *("Successfully built ba9876543210\n", "Successfully tagged a:1\n"),
    ]
    stream = chunks(*({"stream": text} for text in said)) + b"0\r\n\r\n"
    engine = engine_at({"/build": stream, "/version": answer(VERSION), "/images": answer({"Id": "sha256:1"})})
    spec = BuildSpec(tag="a:1", dockerfile="Dockerfile", labels={}, build_args={})
    found = list(engine.build(spec, [b"x"]))
    assert [(p.kind, p.text or p.image_id) for p in found] == [("step", "RUN x"), ("line", "x"), ("image", "sha256:1")]


def test_a_log_whose_engine_dies(engine_at) -> None:
    engine = engine_at(
        {"/logs": chunks({"x": 1}), "/version": answer(VERSION), "/json": answer({"Config": {"Tty": True}})}
    )
    with pytest.raises(EngineUnavailable):
        list(engine.follow("x"))


def test_a_pull_that_is_limited(engine_at) -> None:
    text = "toomanyrequests: You have reached your pull rate limit. Retry-After: 120"
    refused = {"/images/create": answer({"message": text}, "500 Internal Server Error"), "/version": answer(VERSION)}
    in_stream = {"/images/create": chunks({"error": text}) + b"0\r\n\r\n", "/version": answer(VERSION)}
    for answers in (refused, in_stream):
        with pytest.raises(PullLimited, match="120 s") as caught:
            list(engine_at(answers).pull("python:3.11"))
        assert "mirror" in caught.value.message


def test_what_answers_is_no_engine(engine_at) -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"
    with pytest.raises(ImageManagerError):
        engine_at({"/version": page}).info()
