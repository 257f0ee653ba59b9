"""Standard input and output of a container, byte for byte: the engine's log keeps lines, and only so many."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

from .port import Attachment

FINAL_SECONDS = 10.0
"""How long the rest of the output of an ended container is waited for."""

NO_DETACHING = b"\xff,\xff,\xff,\xff"
"""Keys at which the engine lets go of a terminal. By default these are keys that people type, and the engine holds the
first of them back until the next one; a byte that no text holds is none."""

BLOCK = 1 << 16


class Reader(Protocol):
    """Where frames come from."""

    def read(self, size: int, /) -> bytes:
        """Return that many bytes, fewer only at the end."""


def frames(source: Reader) -> Iterator[tuple[str, bytes]]:
    """Yield the chunks of both outputs, which share one connection: each has a head with its stream and its length."""
    while len(head := source.read(8)) == 8:
        left = int.from_bytes(head[4:], "big")
        while left:
            chunk = source.read(min(left, BLOCK))
            if not chunk:
                return
            left -= len(chunk)
            yield "err" if head[0] == 2 else "out", chunk


class SocketAttachment(Attachment):
    """The streams of a container of which the engine made one raw connection."""

    def __init__(
        self,
        client: Any,
        container: str,
        *,
        stdin: bool,
        tty: bool,
        translated: Callable[[], AbstractContextManager[None]],
    ) -> None:
        # Any: the SDK's type stubs do not know that a client can be asked for its own requests.
        self._client = client
        self._container = container
        self._tty = tty
        self._translated = translated
        with translated():
            self._response = client._post(
                client._url("/containers/{0}/attach", container),
                params={"stdout": 1, "stderr": 1, "stream": 1, "stdin": int(stdin), "detachKeys": NO_DETACHING},
                headers={"Connection": "Upgrade", "Upgrade": "tcp"},
                stream=True,
            )
            client._raise_for_status(self._response)
        # What the engine has sent by now lies in the file's buffer: reading past it would lose the first output.
        self._file = self._response.raw._fp.fp
        self._socket: socket.socket = self._file.raw._sock
        self._socket.settimeout(None)  # this waits for a program, not for the engine

    def read(self) -> Iterator[tuple[str, bytes]]:
        """Yield what it writes, as it comes, until it ends."""
        try:
            if not self._tty:
                yield from frames(self._file)
                return
            while chunk := self._file.read1(BLOCK):
                yield "out", chunk
        except (OSError, ValueError):
            return  # closed by us, or the engine is gone: whoever waits for the container learns of that

    def write(self, data: bytes) -> bool:
        """Give it input; False when it reads no more."""
        try:
            self._socket.sendall(data)
        except OSError:
            return False  # it ended without reading all of it, which is its right
        return True

    def end_input(self) -> None:
        """Let it read the end of its input."""
        with contextlib.suppress(OSError):  # it has ended before
            self._socket.shutdown(socket.SHUT_WR)

    def resize(self, rows: int, columns: int) -> None:
        """Give its terminal another size."""
        with self._translated():
            self._client.resize(self._container, height=rows, width=columns)

    def close(self) -> None:
        """Let go of the streams, which ends a read or write of another thread; whoever gave the client closes it."""
        with contextlib.suppress(OSError):  # it is closed already
            self._socket.shutdown(socket.SHUT_RDWR)


class Collector:
    """Gives input and keeps output in threads of their own: a program need not read, and the caller has a limit."""

    def __init__(self, attachment: Attachment, *, stdin: bytes | None, limit: int) -> None:
        self.kept = {"out": bytearray(), "err": bytearray()}
        self._attachment = attachment
        self._limit = limit
        self._reader = threading.Thread(target=self._read, name="container-output", daemon=True)
        self._writer = threading.Thread(target=self._write, args=(stdin,), name="container-input", daemon=True)
        self._reader.start()
        self._writer.start()

    def end(self, *, wait: bool) -> None:
        """Take what is still on its way, where `wait` says so, and stop."""
        if wait:
            self._reader.join(FINAL_SECONDS)
        self._attachment.close()
        self._reader.join()
        self._writer.join()

    def _write(self, data: bytes | None) -> None:
        if data is not None and self._attachment.write(data):
            self._attachment.end_input()

    def _read(self) -> None:
        for stream, chunk in self._attachment.read():
            kept = self.kept[stream]
            kept += chunk[: self._limit - len(kept)]
