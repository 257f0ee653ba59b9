"""What a client of BuildKit prints while it builds, as progress of ours.

docker-buildx since 0.13 prints JSON objects (``--progress=rawjson``); older ones, and the Docker CLI's own client,
print lines for people.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, Protocol

from .adapt import without_ours
from .lines import LineJoiner, overwritten
from .port import BuildProgress

_NAME = re.compile(r"\[(?:\w+/[\w/]+ )?(?:(\S+) )?(\d+)/(\d+)\] (.*)", re.S)
_BASE = re.compile(r"\[internal\] load metadata for (\S+)")
_FRONT_END = re.compile(r"resolve image config for (?:docker-image://)?(\S+)")
_VERTEX = re.compile(r"#(\d+) (\[.*|resolve image config .*)")
_OUTPUT = re.compile(r"#(\d+) \d+\.\d+ (.*)")
_STATE = re.compile(r"#(\d+) (CACHED|DONE \d.*|ERROR:? .*|CANCELED)$")
_GLUED = re.compile(r"(.*)(#(\d+) (?:DONE \d[\d.]*s|ERROR: .*|CANCELED))$")
_ERRORS = ("failed to", "ERROR:", "error:", "executor failed", "Dockerfile", "unable to", "unknown flag")


class Reader(Protocol):
    """Reads what a client prints, line by line."""

    errors: list[str]
    """What it said of the build's failure."""

    def feed(self, line: str) -> Iterator[BuildProgress]:
        """Yield what a line tells."""

    def failed(self) -> tuple[int, str]:
        """Return step and instruction that failed, as far as it is known."""


class Steps:
    """Numbers the steps of all stages in the order in which they begin: BuildKit counts each stage for itself."""

    def __init__(self) -> None:
        self._stages: dict[str, int] = {}
        self._steps: dict[str, tuple[int, str]] = {}
        self._others: dict[str, str] = {}
        self.latest: tuple[int, str] = (0, "")

    def announce(self, name: str) -> None:
        """Learn of a step that may begin later."""
        if match := _NAME.match(name):
            self._stages[match[1] or ""] = int(match[3])

    def begin(self, vertex: str, name: str) -> bool:
        """Note that a step begins; tell whether it is one, and new."""
        match = _NAME.match(name)
        if match is None:
            if base := _BASE.search(name):
                self._others[vertex] = f"FROM {base[1]}"
            elif front := _FRONT_END.search(name):
                self._others[vertex] = f"# syntax={front[1]}"
            return False
        if vertex in self._steps:
            return False
        self.announce(name)
        self.latest = (len(self._steps) + 1, without_ours(match[4]))
        self._steps[vertex] = self.latest
        return True

    def progress(self, kind: str, vertex: str, text: str | None = None, stream: str = "out") -> BuildProgress:
        """Return an event about a step."""
        number, instruction = self.of(vertex)
        total = max(sum(self._stages.values()), number)
        return BuildProgress(kind, number, total, instruction if text is None else text, stream)

    def of(self, vertex: str) -> tuple[int, str]:
        """Return number and instruction of a step; the latest one for what is none."""
        return self._steps.get(vertex, self.latest)

    def failed(self, vertex: str) -> tuple[int, str]:
        """Return number and instruction of what failed, which may be the look-up of a base image."""
        if vertex in self._others:
            return 0, self._others[vertex]
        return self.of(vertex) if vertex else (0, "")

    def known(self, vertex: str) -> bool:
        """Whether it is a step of the Dockerfile."""
        return vertex in self._steps


