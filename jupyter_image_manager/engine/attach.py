"""Standard input of a container."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import docker


def feed(client: docker.APIClient, container: str, data: bytes, start: Callable[[], None]) -> None:
    """Attach to a created container, start it, write `data` to its standard input and end that.

    The attachment comes first, so that nothing is lost of what a quick program reads.
    """
    stream = client.attach_socket(container, params={"stdin": 1, "stream": 1})
    raw = getattr(stream, "_sock", stream)
    try:
        start()
        try:
            raw.sendall(data)
            raw.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            return  # the program ended without reading all of it, which is its right
    finally:
        stream.close()
        client.close()
