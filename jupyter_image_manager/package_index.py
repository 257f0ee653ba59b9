"""Which versions of a package the index has from which builds install: asked of pip, which knows how."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping

from .errors import EngineTimeout, InvalidRequest, RegistryUnavailable

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
PYTHON = re.compile(r"3\.\d{1,2}")
TIMEOUT = 20.0
MOST = 100
"""Versions that are told, the newest ones."""
UNREACHED = ("Retrying (", "Could not fetch URL", "Connection", "Temporary failure", "timed out")


def versions(name: str, python: str = "", *, environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the versions of a package, newest first; none when the index does not know it.

    Parameters
    ----------
    name : str
        Of the distribution.
    python : str
        Only versions with a wheel for this Python, such as ``3.11``; any when empty.
    environment : mapping, optional
        Variables for pip beside the server's own: those that builds get.

    Raises
    ------
    InvalidRequest
        That is no name of a package, or no version of Python.
    RegistryUnavailable
        The index did not answer.
    EngineTimeout
        It did not answer in time.
    """
    if not NAME.fullmatch(name):
        raise InvalidRequest(f"{name[:80]!r} is no name of a package, such as 'numpy'.")
    if python and not PYTHON.fullmatch(python):
        raise InvalidRequest(f"{python[:20]!r} is no version of Python, such as '3.11'.")
    command = [sys.executable, "-m", "pip", "index", "versions", "--disable-pip-version-check", "--no-color"]
    command += ["--no-input", "--retries=1", "--timeout=8"]
    if python:
        command += [f"--python-version={python}", "--only-binary=:all:"]
    try:
        done = subprocess.run(
            [*command, "--", name],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )
    except subprocess.TimeoutExpired:
        raise EngineTimeout(f"The package index did not tell of {name} within {TIMEOUT:.0f} s; try again.") from None
    except OSError as error:
        raise RegistryUnavailable(f"pip, which would ask the package index, did not start: {error}.") from None
    found = re.search(r"^Available versions: (.+)$", done.stdout, re.M)
    if found:
        return tuple(found[1].split(", ")[:MOST])
    if any(words in done.stderr for words in UNREACHED) or "No matching distribution" not in done.stderr:
        raise RegistryUnavailable(
            "The package index did not answer; type the version yourself, or try again. Which index that is, pip's "
            "configuration on the server says, and BuildSettings.environment."
        )
    return ()