class PlainReader:
    """Reads lines for people: ``#5 [2/3] RUN …``, ``#5 0.123 output``, ``#5 DONE 0.4s``."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._steps = Steps()
        self._failed = ""
        self._over = False

    def feed(self, line: str) -> Iterator[BuildProgress]:
        """Yield what a line tells."""
        if self._over or line == "------":  # the failed step's output follows once more
            self._over = True
            if line.startswith(_ERRORS):
                self.errors.append(without_ours(line))
        elif match := _VERTEX.match(line):
            if self._steps.begin(match[1], match[2]):
                yield self._steps.progress("step", match[1])
        elif match := _OUTPUT.match(line):
            # Output without a newline at its end and what follows come as one line.
            glued = _GLUED.match(match[2])
            if glued and glued[3] == match[1]:
                yield self._steps.progress("line", match[1], glued[1])
                yield from self.feed(glued[2])
            else:
                yield self._steps.progress("line", match[1], overwritten(match[2]))
        elif match := _STATE.match(line):
            if match[2] == "CACHED" and self._steps.known(match[1]):
                yield self._steps.progress("cached", match[1])
            elif match[2].startswith("ERROR"):
                self._failed = match[1]
                self.errors.append(without_ours(match[2]))
        elif line.startswith(_ERRORS):
            self.errors.append(without_ours(line))

    def failed(self) -> tuple[int, str]:
        """Return step and instruction that failed."""
        return self._steps.failed(self._failed)


class JsonReader:
    """Reads JSON objects, each on one line or over several."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._steps = Steps()
        self._failed = ""
        self._object: list[str] = []
        self._joiners: dict[tuple[str, str], LineJoiner] = {}
        self._decoders: dict[tuple[str, str], codecs.IncrementalDecoder] = {}
        self._layers: dict[str, tuple[int, int]] = {}

    def feed(self, line: str) -> Iterator[BuildProgress]:
        """Yield what a line tells."""
        if self._object:
            self._object.append(line)
            if line == "}":
                text, self._object = "\n".join(self._object), []
                yield from self._status(json.loads(text))
        elif line == "{":
            self._object.append(line)
        elif line.startswith("{"):
            yield from self._status(json.loads(line))
        elif line.startswith(_ERRORS):
            self.errors.append(without_ours(line))

    def failed(self) -> tuple[int, str]:
        """Return step and instruction that failed."""
        return self._steps.failed(self._failed)

    def _status(self, status: dict[str, Any]) -> Iterator[BuildProgress]:
        vertexes = status.get("vertexes") or ()
        for vertex in vertexes:
            self._steps.announce(str(vertex.get("name", "")))
        for vertex in vertexes:
            if vertex.get("started") and self._steps.begin(vertex["digest"], str(vertex.get("name", ""))):
                yield self._steps.progress("step", vertex["digest"])
                if vertex.get("cached"):
                    yield self._steps.progress("cached", vertex["digest"])
        for log in status.get("logs") or ():
            yield from self._log(log)
        yield from self._pulled(status.get("statuses") or ())
        for vertex in vertexes:
            if vertex.get("completed"):
                yield from self._completed(vertex)

    def _log(self, log: dict[str, Any]) -> Iterator[BuildProgress]:
        vertex, stream = log["vertex"], "err" if log.get("stream") == 2 else "out"
        key = (vertex, stream)
        if key not in self._joiners:
            self._joiners[key] = LineJoiner()
            self._decoders[key] = codecs.getincrementaldecoder("utf-8")("replace")  # a letter may be split
        for line in self._joiners[key].feed(self._decoders[key].decode(base64.b64decode(log.get("data") or ""))):
            yield self._steps.progress("line", vertex, line, stream)

    def _completed(self, vertex: dict[str, Any]) -> Iterator[BuildProgress]:
        digest, error = vertex["digest"], str(vertex.get("error") or "")
        for stream in ("out", "err"):
            joiner = self._joiners.pop((digest, stream), None)
            self._decoders.pop((digest, stream), None)
            for line in joiner.rest() if joiner else ():
                yield self._steps.progress("line", digest, line, stream)
        if error and not self._failed and "context canceled" not in error:
            self._failed = digest
            self.errors.append(without_ours(error))

    def _pulled(self, statuses: Any) -> Iterator[BuildProgress]:
        for item in statuses:
            name = str(item.get("id", ""))
            if name.startswith("sha256:") and item.get("total"):
                self._layers[name] = (int(item.get("current") or 0), int(item["total"]))
                current = sum(layer[0] for layer in self._layers.values())
                total = sum(layer[1] for layer in self._layers.values())
                yield BuildProgress("pull", text=str(item.get("name") or name), current=current, total=total)
