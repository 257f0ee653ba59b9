"""The edit of a Dockerfile by which a remark is done with, where a machine can tell it. Pure.

An edit is ``{"line", "end_line", "lines"}``: lines `line` to `end_line` give way to `lines`; nothing gives way where
`end_line` is before `line`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from packaging.specifiers import SpecifierSet

from .copies import ContextFiles
from .dockerfile import Instruction, parse
from .errors import InvalidDockerfile
from .lint import lint

# What a person must say first, or a sentence instead of a line.
PLACEHOLDER = re.compile(r"\b(?:VERSION|PACKAGE|PATH|SHA256)\b|…")
APT_ONLY = re.compile(r"(?:apt(?:-get)?\s+(?:-\S+\s+)*(?:update|install)\b[^;|&]*|rm\s+-rf\s+/var/lib/apt/lists\S*\s*)")
WHOLE = ("ENV", "MAINTAINER", "WORKDIR")
"""Instructions whose cure says all that they said."""


def remarks(dockerfile: str, *, files: ContextFiles | None, versions: SpecifierSet) -> list[dict[str, Any]]:
    """Return what :func:`.lint.lint` says of a Dockerfile, each with `mend`."""
    return with_mends(dockerfile, lint(dockerfile, files=files, versions=versions))


def with_mends(dockerfile: str, findings: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return remarks about a Dockerfile, each with `mend`: the edit that does it, or None."""
    try:
        instructions = parse(dockerfile).instructions
    except InvalidDockerfile:
        instructions = ()
    return [{**finding, "mend": mend(finding, instructions)} for finding in findings]


def mend(finding: dict[str, Any], instructions: Iterable[Instruction]) -> dict[str, Any] | None:
    """Return the edit for one remark of :func:`.lint.lint`.

    Parameters
    ----------
    finding : dict
        The remark.
    instructions : iterable of Instruction
        Those of the Dockerfile.

    Returns
    -------
    dict or None
        None where the cure is a matter of choice.
    """
    cure = [str(line) for line in finding["cure"]]
    instruction = next((each for each in instructions if each.line == finding["line"]), None)
    if instruction is None or not cure or PLACEHOLDER.search("\n".join(cure)):
        return None
    keyword, first = instruction.keyword, cure[0].partition(" ")[0]
    if keyword == "RUN" and "--no-cache-dir" in cure[0] and first != "RUN":
        return _edit(instruction, re.sub(r"\b(pip3?\s+install)\b", r"\1 --no-cache-dir", instruction.text, count=1))
    if keyword == "FROM" and first == "FROM":
        base = instruction.value.split()[0]
        head, _, rest = instruction.text.partition(base)
        return _edit(instruction, head + cure[0].partition(" ")[2] + rest)
    if keyword == "FROM" and first == "RUN":
        return _insert(instruction.end_line + 1, cure)
    if keyword == "COPY" and first == "COPY":
        wanted = any("-r requirements.txt" in each.value for each in instructions if each.keyword == "RUN")
        return _insert(instruction.line, cure) if wanted else None
    if keyword == "ADD" and first == "COPY":
        return _edit(instruction, re.sub(r"^(\s*)ADD\b", r"\1COPY", instruction.text, flags=re.I))
    if keyword == "RUN" and first == "RUN" and len(cure) == 1 and _only_apt(instruction):
        return _edit(instruction, cure[0])
    if keyword in WHOLE and len(cure) == 1:
        return _edit(instruction, cure[0])
    return None


def _edit(instruction: Instruction, text: str) -> dict[str, Any] | None:
    if text == instruction.text:
        return None
    return {"line": instruction.line, "end_line": instruction.end_line, "lines": text.split("\n")}


def _insert(line: int, lines: list[str]) -> dict[str, Any]:
    return {"line": line, "end_line": line - 1, "lines": lines}


def _only_apt(instruction: Instruction) -> bool:
    if instruction.flags or instruction.heredocs or instruction.exec_form:
        return False
    commands = [command.strip() for command in instruction.value.split("&&")]
    installs = sum("install" in command.split() for command in commands)
    options = re.search(r"\s(?:-t|-o|-c|--target-release|--option)\b", instruction.value)
    return installs == 1 and not options and all(map(APT_ONLY.fullmatch, commands))
