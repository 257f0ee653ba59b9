"""The words of a Dockerfile's instructions, as a shell reads them. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

WRAPPERS = {"sudo", "exec", "time", "nice", "command"}


def words_of(value: str) -> list[str]:
    """Return the words of a value as the shell would, or at its blanks where a quote is open."""
    try:
        return shlex.split(value)
    except ValueError:
        return value.split()


def sources_of(value: str) -> list[str]:
    """Return what COPY and ADD take, without where it goes."""
    if value.lstrip().startswith("["):
        return re.findall(r'"((?:[^"\\]|\\.)*)"', value)[:-1]
    return words_of(value)[:-1]


def commands_of(value: str, *, exec_form: bool) -> Iterator[list[str]]:
    """Yield the simple commands of a shell line, without wrappers and variables before them."""
    if exec_form:
        tokens = re.findall(r'"((?:[^"\\]|\\.)*)"', value)
    else:
        lexer = shlex.shlex(value.replace("\n", " ; "), posix=True, punctuation_chars=True)
        lexer.commenters = ""
        lexer.whitespace_split = True
        try:
            tokens = list(lexer)
        except ValueError:  # an open quote: the shell will say so
            tokens = value.split()
    command: list[str] = []
    for token in [*tokens, ";"]:
        if set(token) <= set("&|;()") and token:
            if command:
                yield command
            command = []
        elif command or (
            token not in WRAPPERS and not re.match(r"\w+=", token) and token not in ("then", "do", "else")
        ):
            command.append(token)


def pip_arguments(command: list[str]) -> list[str] | None:
    """Return what ``pip install`` is given, None for another command."""
    for start in (["pip"], ["pip3"], ["python3", "-m", "pip"], ["python", "-m", "pip"], ["uv", "pip"]):
        if command[: len(start)] == start and command[len(start) : len(start) + 1] == ["install"]:
            rest, skip = [], False
            for word in command[len(start) + 1 :]:
                if not skip:
                    rest.append(word)
                skip = word in ("-r", "-c", "-i", "-f", "-t", "-e", "--requirement", "--constraint", "--index-url") or (
                    word in ("--extra-index-url", "--find-links", "--target", "--trusted-host", "--prefix")
                )
            return rest
    return None
