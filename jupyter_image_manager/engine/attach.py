"""Standard input and output of a container, byte for byte: the engine's log keeps lines, and only so many."""

from __future__ import annotations

import socket
import threading
from typing import Any

FINAL_SECONDS = 10.0
"""How long the rest of the output of an ended container is waited for."""


class Attachment:
    """What goes into a created container, and what comes out of it once it is started.

    It is made before the start, so that nothing of a quick program is lost. Reading and writing go on in threads of
    their own: a program need not read what it is given, and the caller has a time limit to watch.
    """

    def __init__(self, client: Any, container: str, *, stdin: bytes | None, limit: int, tty: bool) -> None:
        self.output, self.errors = bytearray(), bytearray()
        self._limit = limit
        self._tty = tty
        parameters = {"stdout": 1, "stderr": 1, "stream": 1, "stdin": int(stdin is not None)}
        self._stream = client.attach_socket(container, params=parameters)
        self._socket: socket.socket = getattr(self._stream, "_sock", self._stream)
        self._socket.settimeout(None)  # this waits for a program, not for the engine
        self._reader = threading.Thread(target=self._read, name="container-output", daemon=True)
        self._reader.start()
        self._writer: threading.Thread | None = None
        if stdin is not None:
            self._writer = threading.Thread(target=self._write, args=(stdin,), name="container-input", daemon=True)
            self._writer.start()

    def end(self, *, wait: bool) -> None:
        """Take what is still on its way, where `wait` says so, and stop; whoever gave the client closes it."""
        if wait:
            self._reader.join(FINAL_SECONDS)
        try:
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes both threads
        except OSError:
            wait = False  # it is closed already
        self._reader.join()
        if self._writer is not None:
            self._writer.join()

    def _write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            return  # the program ended without reading all of it, which is its right

    def _read(self) -> None:
        try:
            while self._tty:
                chunk = self._socket.recv(1 << 16)
                if not chunk:
                    return
                self._keep(self.output, chunk)
            while head := self._exactly(8):
                kept = self.errors if head[0] == 2 else self.output
                left = int.from_bytes(head[4:], "big")
                while left:
                    chunk = self._socket.recv(min(left, 1 << 16))
                    if not chunk:
                        return
                    left -= len(chunk)
                    self._keep(kept, chunk)
        except OSError:
            return  # closed by us, or the engine is gone: whoever waits for the container learns of that

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            chunk = self._socket.recv(size - len(found))
            if not chunk:
                return b""
            found += chunk
        return found

    def _keep(self, kept: bytearray, chunk: bytes) -> None:
        kept += chunk[: self._limit - len(kept)]
