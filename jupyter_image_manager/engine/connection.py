"""Where the engine is, and a client for each thread."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .translate import translated

if TYPE_CHECKING:
    import docker

MINIMUM_API = (1, 41)
"""API of Docker Engine 20.10."""


def find_address() -> str:
    """Return the engine's address: DOCKER_HOST, the Docker context, or the first socket that is there."""
    said = os.environ.get("DOCKER_HOST")
    if said:
        return said
    context = _context_address()
    if context:
        return context
    runtime = os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    candidates = [
        f"{runtime}/docker.sock",
        "/var/run/docker.sock",
        f"{runtime}/podman/podman.sock",
        "/run/podman/podman.sock",
    ]
    if os.getuid() == 0:
        candidates.insert(0, candidates.pop(1))
    for candidate in candidates:
        if Path(candidate).exists():
            return f"unix://{candidate}"
    return "unix:///var/run/docker.sock"


def _context_address() -> str | None:
    """Return the address of the Docker context that the user chose, if any."""
    folder = Path(os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker")))
    try:
        name = os.environ.get("DOCKER_CONTEXT") or json.loads((folder / "config.json").read_text()).get(
            "currentContext"
        )
        if not name or name == "default":
            return None
        for meta in (folder / "contexts" / "meta").glob("*/meta.json"):
            found = json.loads(meta.read_text())
            if found.get("Name") == name:
                return str(found["Endpoints"]["docker"]["Host"])
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return None


def is_remote(address: str) -> bool:
    """Whether folders of this machine cannot be mounted by an engine at the address."""
    return not address.startswith("unix://")


class Connection:
    """Clients of one engine: the SDK's sessions are not safe to share, so each thread has its own."""

    def __init__(self, address: str, timeout: float) -> None:
        self.address = address
        self.timeout = timeout
        self._local = threading.local()
        self._all: list[docker.APIClient] = []
        self._lock = threading.Lock()

    def client(self, *, stream: bool = False) -> docker.APIClient:
        """Return this thread's client; `stream` for calls that may be silent for long."""
        name = "stream" if stream else "call"
        found = getattr(self._local, name, None)
        if found is None:
            found = self.fresh(stream=stream)
            setattr(self._local, name, found)
        client: docker.APIClient = found
        return client

    def fresh(self, *, stream: bool = False) -> docker.APIClient:
        """Return a client of its own, for a stream that another thread may have to break."""
        import docker

        with translated(self.address):
            # The version is not negotiated here: that would be one more call, without a timeout of ours.
            client = docker.APIClient(
                base_url=self.address,
                version=".".join(map(str, MINIMUM_API)),
                timeout=None if stream else self.timeout,
                tls=_tls(self.address),
            )
        with self._lock:
            self._all.append(client)
        return client

    def forget(self, client: docker.APIClient) -> None:
        """Close a client that :meth:`fresh` gave."""
        with self._lock:
            if client in self._all:
                self._all.remove(client)
        client.close()

    def close(self) -> None:
        """Close every client."""
        with self._lock:
            clients, self._all = self._all, []
        for client in clients:
            client.close()
        self._local = threading.local()


def _tls(address: str) -> Any:
    if not address.startswith("tcp://") or not os.environ.get("DOCKER_TLS_VERIFY"):
        return False
    import docker.tls

    folder = Path(os.environ.get("DOCKER_CERT_PATH", str(Path.home() / ".docker")))
    return docker.tls.TLSConfig(
        client_cert=(str(folder / "cert.pem"), str(folder / "key.pem")), ca_cert=str(folder / "ca.pem"), verify=True
    )
