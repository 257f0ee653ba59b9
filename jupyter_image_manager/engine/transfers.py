"""Pull and push, through the SDK: bytes over all layers, whatever each of them does, and an end from any thread."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import EngineError, ImageManagerError
from .calls import Calls
from .port import Transfer, TransferProgress
from .registry_failures import refusal

if TYPE_CHECKING:
    from ..models import RegistryAccess
    from .connection import Connection

_DONE = frozenset(
    ("Pull complete", "Already exists", "Download complete", "Pushed", "Layer already exists", "Layer already pushed")
)
_MOUNTED = "Mounted from"
_DIGEST = re.compile(r"\bdigest: (sha\d+:[0-9a-f]{64,128})", re.I)
_NOT_LAYERS = ("Pulling from", "The push refers")


class EngineTransfer(Transfer):
    """One pull or push by the engine."""

    def __init__(
        self,
        connection: Connection,
        reference: str,
        ask: Callable[[Any], Iterator[dict[str, Any]]],
        failure: Callable[[str, int | None], ImageManagerError],
    ) -> None:
        self._connection = connection
        self._reference = reference
        self._ask = ask
        self._failure = failure
        self._client: Any = None
        self._cancelled = threading.Event()
        self._layers: dict[str, tuple[int, int, bool]] = {}
        self._digest = ""

    def cancel(self) -> None:
        """Break the connection: the engine then stops, and keeps the layers that are whole."""
        self._cancelled.set()
        if self._client is not None:
            self._connection.interrupt(self._client)

    def __iter__(self) -> Iterator[TransferProgress]:
        """Yield progress until all is there."""
        from .translate import translated

        self._client = self._connection.fresh(stream=True)
        try:
            with translated(self._connection.address, self._reference, self._failure):
                if not self._cancelled.is_set():
                    for event in self._ask(self._client):
                        if "error" in event:
                            raise self._failure(str(event["error"]), None)
                        yield self._progress(event)
        except ImageManagerError:
            if not self._cancelled.is_set():
                raise
        finally:
            self._connection.forget(self._client)
        if self._cancelled.is_set():
            raise EngineError(f"The transfer of {self._reference} was cancelled.", {"reason": "cancelled"})

    def _progress(self, event: dict[str, Any]) -> TransferProgress:
        status, layer = str(event.get("status", "")), str(event.get("id", ""))
        detail = event.get("progressDetail") or {}
        told = _DIGEST.search(status)  # Podman tells it in no other way
        self._digest = str((event.get("aux") or {}).get("Digest") or (told[1] if told else self._digest))
        if layer and not status.startswith(_NOT_LAYERS):
            current, total, done = self._layers.get(layer, (0, 0, False))
            done = done or status in _DONE or status.startswith(_MOUNTED)
            total = max(int(detail.get("total") or 0), total)
            # A push counts the tar's headers too, and so passes its total.
            current = total if done else min(int(detail.get("current") or current), total)
            self._layers[layer] = (current, total, done)
        return TransferProgress(
            layers=len(self._layers),
            layers_done=sum(done for _, _, done in self._layers.values()),
            current=sum(current for current, _, _ in self._layers.values()),
            total=sum(total for _, total, _ in self._layers.values()),
            text=f"{status} {layer}".strip(),
            digest=self._digest,
        )


class TransferCalls(Calls):
    """Bring images from registries, and take them there."""

    def pull(self, reference: str, *, platform: str | None = None, access: RegistryAccess | None = None) -> Transfer:
        """Pull a reference, yielding progress over all layers."""

        def ask(client: Any) -> Iterator[dict[str, Any]]:
            said: Iterator[dict[str, Any]] = client.pull(
                reference, stream=True, decode=True, platform=platform, auth_config=_auth(access)
            )
            return said

        return EngineTransfer(self._connection, reference, ask, refusal(reference, access))

    def push(self, reference: str, access: RegistryAccess) -> Transfer:
        """Push a tag, yielding progress over all layers."""

        def ask(client: Any) -> Iterator[dict[str, Any]]:
            repository, _, tag = reference.rpartition(":")
            said: Iterator[dict[str, Any]] = client.push(
                repository, tag, stream=True, decode=True, auth_config=_auth(access)
            )
            return said

        return EngineTransfer(self._connection, reference, ask, refusal(reference, access, push=True))


def _auth(access: RegistryAccess | None) -> dict[str, str] | None:
    """Return the sign-in of this one request; None leaves it to how the user of this process is signed in."""
    if access is None:
        return None
    if not access.username:
        return {}
    return {"username": access.username, "password": access.secret, "serveraddress": access.host}
