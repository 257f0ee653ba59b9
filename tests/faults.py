"""A proxy before a registry that makes faults by rule: refusals, limits, slowness, cuts, wrong bytes, silence.

::

    with registries.running(tmp_path) as registry, faults.proxy(registry.address) as proxy:
        proxy.address                                                               # use this in the registry's stead
        proxy.rules[:] = [
            Fault("^GET .*/manifests/", status=429, headers={"Retry-After": "2"}, times=1),
            Fault("^GET .*/blobs/", rate=10_000),           # bytes a second
            Fault("^GET .*/blobs/", cut_after=100_000),     # the connection ends inside the answer
            Fault("^(PUT|PATCH) ", cut_request_after=1000), # it ends inside the request
            Fault("^GET .*/blobs/", flip_at=10),            # one wrong byte in the answer's body
            Fault("^HEAD ", hang=30),                       # no answer
        ]
        proxy.seen                                                                  # "GET /v2/ 200", ...

The first rule that matches ``METHOD PATH`` and is not used up counts. Each connection carries one exchange.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

CODES = {401: "UNAUTHORIZED", 403: "DENIED", 404: "MANIFEST_UNKNOWN", 405: "UNSUPPORTED", 429: "TOOMANYREQUESTS"}


@dataclass
class Fault:
    """What happens to requests that match."""

    match: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    rate: int = 0
    cut_after: int = -1
    cut_request_after: int = -1
    flip_at: int = -1
    hang: float = 0.0
    times: int = -1  # how often it counts; -1: always


class FaultProxy:
    """Listens on loopback in threads of its own."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.rules: list[Fault] = []
        self.seen: list[str] = []
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more; connections that wait end."""
        self._closed.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _pick(self, line: str) -> Fault:
        with self._lock:
            for rule in self.rules:
                if rule.times and re.search(rule.match, line):
                    rule.times -= rule.times > 0
                    return rule
        return Fault("")

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError, ValueError):
            head, rest = _head(client)
            if not head:
                return
            first, *lines = head.decode("latin1").split("\r\n")
            method, path, _ = first.split(" ", 2)
            fault = self._pick(f"{method} {path}")
            if fault.hang:
                self.seen.append(f"{method} {path} hang")
                self._closed.wait(fault.hang)
            elif fault.status:
                self.seen.append(f"{method} {path} {fault.status}")
                self._refuse(client, method, fault)
            else:
                self._forward(client, f"{method} {path}", [first, *lines], rest, fault)

    def _refuse(self, client: socket.socket, method: str, fault: Fault) -> None:
        error = {"code": CODES.get(fault.status, "UNKNOWN"), "message": "a fault of the tests"}
        body = (fault.body or json.dumps({"errors": [error]})).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **fault.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        client.sendall(f"HTTP/1.1 {fault.status} Fault\r\nConnection: close\r\n{head}\r\n".encode())
        if method != "HEAD":
            client.sendall(body)
        client.shutdown(socket.SHUT_WR)
        _drain(client)

    def _forward(self, client: socket.socket, what: str, head: list[str], rest: bytes, fault: Fault) -> None:
        host, _, port = self.upstream.rpartition(":")
        with socket.create_connection((host, int(port))) as server:
            # The client's Host stays: of it the registry makes the addresses of uploads.
            lines = [line for line in head if line and not line.lower().startswith("connection:")]
            server.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin1"))
            up = threading.Thread(target=self._pump_request, args=(client, server, rest, fault), daemon=True)
            up.start()
            try:
                answer, begun = _head(server)
                if not answer:
                    self.seen.append(f"{what} cut")
                    return
                self.seen.append(f"{what} {answer.split()[1].decode()}")
                client.sendall(answer + b"\r\n\r\n")
                self._pump(server, client, begun, fault.cut_after, fault.rate, fault.flip_at)
            finally:
                # Ends the other direction's thread too.
                for end in (client, server):
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
                up.join()

    def _pump_request(self, client: socket.socket, server: socket.socket, rest: bytes, fault: Fault) -> None:
        with suppress(OSError):
            if not self._pump(client, server, rest, fault.cut_request_after, fault.rate, -1):
                for end in (client, server):
                    end.shutdown(socket.SHUT_RDWR)

    def _pump(
        self, source: socket.socket, target: socket.socket, begun: bytes, limit: int, rate: int, flip_at: int
    ) -> bool:
        """Carry bytes until the source ends, which is True, or the limit is reached."""
        carried, data = 0, begun
        while not self._closed.is_set():
            if not data:
                data = source.recv(max(1, rate // 10) if rate else 1 << 16)
                if not data:
                    return True
            if carried <= flip_at < carried + len(data):
                at = flip_at - carried
                data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            if 0 <= limit < carried + len(data):
                target.sendall(data[: limit - carried])
                return False
            target.sendall(data)
            carried += len(data)
            if rate:
                time.sleep(len(data) / rate)
            data = b""
        return False


def _head(source: socket.socket) -> tuple[bytes, bytes]:
    """Read to the end of the headers; return them and what came after."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = source.recv(1 << 16)
        if not more:
            return b"", b""
        data += more
        if data.startswith(b"\x16"):
            return b"", b""  # the beginning of TLS, which nobody speaks here
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _drain(client: socket.socket) -> None:
    """Read what the client still sends, so that it gets to read our answer; not for long."""
    client.settimeout(2)
    with suppress(OSError):
        while client.recv(1 << 16):
            pass


@contextmanager
def proxy(upstream: str) -> Iterator[FaultProxy]:
    """Run a proxy before ``host:port``."""
    made = FaultProxy(upstream)
    try:
        yield made
    finally:
        made.close()
