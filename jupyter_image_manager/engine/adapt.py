"""The Dockerfile that is sent: each RUN sees the administrator's settings, and no layer and no history keeps them (R9).

BuildKit mounts secrets into single steps. Newer engines mount one as a variable: that is all there is to it, whatever
the form of the ``RUN``. Older ones mount files: assignments of variables that the step's shell reads first. The extra
certificates are a file with all of them. Files lie below ``/dev``, which is made anew in memory for each step, so that
not even an empty mount point stays behind. The recipe keeps the user's own text.

With an older engine, a ``RUN`` that no POSIX shell reads (a ``SHELL`` of another kind, a heredoc with a ``#!`` line, an
exec form before any shell was used in its stage) has the two files, but not the variables. Proxies could be given to
those as the build arguments that every builder knows, but these stay in the engine's records of builds, and in the
image's history where the Dockerfile declares them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePosixPath

from ..dockerfile import Dockerfile, Instruction, parse
from .port import BuildSpec

ENVIRONMENT_SECRET = "jupyter-image-manager-environment"  # noqa: S105  # the name of a mount
CA_SECRET = "jupyter-image-manager-ca"  # noqa: S105  # the name of a mount
ENVIRONMENT_FILE = "/dev/jupyter-image-manager.environment"
CA_FILE = "/dev/jupyter-image-manager.ca.crt"
CA_VARIABLES = (
    "PIP_CERT",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
)
SHELLS = frozenset(["sh", "ash", "bash", "busybox", "dash", "ksh", "mksh", "zsh"])
"""Shells that read our assignments."""

DEFAULT_SHELL = ("/bin/sh",)

VARIABLES_API = (1, 48)
"""API of Docker Engine 28, whose BuildKit surely mounts secrets as variables."""

_READ = f"set -a; . {ENVIRONMENT_FILE}; set +a; "
_EXEC = _READ + 'exec "$0" "$@"'
_OURS = re.compile(
    r"--mount=type=secret,id=jupyter-image-manager-\S+ "
    # an exec form, as it was sent, and as BuildKit shows it; then what stays in the history
    rf'|"[^"\s]+", (?:"a?sh", )?"-c", (?:{re.escape(json.dumps(_EXEC))}|"{re.escape(_EXEC)}"), '
    rf"|\S+(?: a?sh)? -c {re.escape(_EXEC)} |{re.escape(_READ)}"
)


def settings(spec: BuildSpec) -> dict[str, str]:
    """Return the variables for each RUN.

    Proxies are among them: given as build arguments, their values would stay in the image's build information.
    """
    found = dict(spec.environment)
    if spec.ca_bundle is not None:
        found.update(dict.fromkeys(CA_VARIABLES, CA_FILE))
    return found


def secrets(spec: BuildSpec) -> dict[str, bytes]:
    """Return what the mounts of :func:`adapt` hold, besides the certificates."""
    found = settings(spec)
    if not found:
        return {}
    assignments = "".join(f"{name}={_quoted(value)}\n" for name, value in found.items())
    return {
        ENVIRONMENT_SECRET: assignments.encode(),
        **{_secret(name): value.encode() for name, value in found.items()},
    }


def without_ours(text: str) -> str:
    """Return an instruction, or a line about it, as the user wrote it."""
    return _OURS.sub("", text)


def adapt(text: str, spec: BuildSpec, *, variables: bool = False) -> str:
    """Return the Dockerfile to be sent. Lines keep their numbers.

    Parameters
    ----------
    variables : bool
        Whether the engine's BuildKit mounts secrets as variables.
    """
    if not settings(spec):
        return text
    lines = text.lstrip("\ufeff").splitlines()
    read = parse(text)
    variables = variables and not read.syntax  # that of a front end of the user's own choice may be older
    mounts = _mounts(spec, variables=variables)
    for run in _runs(read):
        _rewrite(lines, run, mounts, read.escape, wrap=not variables)
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class _Run:
    instruction: Instruction
    readable: bool  # the stage's shell reads assignments
    shell: tuple[str, ...]  # such a shell that was used in the stage before, so that it is there; else empty


def _runs(read: Dockerfile) -> Iterator[_Run]:
    """Yield each RUN with what is known of its stage by then."""
    nothing: tuple[tuple[str, ...], tuple[str, ...]] = (DEFAULT_SHELL, ())
    named: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    (shell, used), name = nothing, ""
    for instruction in read.instructions:
        if instruction.keyword == "FROM":
            words = instruction.value.split()
            name = words[2].lower() if len(words) == 3 else ""
            shell, used = named.get(words[0].lower(), nothing)
        elif instruction.keyword == "SHELL":
            shell = _posix(instruction.value)
        elif instruction.keyword == "RUN":
            yield _Run(instruction, bool(shell), used)
            if shell and not instruction.exec_form:
                used = shell
        named[name] = (shell, used)


def _rewrite(lines: list[str], run: _Run, mounts: str, escape: str, *, wrap: bool) -> None:
    """Put the instruction on one line; what a heredoc holds follows."""
    instruction = run.instruction
    first, value = instruction.line - 1, instruction.value
    last = at = first
    if instruction.heredocs:
        while lines[last].rstrip().endswith(escape):
            last += 1
        at = last
    else:
        last = instruction.end_line - 1
    flags = "".join(f"{flag} " for flag in instruction.flags)
    if not wrap:
        pass
    elif value.lstrip().startswith("<<"):
        if run.readable and instruction.heredocs[0].strip() and not lines[last + 1].lstrip().startswith("#!"):
            lines[last + 1] = _READ + lines[last + 1]
    elif instruction.exec_form:
        if run.shell:
            value = json.dumps([*run.shell, "-c", _EXEC, *json.loads(value)], ensure_ascii=False)
    elif run.readable:
        value = _READ + value
    for index in range(first, last + 1):
        lines[index] = ""
    lines[at] = f"RUN {mounts}{flags}{value}"


def _posix(value: str) -> tuple[str, ...]:
    """Return the shell of a SHELL, without its options, if it reads our assignments."""
    try:
        words = [str(word) for word in json.loads(value)]
    except (ValueError, TypeError):
        return DEFAULT_SHELL  # the builder will refuse it, with its own words
    program = tuple(takewhile(lambda word: not word.startswith("-"), words))
    return program if program and PurePosixPath(program[0]).name in SHELLS else ()


def _mounts(spec: BuildSpec, *, variables: bool) -> str:
    if variables:
        mounts = "".join(f"--mount=type=secret,id={_secret(name)},env={name} " for name in settings(spec))
    else:
        mounts = f"--mount=type=secret,id={ENVIRONMENT_SECRET},target={ENVIRONMENT_FILE},mode=0444 "
    if spec.ca_bundle is not None:
        mounts += f"--mount=type=secret,id={CA_SECRET},target={CA_FILE},mode=0444 "
    return mounts


def _secret(name: str) -> str:
    return f"jupyter-image-manager-variable-{name}"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"
