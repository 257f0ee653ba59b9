"""The log of a build: a text file that is only appended to, and an index with a record a line.

A reader of another process sees a line when its record is there, so that no line is ever seen in part. What terminals
would obey is kept in the file and made harmless in what readers get.
"""

from __future__ import annotations

import os
import re
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from ..models import LogLine

RECORD = struct.Struct("<QIfHBx")  # offset, length, seconds, step, stream
STREAMS = ("out", "err", "meta")
SHOWN = 64 << 10
"""Characters of one line that a reader gets; the file has the whole line."""
FLUSH_SECONDS = 0.1
FLUSH_BYTES = 256 << 10
FOLLOW_SECONDS = 0.15
_CONTROL = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: titles, links, clipboard
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"  # DCS, SOS, PM, APC
    r"|\x1b\[[0-?]*[ -/]*[@-ln-~]"  # CSI but SGR, which only colours
    r"|\x1b[^\[\]PX^_]|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]|\x1b$|\x1b(?!\[[0-9;:]*m)"
)


def harmless(text: str) -> str:
    """Return a line without anything that a terminal or a page would obey; colours stay."""
    return _CONTROL.sub("", text)


class LogWriter:
    """Appends lines; used by one process, from any of its threads."""

    def __init__(self, path: Path, *, limit: int, redact: Callable[[str], str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._text = path.open("ab", buffering=0)  # closed by `close`
        self._index = index_of(path).open("ab", buffering=0)  # closed by `close`
        self._offset = self._text.tell()
        self.lines = self._index.tell() // RECORD.size
        # A killed writer may have left a part of a record or of a line.
        os.ftruncate(self._index.fileno(), self.lines * RECORD.size)
        self._limit = limit
        self._redact = redact
        self._begin = time.monotonic()
        self._pending: list[bytes] = []
        self._records: list[bytes] = []
        self._waiting = 0
        self._flushed = 0.0
        self._full = False
        self._lock = threading.Lock()

    def write(self, text: str, *, step: int = 0, stream: str = "out") -> None:
        """Append one line."""
        data = self._redact(text).replace("\n", " ").encode("utf-8", "replace") + b"\n"
        with self._lock:
            if self._full:
                return
            if self._offset + self._waiting + len(data) > self._limit:
                data = b"The log has reached its limit: what follows is not kept.\n"
                step, stream, self._full = step, "meta", True
            seconds = time.monotonic() - self._begin
            self._records.append(
                RECORD.pack(self._offset + self._waiting, len(data), seconds, min(step, 65535), STREAMS.index(stream))
            )
            self._pending.append(data)
            self._waiting += len(data)
            self.lines += 1
            if self._waiting > FLUSH_BYTES or time.monotonic() - self._flushed > FLUSH_SECONDS:
                self._flush()

    def flush(self) -> None:
        """Make everything visible to readers."""
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            try:
                _write_all(self._text, b"".join(self._pending))
                _write_all(self._index, b"".join(self._records))
            except OSError:
                # A full disk must not end the build; what could not be written is lost, and later lines are not.
                self.lines -= len(self._records)
                os.ftruncate(self._text.fileno(), self._offset)
                os.ftruncate(self._index.fileno(), self.lines * RECORD.size)
            self._offset = os.fstat(self._text.fileno()).st_size
            self._pending, self._records, self._waiting = [], [], 0
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Write what is left and close the files."""
        with self._lock:
            if not self._text.closed:
                self._flush()
                self._text.close()
                self._index.close()

    def __enter__(self) -> LogWriter:
        """Use it in a `with`."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        self.close()


def _write_all(file: object, data: bytes) -> None:
    view = memoryview(data)
    while view:
        written = file.write(view)  # type: ignore[attr-defined]  # a raw binary file
        view = view[written:]


def index_of(path: Path) -> Path:
    """Return the index that belongs to a log."""
    return path.with_suffix(".idx")


class LogReader:
    """Reads windows of a log, also while it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def count(self) -> int:
        """Return how many lines there are by now."""
        try:
            return index_of(self._path).stat().st_size // RECORD.size
        except FileNotFoundError:
            return 0

    def lines(self, start: int = 1, count: int | None = None) -> Iterator[LogLine]:
        """Yield lines from a number on, at most `count` of them."""
        start = max(1, start)
        end = self.count() if count is None else min(self.count(), start - 1 + max(0, count))
        if end < start:
            return
        with index_of(self._path).open("rb") as index, self._path.open("rb") as text:
            index.seek((start - 1) * RECORD.size)
            number = start
            while number <= end:
                block = index.read(RECORD.size * min(4096, end - number + 1))
                if not block:
                    return
                for offset, length, seconds, step, stream in RECORD.iter_unpack(block):
                    if text.tell() != offset:
                        text.seek(offset)
                    raw = text.read(min(length, SHOWN * 4))
                    line = raw.decode("utf-8", "replace").rstrip("\n")
                    if len(line) > SHOWN:
                        line = f"{line[:SHOWN]} … ({length} bytes in all)"
                    yield LogLine(number, round(seconds, 3), step, harmless(line), STREAMS[stream])
                    number += 1

    def search(self, needle: str, start: int = 1, count: int | None = None) -> Iterator[LogLine]:
        """Yield the lines that contain a text, whatever its case."""
        wanted, found = needle.casefold(), 0
        for line in self.lines(start):
            if wanted in line.text.casefold():
                yield line
                found += 1
                if count is not None and found >= count:
                    return

    def follow(self, after: int, ended: Callable[[], bool], timeout: float | None = None) -> Iterator[LogLine]:
        """Yield lines after a number as they come, until `ended` says so and all are given, or `timeout` seconds."""
        limit = None if timeout is None else time.monotonic() + timeout
        while True:
            over = ended()  # asked before the lines, so that the last ones are not missed
            for line in self.lines(after + 1):
                after = line.number
                yield line
            if over or (limit is not None and time.monotonic() > limit):
                return
            time.sleep(FOLLOW_SECONDS)
