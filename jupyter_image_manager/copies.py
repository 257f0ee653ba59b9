"""What COPY and ADD take from the context, and what of it is not there; pure.

Only what is certainly missing is found: patterns, variables, addresses, other stages, heredocs, paths with quotes that
only a builder reads for sure, and stages that the image does not need are left to the build.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import Protocol

from .dockerfile import Dockerfile, Instruction, expand

NEAR = 3
_UNSURE = re.compile(r"[*?\[\]$\\\"'`]|^<<|://|^git@|\.git(?:#|$)|^github\.com/")
"""Signs of what is no plain path of the context, or of what a builder reads in a way of its own."""


class Presence(Enum):
    """Whether the context holds a path."""

    SENT = "sent"
    IGNORED = "ignored"  # it is in the folder, and .dockerignore leaves it out
    ABSENT = "absent"


class ContextFiles(Protocol):
    """What is known of a context."""

    @property
    def shown(self) -> str:
        """How the context is called in a sentence, such as ``the context 'app'``."""

    @property
    def ignore_file(self) -> str:
        """Name of the file by which something may be ignored."""

    def presence(self, path: str) -> Presence:
        """Tell whether a path, relative with ``/``, is sent; when that is not sure, that it is."""

    def names(self) -> Iterable[str]:
        """Return paths of files, for near matches; not necessarily all of a large context."""


@dataclass(frozen=True, slots=True)
class Names:
    """A context of which only the names are known, such as a stored copy."""

    files: Collection[str]
    shown: str = "the context"
    ignore_file: str = ".dockerignore"

    def presence(self, path: str) -> Presence:
        """Tell whether a file, or any file below a folder, has this name."""
        there = path in self.files or any(name.startswith(f"{path}/") for name in self.files)
        return Presence.SENT if there else Presence.ABSENT

    def names(self) -> Iterable[str]:
        """Return them."""
        return self.files


@dataclass(frozen=True, slots=True)
class Missing:
    """A source that an instruction would not find."""

    line: int
    path: str  # as written
    presence: Presence
    near: tuple[str, ...]
    files: ContextFiles

    @property
    def message(self) -> str:
        """What is missing, and what to do, as the end of a sentence that names the line."""
        if self.presence is Presence.IGNORED:
            return (
                f"{self.path} is there, but {self.files.ignore_file} leaves it out of the context; "
                f"add the line !{_plain(self.path)} at its end."
            )
        if self.near:
            return f"{self.path} is not in {self.files.shown}; did you mean {' or '.join(self.near)}?"
        return f"{self.path} is not in {self.files.shown}; paths count from there. Put the file there, or correct it."


def missing(dockerfile: Dockerfile, files: ContextFiles) -> Iterator[Missing]:
    """Yield the sources of COPY and ADD that are certainly not in the context, in their order."""
    needed = _needed(dockerfile)
    stage = -1
    for instruction in dockerfile.instructions:
        stage += instruction.keyword == "FROM"
        if instruction.keyword not in ("COPY", "ADD") or stage not in needed:
            continue
        for source in sources(instruction):
            path = _plain(source)
            if not path:
                continue
            presence = files.presence(path)
            if presence is not Presence.SENT:
                near = _near(path, files.names()) if presence is Presence.ABSENT else ()
                yield Missing(instruction.line, source, presence, near, files)


def sources(instruction: Instruction) -> tuple[str, ...]:
    """Return the plain paths that a COPY or ADD takes from the context."""
    if any(flag.startswith("--from=") for flag in instruction.flags):
        return ()
    if instruction.exec_form:
        words = [str(word) for word in json.loads(instruction.value)]
    else:
        words = [_unquoted(word) for word in instruction.value.split()]
        if any(re.search(r"[\"'\\]", word) for word in words):
            return ()  # a name with spaces, perhaps: where it ends is for the builder to say
    return tuple(word for word in words[:-1] if not _UNSURE.search(word))


def _unquoted(word: str) -> str:
    match = re.fullmatch(r"""(["'])([^"'\\]+)\1""", word)
    return match[2] if match else word


def _plain(source: str) -> str:
    """Return a source relative to the context, as builders read it: ``/x`` and ``../x`` count from its top."""
    path = posixpath.normpath("/" + source).strip("/")
    return "" if path == "." else path


def _near(path: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return paths that may be meant: the same name elsewhere first, then a similar path."""
    known = list(names)
    last = path.rpartition("/")[2].lower()
    same = [name for name in known if name.rpartition("/")[2].lower() == last]
    similar = get_close_matches(path, known, n=NEAR, cutoff=0.7)
    return tuple(dict.fromkeys([*sorted(same, key=len), *similar]))[:NEAR]


def _needed(dockerfile: Dockerfile) -> set[int]:
    """Return the stages, by number, that the last one is made from: BuildKit leaves out the others."""
    uses: list[set[str]] = []
    names: list[str] = []
    for instruction in dockerfile.instructions:
        if instruction.keyword == "FROM":
            words = instruction.value.split()
            uses.append({words[0].lower()})
            names.append(words[2].lower() if len(words) == 3 else "")
        elif uses:
            for flag in instruction.flags:
                source = re.match(r"--from=(.+)|--mount=.*\bfrom=([^,]+)", flag)
                if source and (name := expand(source[1] or source[2], {}).lower()):
                    uses[-1].add(name)
    found: set[int] = set()
    waiting = [len(uses) - 1] if uses else []
    while waiting:
        number = waiting.pop()
        if number in found:
            continue
        found.add(number)
        for other in range(number):
            if names[other] in uses[number] or str(other) in uses[number]:
                waiting.append(other)
    return found
