"""The standard streams of this process, lent to a command in a container: pipes and files, or a terminal."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from ..engine.port import Attachment
from ..errors import ImageManagerError

BLOCK = 1 << 16
INSISTING = 3
"""So many requests to end in one run are meant: then the command is not asked any more."""


class Streams:
    """Where a command's input comes from, and its output goes.

    With a terminal at both ends the command gets one too, and the keys go to it as they are. A terminal at one end
    only is nobody's input: a pager behind the command reads its keys from there.
    """

    def __init__(self, stdin: int | None = 0, stdout: int = 1, stderr: int = 2) -> None:
        self._stdout, self._stderr = stdout, stderr
        typed = stdin is not None and os.isatty(stdin)
        self.tty = typed and os.isatty(stdout)
        self._stdin = None if typed and not self.tty else stdin

    @classmethod
    @contextmanager
    def of_process(cls) -> Iterator[Streams]:
        """Give this process's own; what it has printed itself comes first.

        One that was closed when it began is not there: its number belongs to whatever was opened since.
        """
        with Path(os.devnull).open("wb") as nothing:
            numbers = [nothing.fileno() if stream is None else n for n, stream in ((1, sys.stdout), (2, sys.stderr))]
            if sys.stdout is not None:
                sys.stdout.flush()
            yield cls(None if sys.stdin is None else 0, *numbers)

    @property
    def stdin(self) -> bool:
        """Whether there is any input."""
        return self._stdin is not None

    @contextmanager
    def lent(self, attachment: Attachment) -> Iterator[None]:
        """Let input go in, from before the command's start to its end; a terminal passes keys as they are."""
        stop, stopped = os.pipe()
        giver = threading.Thread(target=self._give, args=(attachment, stop), name="command-input", daemon=True)
        try:
            with self._raw():
                giver.start()
                try:
                    yield
                finally:
                    attachment.close()  # it may wait for a command that reads no more
                    os.write(stopped, b"x")
                    giver.join()
        finally:
            os.close(stop)
            os.close(stopped)

    def take(self, attachment: Attachment) -> None:
        """Pass the output through as it comes, until it ends."""
        for stream, chunk in attachment.read():
            self._put(self._stderr if stream == "err" else self._stdout, chunk)

    @contextmanager
    def sized(self, attachment: Attachment) -> Iterator[None]:
        """Keep a started command's terminal as large as this one."""
        if not self.tty:
            yield
            return
        changed, over = threading.Event(), threading.Event()
        changed.set()

        def follow() -> None:
            while changed.wait() and not over.is_set():
                changed.clear()
                size = os.get_terminal_size(self._stdout)
                with contextlib.suppress(ImageManagerError):  # it has ended meanwhile
                    attachment.resize(size.lines, size.columns)

        with handled({signal.SIGWINCH: lambda *_: changed.set()}):
            follower = threading.Thread(target=follow, name="terminal-size", daemon=True)
            follower.start()
            try:
                yield
            finally:
                over.set()
                changed.set()
                follower.join()

    @contextmanager
    def _raw(self) -> Iterator[None]:
        if not self.tty or self._stdin is None:
            yield
            return
        import termios
        import tty

        before = termios.tcgetattr(self._stdin)
        tty.setraw(self._stdin)
        try:
            yield
        finally:
            with contextlib.suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(self._stdin, termios.TCSADRAIN, before)

    def _give(self, attachment: Attachment, stop: int) -> None:
        if self._stdin is None:
            return
        try:
            while True:
                ready, _, _ = select.select([self._stdin, stop], [], [])
                if stop in ready:
                    return
                chunk = os.read(self._stdin, BLOCK)
                if not chunk:
                    break
                if not attachment.write(chunk):
                    return
        except OSError:
            pass  # a terminal that is gone, or a stream that cannot be read: there is no more to come
        attachment.end_input()

    @staticmethod
    def _put(descriptor: int, chunk: bytes) -> None:
        left = memoryview(chunk)
        while left:
            try:
                left = left[os.write(descriptor, left) :]
            except BlockingIOError:  # whoever made the stream does not want to wait for it; we do
                select.select([], [descriptor], [])


Handler = Callable[[int, FrameType | None], Any]


@contextmanager
def handled(handlers: dict[signal.Signals, Handler]) -> Iterator[None]:
    """Handle signals, for a while; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
