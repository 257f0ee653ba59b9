"""What of the server's surroundings a kernel gets: a few harmless variables, time zone, locale, umask (R44).

Nothing is forwarded unless it is named here or by the administrator: tokens, cookies and cloud keys live in
the server's environment.
"""

from __future__ import annotations

import fnmatch
import os
import re
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import KernelStartError, NotAllowed

NEVER = (
    "JUPYTERHUB_*",
    "JUPYTER_*",
    "JPY_*",
    "*TOKEN*",
    "*COOKIE*",
    "*SECRET*",
    "*PASSWORD*",
    "*API_KEY*",
)
"""Variables that the allow-list cannot let through, whatever it says."""

SESSION = "JPY_SESSION_NAME"
_umask_lock = threading.Lock()


def allowed(source: Mapping[str, str], patterns: Iterable[str]) -> dict[str, str]:
    """Return the variables of the server that the allow-list names."""
    patterns = tuple(patterns)
    return {
        name: value
        for name, value in source.items()
        if any(fnmatch.fnmatchcase(name, p) for p in patterns) and not forbidden(name)
    }


def forbidden(name: str) -> bool:
    """Tell whether a variable of the server must never reach a kernel."""
    return any(fnmatch.fnmatchcase(name.upper(), pattern) for pattern in NEVER)


def of_kernelspec(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a kernelspec that say the same inside: those without references to the server's."""
    return {name: value for name, value in env.items() if "$" not in value and name != "PATH"}


def resolve_secrets(references: Mapping[str, str]) -> dict[str, str]:
    """Look up a project's secrets, ``env:NAME`` or ``file:PATH``, at the moment of a kernel's start.

    Raises
    ------
    KernelStartError
        A reference leads nowhere. The message names the reference, never a value.
    NotAllowed
        It names a variable that belongs to the server itself.
    """
    found = {}
    for variable, reference in references.items():
        kind, _, place = reference.partition(":")
        if kind == "env":
            if fnmatch.fnmatchcase(place.upper(), "JUPYTER*") or fnmatch.fnmatchcase(place.upper(), "JPY_*"):
                raise NotAllowed(
                    f"The secret {variable} refers to {place}, which belongs to the Jupyter server itself."
                )
            if place not in os.environ:
                raise KernelStartError(
                    f"The secret {variable} refers to the variable {place}, which the server does not have; "
                    "set it where the server is started, or change the project's run settings."
                )
            found[variable] = os.environ[place]
        elif kind == "file":
            try:
                found[variable] = Path(place).expanduser().read_text().rstrip("\n")
            except (OSError, UnicodeDecodeError) as error:
                raise KernelStartError(
                    f"The secret {variable} refers to the file {place}, which cannot be read; "
                    "check the path in the project's run settings."
                ) from error
        else:
            # What stands there may be the secret itself, so it is not repeated.
            raise KernelStartError(
                f"The secret {variable} is given by no reference; name it as `env:NAME` or `file:PATH` in the "
                "project's run settings."
            )
    return found


def language() -> str:
    """Return the server's locale, as ``LANG`` says it."""
    return os.environ.get("LC_ALL") or os.environ.get("LANG", "")


def time_zone(localtime: Path = Path("/etc/localtime")) -> tuple[str, str]:
    """Return the name of the server's time zone and its POSIX rule, either may be empty.

    The rule serves images without a time zone database: a name that is not known there silently means UTC.
    """
    name = os.environ.get("TZ", "").removeprefix(":")
    file = localtime
    if name and not name.startswith("/"):
        file = Path("/usr/share/zoneinfo") / name
        if not file.is_file():
            # Already a rule, as "CET-1CEST,M3.5.0,M10.5.0/3".
            return "", name
    elif not name:
        try:
            place = str(localtime.resolve())
        except OSError:
            place = ""
        name = place.partition("/zoneinfo/")[2]
    try:
        content = file.read_bytes()
    except OSError:
        return name, ""
    # RFC 8536: version 2 and newer end in a newline, the rule, and a newline.
    rule = content.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii", "replace") if content[4:5] >= b"2" else ""
    if not re.fullmatch(r"[A-Za-z0-9<>+\-,./:]{3,60}", rule):
        rule = ""
    return name, rule


def umask() -> int:
    """Return this process's umask."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    except (OSError, ValueError, IndexError):
        # Not Linux: the only other way is to set it and set it back.
        with _umask_lock:
            current = os.umask(0o022)
            os.umask(current)
            return current
    return 0o022
