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
            # Of a progress bar only the latest state is kept: it may be written ten thousand times.
            self._rest = text[text.rstrip("\r").rfind("\r") + 1 :]
            return
        *lines, self._rest = text.split("\n")
        for line in lines:
            yield overwritten(line)
        while len(self._rest) >= LONGEST:
            yield self._rest[:LONGEST]
            self._rest = self._rest[LONGEST:]

    def rest(self) -> Iterator[str]:
        """Yield what never got its end."""
        rest, self._rest = self._rest, ""
        if rest:
            yield overwritten(rest)


def overwritten(line: str) -> str:
    """Return what a terminal would show of a line in which carriage returns stand."""
    line = line.rstrip("\r")
    return line.rpartition("\r")[2] if "\r" in line else line
