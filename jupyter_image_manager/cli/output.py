"""What the command line shows: tables, JSON, progress, errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from ..lifecycle import place
from ..models import Build, as_json, utcnow

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

CONTROL = {c: f"\\x{c:02x}" for c in (*range(0x20), 0x7F, *range(0x80, 0xA0)) if c not in (0x09, 0x0A)}


def harmless(text: str) -> str:
    """Return text in which no control sequence can reach the terminal: names and logs are not ours."""
    return text.translate(CONTROL)


def size(value: int | None) -> str:
    """Return bytes as people read them: ``1.2 GB``; an em dash when unknown."""
    if not value:
        return "—"
    number = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if number >= 10 or unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def duration(seconds: float | None) -> str:
    """Return seconds as ``1:05`` or ``2:03:04``."""
    if seconds is None:
        return "—"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


def ago(moment: datetime | None) -> str:
    """Return a past moment relative to now."""
    if moment is None:
        return "—"
    seconds = max(0.0, (utcnow() - moment).total_seconds())
    for limit, divisor, word in (
        (90, 1, "second"),
        (90 * 60, 60, "minute"),
        (36 * 3600, 3600, "hour"),
        (float("inf"), 86400, "day"),
    ):
        if seconds < limit:
            count = max(1, round(seconds / divisor))
            return f"{count} {word}{'' if count == 1 else 's'} ago"
    raise AssertionError("the last limit is infinite")


@dataclass
class Console:
    """Where a command writes. With `as_json` on, stdout carries JSON only."""

    as_json: bool = False
    quiet: bool = False
    plain: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)  # as they are now: notebooks and tests put others there
    err: TextIO = field(default_factory=lambda: sys.stderr)

    @property
    def terminal(self) -> bool:
        """Whether progress may be drawn."""
        return self.err.isatty() and not self.plain and not self.as_json

    def document(self, value: Any) -> None:
        """Print the command's one JSON document."""
        print(json.dumps(as_json(value), indent=2, ensure_ascii=False), file=self.out)

    def line_document(self, value: Any) -> None:
        """Print one JSON line of a stream."""
        print(json.dumps(as_json(value), ensure_ascii=False), file=self.out, flush=True)

    def say(self, text: str = "") -> None:
        """Print a sentence for people; nothing with ``--json``."""
        if not self.as_json:
            print(harmless(text), file=self.out, flush=True)

    def note(self, text: str) -> None:
        """Print something worth knowing that is not the result."""
        if not self.quiet:
            print(harmless(text), file=self.err, flush=True)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
        """Print aligned columns, or one sentence when there are no rows."""
        if not rows:
            self.say(empty)
            return
        cells = [[harmless(cell).replace("\n", " ") for cell in row] for row in rows]
        widths = [max(len(row[i]) for row in [list(head), *cells]) for i in range(len(head))]
        for row in [[h.upper() for h in head], *cells]:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print(line.rstrip(), file=self.out)

    def error(self, message: str) -> None:
        """Print the one line that says what is wrong and what to do."""
        print("jupyter image: " + harmless(" ".join(message.split())), file=self.err, flush=True)


class BuildDisplay:
    """Progress of a build: a bar on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console, name: str) -> None:
        self.console = console
        self.name = name
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._state = ""

    def __enter__(self) -> BuildDisplay:
        """Begin to draw."""
        if self.console.terminal:
            from rich.console import Console as RichConsole
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            self._progress = Progress(
                SpinnerColumn(),
                TextColumn("[bold]{task.fields[name]}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[step]}", markup=False),
                TimeElapsedColumn(),
                TextColumn("{task.fields[about]}", markup=False),
                console=RichConsole(file=self.console.err),
                transient=True,
            )
            self._progress.start()
            self._task = self._progress.add_task("", name=self.name, step="waiting", about="", total=None)
        return self

    def __exit__(self, *exc: object) -> None:
        """Leave the terminal as it was."""
        if self._progress is not None:
            self._progress.stop()

    def show(self, build: Build) -> None:
        """Show where the build is."""
        state = build.state.value
        if self._progress is not None and self._task is not None:
            self._progress.update(
                self._task,
                total=build.steps + 2 if build.steps else None,
                completed={"checking": build.steps, "saving": build.steps + 1}.get(state, max(0, build.step - 1)),
                step=harmless(place(build))[:60],
                about=f"of about {duration(build.estimate)}" if build.estimate else "",
            )
        elif state != self._state and not self.console.as_json:
            self.console.note(f"{self.name}: {state}")
        self._state = state

    def line(self, text: str) -> None:
        """Show a line of the log, where lines are shown."""
        if self._progress is None and not self.console.as_json:
            self.console.note(text)
