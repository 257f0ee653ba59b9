"""The Dockerfile that is sent: each RUN sees the administrator's settings, and no layer and no history keeps them (R9).

BuildKit mounts secrets into single steps. Two files are mounted into each ``RUN``: the extra certificates, and
assignments of variables that the step's shell reads first. They lie below ``/dev``, which is made anew in memory for
each step, so that not even an empty mount point stays behind. The recipe keeps the user's own text.

A ``RUN`` that no POSIX shell reads (a ``SHELL`` of another kind, a heredoc with a ``#!`` line, an exec form in a stage
that never uses a shell) has the two files, but not the variables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
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

_READ = f"set -a; . {ENVIRONMENT_FILE}; set +a; "
_EXEC = ["/bin/sh", "-c", _READ + 'exec "$0" "$@"']
_OURS = re.compile(
    r"--mount=type=secret,id=jupyter-image-manager-\S+ |"
    + re.escape(json.dumps(_EXEC)[1:-1] + ", ")
    + "|"
    + re.escape('"' + '", "'.join(_EXEC) + '", ')  # as BuildKit shows it
    + "|"
    + re.escape(" ".join(_EXEC) + " ")
    + "|"
    + re.escape(_READ)
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
    return {ENVIRONMENT_SECRET: "".join(f"{name}={_quoted(value)}\n" for name, value in found.items()).encode()}


def without_ours(text: str) -> str:
    """Return an instruction, or a line about it, as the user wrote it."""
    return _OURS.sub("", text)


def adapt(text: str, spec: BuildSpec) -> str:
    """Return the Dockerfile to be sent. Lines keep their numbers."""
    if not settings(spec):
        return text
    lines = text.lstrip("\ufeff").splitlines()
    mounts = _mounts(spec)
    read = parse(text)
    for instruction, readable, shell in _runs(read):
        _rewrite(lines, instruction, mounts, read.escape, readable=readable, shell=shell)
    return "\n".join(lines) + "\n"


def _runs(read: Dockerfile) -> Iterator[tuple[Instruction, bool, bool]]:
    """Yield each RUN, whether its stage's shell reads assignments, and whether that stage uses a shell at all."""
    named: dict[str, tuple[bool, bool]] = {}
    runs: list[list[tuple[Instruction, bool]]] = []
    uses: list[bool] = []
    readable, name = True, ""
    for instruction in read.instructions:
        if instruction.keyword == "FROM":
            words = instruction.value.split()
            name = words[2].lower() if len(words) == 3 else ""
            readable, shell = named.get(words[0].lower(), (True, False))
            runs.append([])
            uses.append(shell)
        elif instruction.keyword == "SHELL":
            readable = _posix(instruction.value)
        elif instruction.keyword == "RUN" and runs:
            runs[-1].append((instruction, readable))
            uses[-1] = uses[-1] or (readable and not instruction.exec_form)
        if runs:
            named[name] = (readable, uses[-1])
    for stage, shell in zip(runs, uses, strict=True):
        for instruction, readable in stage:
            yield instruction, readable, shell


def _rewrite(
    lines: list[str], instruction: Instruction, mounts: str, escape: str, *, readable: bool, shell: bool
) -> None:
    """Put the instruction on one line; what a heredoc holds follows."""
    first, value = instruction.line - 1, instruction.value
    last = at = first
    if instruction.heredocs:
        while lines[last].rstrip().endswith(escape):
            last += 1
        at = last
    else:
        last = instruction.end_line - 1
    flags = "".join(f"{flag} " for flag in instruction.flags)
    if value.lstrip().startswith("<<"):
        if readable and instruction.heredocs[0].strip() and not lines[last + 1].lstrip().startswith("#!"):
            lines[last + 1] = _READ + lines[last + 1]
    elif instruction.exec_form:
        if shell:
            value = json.dumps(_EXEC + json.loads(value), ensure_ascii=False)
    elif readable:
        value = _READ + value
    for index in range(first, last + 1):
        lines[index] = ""
    lines[at] = f"RUN {mounts}{flags}{value}"


def _posix(value: str) -> bool:
    try:
        words = json.loads(value)
        return PurePosixPath(str(words[0])).name in SHELLS
    except (ValueError, IndexError, KeyError, TypeError):
        return True  # the builder will refuse it, with its own words


def _mounts(spec: BuildSpec) -> str:
    mounts = f"--mount=type=secret,id={ENVIRONMENT_SECRET},target={ENVIRONMENT_FILE},mode=0444 "
    if spec.ca_bundle is not None:
        mounts += f"--mount=type=secret,id={CA_SECRET},target={CA_FILE},mode=0444 "
    return mounts


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"
