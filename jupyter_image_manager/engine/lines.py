"""Whole lines out of pieces of text."""

from __future__ import annotations

from collections.abc import Iterator

LONGEST = 1 << 20
"""Characters after which a line is given out although it has not ended: memory stays flat."""


class LineJoiner:
    """Joins pieces; a newline ends a line, and a carriage return inside it (a progress bar) leaves what came last."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, text: str) -> Iterator[str]:
        """Yield the lines that are whole by now."""
        text = self._rest + text
        if "\n" not in text and len(text) < LONGEST:
            self._rest = text
            return
        *lines, self._rest = text.split("\n")
        for line in lines:
            yield _last(line)
        while len(self._rest) >= LONGEST:
            yield self._rest[:LONGEST]
            self._rest = self._rest[LONGEST:]

    def rest(self) -> Iterator[str]:
        """Yield what never got its end."""
        rest, self._rest = self._rest, ""
        if rest:
            yield _last(rest)


def _last(line: str) -> str:
    line = line.rstrip("\r")
    return line.rpartition("\r")[2] if "\r" in line else line
