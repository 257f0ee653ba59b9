"""Dockerfiles with other bases: what the administrator says replaces an old one; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..dockerfile import Instruction, expand, parse
from ..retirement.rules import base_matches

Replaced = tuple[tuple[str, str], ...]
"""Pairs of an old base, as written, and what stands for it now."""


def replacement(base: str, replacements: Mapping[str, str]) -> str | None:
    """Return what replaces a base; None when it stays. Of several patterns the first one counts."""
    for pattern, new in replacements.items():
        if base_matches(pattern, base):
            return new if new != base else None
    return None


def replaced(dockerfile: str, build_args: dict[str, str], replacements: Mapping[str, str]) -> tuple[str, Replaced]:
    """Return a Dockerfile that stands on the new bases, and which they are; all else stays as it is written.

    Parameters
    ----------
    build_args : dict
        Values of ARGs, from which a FROM may take its base.
    replacements : dict
        Patterns of old bases, and their new ones.
    """
    read = parse(dockerfile)
    values = read.variables(build_args)
    lines = dockerfile.lstrip("\ufeff").splitlines()
    stages: set[str] = set()
    found: dict[str, str] = {}
    edits: list[tuple[Instruction, str]] = []
    for instruction in read.instructions:
        text = ""
        if instruction.keyword == "FROM":
            words = instruction.value.split()
            base = expand(words[0], values)
            new = None if base.lower() in stages else replacement(base, replacements)
            if new is not None:
                found[base] = new
                text = " ".join(("FROM", *instruction.flags, new, *words[1:]))
            if len(words) == 3:
                stages.add(words[2].lower())
        else:
            text = _sources(instruction, stages, replacements, found)
        if text:
            edits.append((instruction, text))
    for instruction, text in reversed(edits):
        lines[instruction.line - 1 : instruction.end_line] = [text]
    return ("\n".join(lines) + "\n" if edits else dockerfile), tuple(found.items())


def _sources(instruction: Instruction, stages: set[str], replacements: Mapping[str, str], found: dict[str, str]) -> str:
    """Return an instruction that copies from an old base, as one that copies from the new one; empty: it does not."""

    def other(match: re.Match[str]) -> str:
        base = match[2]
        new = None if base.isdigit() or base.lower() in stages else replacement(base, replacements)
        if new is None:
            return match[0]
        found[base] = new
        return match[1] + new

    flags = " ".join(instruction.flags)
    changed = re.sub(r"((?:^|\s)--from=|\bfrom=)([^\s,$]+)", other, flags)
    if changed == flags:
        return ""
    return (
        instruction.text.replace(flags, changed, 1)
        if flags in instruction.text
        else (f"{instruction.keyword} {changed} {instruction.value}")
    )
