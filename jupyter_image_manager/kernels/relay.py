"""Bytes from TCP ports of this machine to where a kernel really listens.

ZeroMQ speaks the same over TCP and over Unix sockets, so a relay of bytes serves every channel without knowing
any: for clients that insist on the ports of a connection file, and for kernels whose place changed while
clients were connected.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Mapping

BLOCK = 1 << 18
PENDING = 4 << 20
"""Bytes that may wait in one direction before the other end is read no further."""
LEAD = 0.25
"""Seconds by which subscribers come first. ZeroMQ tries a refused connection again after 0.1 to 0.2 s, each channel by
its own clock, and the kernel behind a relay answers at once: a client that asks before its subscription has arrived
would wait for ever for what was published meanwhile."""


class _End:
    """One end of a connection: what must still be written to it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.pending = bytearray()
        self.other: _End = self
        self.finished = False  # its peer will send nothing more


class Relay:
    """Listens on ports of 127.0.0.1 and connects each client to a Unix socket's path or another local port."""

    def __init__(self, targets: Mapping[int, str | int], first: int | None = None) -> None:
        """Name what each port leads to; `first` is the port whose clients are served before all others."""
        self._targets = dict(targets)
        self._first = first
        self._selector = selectors.DefaultSelector()
        self._stop_reader, self._stop_writer = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="kernel relay", daemon=True)
        self._listeners: list[socket.socket] = []

    def start(self) -> None:
        """Listen; raises OSError when a port is taken."""
        try:
            for port, target in self._targets.items():
                listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                self._listeners.append(listener)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(("127.0.0.1", port))
                listener.listen(64)
                listener.setblocking(False)
                if self._first is None or port == self._first:
                    self._selector.register(listener, selectors.EVENT_READ, target)
        except OSError:
            for listener in self._listeners:
                listener.close()
            raise
        self._selector.register(self._stop_reader, selectors.EVENT_READ, None)
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and port; returns when they are closed."""
        try:
            self._stop_writer.send(b"x")
        except OSError:
            return
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        waiting = None if self._first is None else time.monotonic() + LEAD
        try:
            while True:
                ready = self._selector.select(None if waiting is None else max(0.0, waiting - time.monotonic()))
                if waiting is not None and time.monotonic() >= waiting:
                    self._serve_all()
                    waiting = None
                for key, events in ready:
                    if key.data is None:
                        return
                    if isinstance(key.data, _End):
                        self._serve(key.data, events)
                    else:
                        self._accept(key.fileobj, key.data)  # type: ignore[arg-type]  # a listener of ours
        finally:
            for listener in self._listeners:
                listener.close()
            for key in list(self._selector.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]  # only sockets are registered
            self._selector.close()
            self._stop_writer.close()

    def _serve_all(self) -> None:
        for listener, (port, target) in zip(self._listeners, self._targets.items(), strict=True):
            if port != self._first:
                self._selector.register(listener, selectors.EVENT_READ, target)

    def _accept(self, listener: socket.socket, target: str | int) -> None:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        server = socket.socket(socket.AF_UNIX if isinstance(target, str) else socket.AF_INET, socket.SOCK_STREAM)
        try:
            # Local: connecting is done or refused at once. A refused client tries again by itself.
            server.connect(target if isinstance(target, str) else ("127.0.0.1", target))
        except OSError:
            client.close()
            server.close()
            return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        near, far = _End(client), _End(server)
        near.other, far.other = far, near
        for end in (near, far):
            end.sock.setblocking(False)
            self._selector.register(end.sock, selectors.EVENT_READ, end)

    def _serve(self, end: _End, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE and end.pending:
                del end.pending[: end.sock.send(end.pending)]
            if events & selectors.EVENT_READ:
                block = end.sock.recv(BLOCK)
                if block:
                    self._pass(end.other, block)
                else:
                    end.finished = True
        except BlockingIOError:
            return
        except OSError:
            self._close(end)
            return
        if end.finished and not end.other.pending:
            self._close(end)
            return
        self._watch(end)
        self._watch(end.other)

    def _pass(self, end: _End, block: bytes) -> None:
        if not end.pending:
            try:
                sent = end.sock.send(block)
            except BlockingIOError:
                sent = 0
            block = block[sent:]
        end.pending += block

    def _watch(self, end: _End) -> None:
        """Read only what the other side still takes; write while something waits."""
        if end.other.finished and not end.pending:
            self._close(end)
            return
        wanted = 0
        if not end.finished and len(end.other.pending) < PENDING:
            wanted |= selectors.EVENT_READ
        if end.pending:
            wanted |= selectors.EVENT_WRITE
        known = end.sock.fileno() in self._selector.get_map()
        if wanted and known:
            self._selector.modify(end.sock, wanted, end)
        elif wanted:
            self._selector.register(end.sock, wanted, end)
        elif known:
            self._selector.unregister(end.sock)

    def _close(self, end: _End) -> None:
        for side in (end, end.other):
            if side.sock.fileno() >= 0:
                if side.sock.fileno() in self._selector.get_map():
                    self._selector.unregister(side.sock)
                side.sock.close()
