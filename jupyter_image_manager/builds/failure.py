"""Why a build failed: the decisive lines and what helps; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..errors import EngineError, ImageManagerError
from ..models import BuildFailure, BuildKind, BuildState, Report

TAIL = 200
DECISIVE = 8
PUSH_FAILED = "push_failed"
_HINTS = (
    # What is not reached looks to pip as if it were not there: these come first.
    (
        r"Temporary failure resolving|Could not resolve host|Name or service not known"
        r"|establish a new connection|Network is unreachable|Connection timed out",
        "The network is not reachable from the build; set proxies or an index mirror (BuildSettings).",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|SSL certificate problem",
        "The build does not trust the network's certificates; set BuildSettings.ca_bundle.",
    ),
    (
        r"requirement (\S+) \(from versions: none\)",
        "The package index has no {0}, or was not reached: check the name, and the index and network (BuildSettings).",
    ),
    (r"No matching distribution found for (\S+)", "There is no {0} for this Python; check its name and version."),
    (r"Could not find a version that satisfies the requirement (\S+)", "There is no {0} for this Python; check it."),
    (r"ResolutionImpossible|conflicting dependencies", "The requirements contradict each other; loosen a version."),
    (
        r"externally-managed-environment",
        "This Python belongs to the distribution: install with "
        "--break-system-packages, into a virtual environment, or use a python: base image.",
    ),
    (r"Unable to locate package (\S+)", "The distribution has no package {0}, or `apt-get update` is missing before."),
    (r"[Nn]o space left on device", "The disk is full; delete images or make room."),
    (
        r"429 |Too Many Requests|toomanyrequests",
        "The registry or index limits requests: wait, sign in, or use a mirror or a base image of this machine.",
    ),
    (
        r"(?:There is no image |pull access denied for |manifest for )(\S+?)[,; ]",
        "Check the name of the base image {0}; `jupyter image base create` makes one without a registry.",
    ),
    (
        r"(?:COPY|ADD) failed|the context has no such file|failed to compute cache key|\bl?stat \S+: no such file",
        "A file that is copied is not there; check its path, and .dockerignore where it comes from the context.",
    ),
    (r"exec format error", "The base is made for another architecture; use one for this machine."),
    (r"Permission denied", "The instruction lacks rights; switch to USER root before it, and back after it."),
    (r"command not found|: not found", "A program is not there; install it in an earlier instruction."),
    (r"Killed|exit code 137|code: 137", "The step was killed, most often for lack of memory."),
)
_ERROR = re.compile(
    r"\berror\b|\bE: |fatal|failed|not found|no matching|denied|traceback|exception|killed"
    r"|conflict is caused|user requested|\bdepends on\b|retrying \(",
    re.I,
)


def decisive(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the lines that tell most, in their order: those that speak of an error, else the last ones."""
    last = [line for line in lines if line.strip()][-TAIL:]
    telling = [line for line in last if _ERROR.search(line)]
    chosen = telling[-DECISIVE:] if telling else last[-DECISIVE:]
    return tuple(line[:500] for line in chosen)


def hint(lines: Iterable[str]) -> str:
    """Return what helps against a known failure; empty when it is not known."""
    text = "\n".join(lines)
    for pattern, words in _HINTS:
        match = re.search(pattern, text)
        if match:
            return words.format(*(group or "" for group in match.groups())) if match.groups() else words
    return ""


def explain(error: ImageManagerError, lines: list[str]) -> BuildFailure:
    """Return why a build failed, for people."""
    details = error.details
    engine = str(details.get("engine") or "")
    telling = decisive(lines) or ((engine[:500],) if engine and isinstance(error, EngineError) else ())
    return BuildFailure(
        message=error.message,
        code=error.code,
        instruction=str(details.get("instruction") or ""),
        step=int(details.get("step") or 0),
        lines=telling,
        hint=hint([*lines[-TAIL:], engine, error.message]),
        exit_code=details.get("exit_code"),
    )


def items(report: Report) -> tuple[str, ...]:
    """Return a line for each thing that an image must have and has not."""
    return tuple(
        f"{item.title}: {item.message}" if item.message else item.title
        for item in report.items
        if item.required and not item.ok
    )


def interrupted(spec: str, lines: tuple[str, ...] = (), kind: BuildKind = BuildKind.BUILD) -> BuildFailure:
    """Return why a build ended whose process died; `lines` are the last that it complained of."""
    verb, again = {BuildKind.CHECK: ("checked", "check"), BuildKind.PUSH: ("pushed", "retry")}.get(
        kind, ("built", "retry")
    )
    return BuildFailure(
        lines=lines,
        message=f"The process that {verb} {spec} died, so the {kind.value} was interrupted; nothing else has changed.",
        code=BuildState.INTERRUPTED.value,
        hint=f"Try again with `jupyter image {again} {spec}`.",
    )


def unpushed(spec: str, state: BuildState, why: BuildFailure | None = None) -> BuildFailure:
    """Return why a push did not reach the registry; the image itself is made, and stays on this machine.

    Parameters
    ----------
    why : BuildFailure, optional
        What the push failed of.
    """
    kept = f"{spec} is built and checked, and saved on this machine only"
    message = {
        BuildState.CANCELLED: f"The push was cancelled: {kept}.",
        BuildState.INTERRUPTED: f"The process that pushed {spec} died: {kept}.",
    }.get(state, f"{kept}, since its push failed: {why.message if why else ''}")
    return BuildFailure(
        message=message,
        code=state.value if state in (BuildState.CANCELLED, BuildState.INTERRUPTED) else PUSH_FAILED,
        lines=why.lines if why else (),
        hint=f"`jupyter image retry {spec}` pushes it without building; it can be used meanwhile once it is active "
        f"(`jupyter image activate {spec}`).",
    )


def cancelled(spec: str, kind: BuildKind = BuildKind.BUILD) -> BuildFailure:
    """Return the words for a build that somebody cancelled."""
    return BuildFailure(
        message=f"The {kind.value} of {spec} was cancelled; nothing else has changed.", code=BuildState.CANCELLED.value
    )
