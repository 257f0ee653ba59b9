"""What the parts of :class:`.docker_engine.DockerEngine` share."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager
from typing import Any

from .connection import Connection
from .port import Engine
from .translate import translated


class Calls(Engine):
    """An engine that is reached through the SDK."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Where the engine is looked for."""

    @property
    @abstractmethod
    def _connection(self) -> Connection: ...

    def _client(self, *, stream: bool = False) -> Any:
        return self._connection.client(stream=stream)

    def _translated(self, subject: str = "") -> AbstractContextManager[None]:
        return translated(self.address, subject)


def filters(labels: dict[str, str]) -> dict[str, list[str]]:
    """Return the engine's filter for things that carry all these labels; an empty value matches any."""
    wanted = [f"{name}={value}" if value else name for name, value in labels.items()]
    return {"label": wanted} if wanted else {}  # Podman takes no empty list
