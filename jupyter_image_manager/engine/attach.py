"""Standard input of a container."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any


def feed(client: Any, container: str, data: bytes, start: Callable[[], None]) -> None:
    """Attach to a created container, start it, and write `data` to its standard input, which then ends.

    The attachment comes first, so that a quick program finds its input. Writing goes on in a thread of its own: a
    program need not read what it is given, and the caller has a time limit to watch. The thread ends with the
    container.
    """
    stream = client.attach_socket(container, params={"stdin": 1, "stream": 1})
    raw = getattr(stream, "_sock", stream)
    # The client's limit is for answers of the engine; this waits for a program.
    raw.settimeout(None)

    def write() -> None:
        try:
            raw.sendall(data)
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(1 << 16):  # until the container ends: to close it before would take its input away
                pass
        except OSError:
            return  # the program ended without reading all of it, which is its right
        finally:
            stream.close()
            client.close()

    try:
        start()
    except BaseException:
        stream.close()
        client.close()
        raise
    threading.Thread(target=write, name="container-stdin", daemon=True).start()
