"""Dockerfiles as text: instructions with their lines, stages, base images; pure.

Follows the Dockerfile reference: parser directives, continuation lines with the escape character, comments between
them, flags, heredocs of RUN, COPY and ADD.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from .errors import InvalidDockerfile

KEYWORDS = frozenset(
    [
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ]
)
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9-]*)\s*=\s*(.+?)\s*$")
_WORD = re.compile(r"""(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+""")
_HEREDOC = re.compile(r"""\d*<<(-?)(['"]?)([A-Za-z_]\w*)\2$""")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?::?[-+]([^}]*))?\}|([A-Za-z_]\w*))")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    ``value`` is what follows the keyword and its flags, with continuation lines joined; ``text`` are the lines as
    written. Lines count from 1.
    """

    keyword: str
    value: str
    flags: tuple[str, ...]
    line: int
    end_line: int
    text: str
    heredocs: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The instruction on one line, for people."""
        return " ".join((self.keyword, *self.flags, self.value.split("\n")[0])).strip()

    @property
    def exec_form(self) -> bool:
        """Whether its words are a JSON array, which no shell sees."""
        if not self.value.lstrip().startswith("["):
            return False
        try:
            words = json.loads(self.value)
        except ValueError:
            return False  # `[ -d /x ] || mkdir /x` is for a shell
        return isinstance(words, list) and all(isinstance(word, str) for word in words)


@dataclass(frozen=True, slots=True)
class Stage:
    """One ``FROM``, up to the next."""

    base: str  # as written, with variables
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A parsed Dockerfile."""

    instructions: tuple[Instruction, ...]
    escape: str = "\\"
    syntax: str = ""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The build stages, in order."""
        found = []
        for instruction in self.instructions:
            if instruction.keyword == "FROM":
                words = instruction.value.split()
                name = words[2] if len(words) == 3 and words[1].lower() == "as" else ""
                found.append(Stage(words[0], name, instruction.line))
        return tuple(found)

    @property
    def steps(self) -> int:
        """How many steps the classic builder counts: every instruction."""
        return len(self.instructions)

    def variables(self, build_args: dict[str, str] | None = None) -> dict[str, str]:
        """Return what FROM may speak of: the ARGs before the first one, with the values of `build_args`."""
        values: dict[str, str] = {}
        for instruction in self.instructions:
            if instruction.keyword == "FROM":
                break
            if instruction.keyword == "ARG":
                name, _, default = instruction.value.partition("=")
                values[name.strip()] = default.strip().strip("\"'")
        values.update({name: value for name, value in (build_args or {}).items() if name in values})
        return values

    def base_references(self, build_args: dict[str, str] | None = None) -> tuple[str, ...]:
        """Return the images that must come from elsewhere: not stages of this file, not ``scratch``.

        Variables are filled in from ARGs before the first FROM, and from `build_args`.
        """
        values = self.variables(build_args)
        names: set[str] = set()
        bases: list[str] = []
        for stage in self.stages:
            base = expand(stage.base, values)
            if base.lower() not in names and base != "scratch" and base not in bases:
                bases.append(base)
            if stage.name:
                names.add(stage.name.lower())
        for instruction in self.instructions:
            for flag in instruction.flags:
                source = re.match(r"--from=(.+)|--mount=.*\bfrom=([^,]+)", flag)
                if source:
                    origin = expand(source[1] or source[2], values)
                    if not origin.isdigit() and origin.lower() not in names and origin not in bases:
                        bases.append(origin)
        return tuple(bases)


def expand(text: str, values: dict[str, str]) -> str:
    """Fill in ``$NAME``, ``${NAME}`` and ``${NAME:-default}``."""
    return _VARIABLE.sub(lambda m: values.get(m[1] or m[3]) or (m[2] or ""), text)


def _wrong(message: str, line: int) -> InvalidDockerfile:
    return InvalidDockerfile(f"Line {line} of the Dockerfile: {message}" if line else message, {"line": line})


def parse(text: str) -> Dockerfile:
    """Read a Dockerfile.

    Raises
    ------
    InvalidDockerfile
        Empty, an unknown instruction, no FROM, a heredoc without end: names the line and what to do.
    """
    if "\0" in text:
        raise _wrong("The Dockerfile holds a NUL byte: it is no text.", 0)
    lines = text.lstrip("\ufeff").splitlines()
    escape, syntax = _directives(lines)
    found: list[Instruction] = []
    index = 0
    while index < len(lines):
        if not lines[index].strip() or lines[index].lstrip().startswith("#"):
            index += 1
            continue
        instruction, index = _read(lines, index, escape)
        found.append(instruction)
    if not found:
        raise _wrong("The Dockerfile is empty; begin it with FROM and a base image.", 0)
    first = next((i for i in found if i.keyword != "ARG"), None)
    if first is None or first.keyword != "FROM":
        raise _wrong("no FROM stands before it; begin with FROM and a base image.", (first or found[0]).line)
    return Dockerfile(tuple(found), escape, syntax)


def _directives(lines: list[str]) -> tuple[str, str]:
    escape, syntax = "\\", ""
    for line in lines:
        match = _DIRECTIVE.match(line.strip())
        if match is None:
            break
        name = match[1].lower()
        if name == "escape" and match[2] in ("\\", "`"):
            escape = match[2]
        elif name == "syntax":
            syntax = match[2]
    return escape, syntax


def _read(lines: list[str], start: int, escape: str) -> tuple[Instruction, int]:
    """Read the instruction that begins at a line; return it and the index after it."""
    joined, index = "", start
    while index < len(lines):
        line = lines[index]
        if index > start and line.lstrip().startswith("#"):
            index += 1  # a comment between continuation lines
            continue
        if index > start and not line.strip():
            index += 1  # an empty continuation line, which Docker forgives
            continue
        stripped = line.rstrip()
        index += 1
        if stripped.endswith(escape):
            joined += stripped[:-1]
            continue
        joined += stripped
        break
    head = joined.strip().split(None, 1)
    if not head:
        raise _wrong("a line holds nothing but a continuation; take it out.", start + 1)
    keyword, rest = head[0].upper(), head[1] if len(head) > 1 else ""
    if keyword not in KEYWORDS:
        from difflib import get_close_matches

        near = get_close_matches(keyword, KEYWORDS, n=1)
        hint = f"did you mean {near[0]}?" if near else "instructions are FROM, RUN, COPY, ENV …"
        raise _wrong(f"there is no instruction {head[0]!r}; {hint}", start + 1)
    flags, value = _flags(rest)
    if not value.strip() and keyword not in ("CMD", "ENTRYPOINT"):
        raise _wrong(f"{keyword} says nothing; give it its arguments.", start + 1)
    if keyword == "FROM":
        words = value.split()
        if len(words) not in (1, 3) or (len(words) == 3 and words[1].lower() != "as"):
            raise _wrong("FROM wants an image, or an image, AS and a name.", start + 1)
    bodies: list[str] = []
    if keyword in ("RUN", "COPY", "ADD"):
        for dash, end in _heredocs(value):
            body = []
            while index < len(lines) and (lines[index].lstrip("\t") if dash else lines[index]) != end:
                body.append(lines[index])
                index += 1
            if index == len(lines):
                raise _wrong(f"the text that begins with <<{end} never ends; add a line {end}.", start + 1)
            index += 1
            bodies.append("\n".join(body) + "\n")
    return (
        Instruction(keyword, value, flags, start + 1, index, "\n".join(lines[start:index]), tuple(bodies)),
        index,
    )


def _heredocs(value: str) -> list[tuple[str, str]]:
    """Return the heredocs that begin in a line; only whole words are, not what is quoted or a ``<<<``."""
    found = (_HEREDOC.match(word) for word in _WORD.findall(value))
    return [(match[1], match[3]) for match in found if match]


def _flags(rest: str) -> tuple[tuple[str, ...], str]:
    flags = []
    rest = rest.strip()
    while match := re.match(r"(--[a-z][a-z-]*(?:=\S*)?)(?:\s+|$)", rest):
        flags.append(match[1])
        rest = rest[match.end() :]
    return tuple(flags), rest
