"""Where the engine is, and a client for each thread."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import threading
import weakref
from pathlib import Path
from typing import Any

from ..errors import EngineUnavailable
from .address import require_address
from .translate import translated

MINIMUM_API = (1, 41)
"""API of Docker Engine 20.10."""

PREFERRED_API = (1, 44)
"""API of Docker Engine 25, which is the oldest that Docker Engine 29 answers to."""


def _numbers(version: object) -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", str(version))
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


class Connection:
    """Clients of one engine: the SDK's sessions are not safe to share, so each thread has its own."""

    def __init__(self, address: str, timeout: float) -> None:
        self.address = address
        self.timeout = timeout
        self._local = threading.local()
        self._all: weakref.WeakSet[Any] = weakref.WeakSet()  # those of a thread that has ended are gone with it
        self._answers: weakref.WeakKeyDictionary[Any, weakref.WeakSet[Any]] = weakref.WeakKeyDictionary()
        self._connections: weakref.WeakKeyDictionary[Any, weakref.WeakSet[Any]] = weakref.WeakKeyDictionary()
        self._version = ""
        self._podman = False
        self._lock = threading.Lock()

    def client(self, *, stream: bool = False) -> Any:
        """Return this thread's client; `stream` for calls that may be silent for long."""
        name = "stream" if stream else "call"
        found = getattr(self._local, name, None)
        if found is None:
            found = self.fresh(stream=stream)
            setattr(self._local, name, found)
        return found

    def fresh(self, *, stream: bool = False) -> Any:
        """Return a client of its own, for a stream that another thread may have to break."""
        version = self._negotiated()
        client = self._make(version, None if stream else self.timeout)
        answers: weakref.WeakSet[Any] = weakref.WeakSet()
        client.hooks["response"].append(lambda answer, *_, **__: answers.add(answer))
        connections: weakref.WeakSet[Any] = weakref.WeakSet()
        _remember_connections(client, connections)
        with self._lock:
            self._all.add(client)
            self._answers[client] = answers
            self._connections[client] = connections
        return client

    def _close(self, client: Any) -> None:
        """Close a client with the answers that nobody read to their end, whose sockets it does not know any more."""
        for answer in list(self._answers.pop(client, ())):
            _wake(answer)
            answer.close()
        client.close()

    def _make(self, version: str, timeout: float | None) -> Any:
        # Any: the SDK's type stubs know neither a timeout of None nor the requests that its streams are made of.
        import docker

        require_address(self.address)
        with translated(self.address):
            make: Any = docker.APIClient
            return make(base_url=self.address, version=version, timeout=timeout, tls=_tls(self.address))

    def _negotiated(self) -> str:
        """Return the newest API that both sides speak; engines of 2025 refuse the one that engines of 2020 know best.

        Raises
        ------
        EngineUnavailable
            The engine does not answer, or is older than Docker Engine 20.10.
        """
        if self._version:
            return self._version
        client = self._make(_text(MINIMUM_API), self.timeout)
        try:
            with translated(self.address):
                # Without a version in its path, a request is answered by every engine.
                answer = client.get(f"{client.base_url}/version", timeout=self.timeout)
                answer.raise_for_status()
                found = answer.json()
        finally:
            client.close()
        api = _numbers(found.get("ApiVersion"))
        podman = "podman" in json.dumps(found.get("Components") or []).lower()
        if api < MINIMUM_API and not podman:
            raise EngineUnavailable(
                f"The engine at {self.address} is Docker {found.get('Version')}; 20.10 or newer is needed: upgrade it.",
                {"reason": "old"},
            )
        self._podman = podman
        self._version = _text(max(min(api, PREFERRED_API), MINIMUM_API))
        return self._version

    def podman(self) -> bool:
        """Whether Podman answers there.

        Raises
        ------
        EngineUnavailable
            Nothing answers.
        """
        self._negotiated()
        return self._podman

    def interrupt(self, client: Any) -> None:
        """End what another thread reads, or waits for, with a client, which stays that thread's to close."""
        for answer in list(self._answers.get(client, ())):
            _wake(answer)
        for connection in list(self._connections.get(client, ())):
            _shut(connection.sock)  # a request that the engine has not answered yet

    def forget(self, client: Any) -> None:
        """Close a client that :meth:`fresh` gave."""
        with self._lock:
            self._all.discard(client)
        self._close(client)

    def release(self) -> None:
        """Close the calling thread's clients; a later call makes new ones."""
        for name in ("stream", "call"):
            client = getattr(self._local, name, None)
            if client is not None:
                delattr(self._local, name)
                self.forget(client)

    def close(self) -> None:
        """Close every client."""
        with self._lock:
            clients = list(self._all)
            self._all.clear()
        for client in clients:
            self._close(client)
        self._local = threading.local()


def _wake(answer: Any) -> None:
    """End a read of another thread: closing an answer waits for whoever reads it, perhaps for ever."""
    file = getattr(getattr(getattr(answer, "raw", None), "_fp", None), "fp", None)
    _shut(getattr(getattr(file, "raw", None), "_sock", None))


def _shut(connected: Any) -> None:
    if isinstance(connected, socket.socket):
        with contextlib.suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)


def _remember_connections(client: Any, found: weakref.WeakSet[Any]) -> None:
    """Keep in `found` the connections that a client makes; its pools hand out those in use, and forget them."""
    adapter = client.get_adapter(client.base_url)
    give, owner = (
        type(adapter).get_connection_with_tls_context,
        weakref.ref(adapter),
    )  # no cycles: sockets close at once

    def remembering(*args: Any, **kwargs: Any) -> Any:
        pool = give(owner(), *args, **kwargs)
        if "_new_conn" not in vars(pool):
            make, pooled = type(pool)._new_conn, weakref.ref(pool)

            def made() -> Any:
                connection = make(pooled())
                found.add(connection)
                return connection

            pool._new_conn = made
        return pool

    adapter.get_connection_with_tls_context = remembering


def _tls(address: str) -> Any:
    if not address.startswith("tcp://") or not os.environ.get("DOCKER_TLS_VERIFY"):
        return False
    import docker.tls

    folder = Path(os.environ.get("DOCKER_CERT_PATH", str(Path.home() / ".docker")))
    return docker.tls.TLSConfig(
        client_cert=(str(folder / "cert.pem"), str(folder / "key.pem")), ca_cert=str(folder / "ca.pem"), verify=True
    )
