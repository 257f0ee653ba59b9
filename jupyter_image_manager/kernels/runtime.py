"""The kernel package for images that have none: brought from outside, read-only (R42).

One folder for each Python version, libc and architecture, filled once by pip on the server and kept; after
that no network is needed. The image never changes and its own packages come first.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from packaging.version import InvalidVersion, Version

from ..errors import KernelStartError

TIMEOUT = 600.0
"""Seconds that pip may take to fill a runtime."""

MACHINES = {"amd64": "x86_64", "arm64": "aarch64", "x86_64": "x86_64", "aarch64": "aarch64", "ppc64le": "ppc64le"}

GLIBC = (17, 12, 5, 24, 26, 27, 28, 31, 34, 35)
"""Minor versions of glibc 2 for which wheels are commonly built (manylinux_2_*)."""


class ImageFacts(Protocol):
    """What of a report decides how a kernel is started; the check has it before there is a report."""

    @property
    def python_version(self) -> str:
        """As ``3.11.2``."""

    @property
    def python_path(self) -> str:
        """Where the interpreter lies."""

    @property
    def architecture(self) -> str:
        """As ``amd64``."""

    @property
    def libc(self) -> str:
        """Either ``glibc`` or ``musl``."""

    @property
    def libc_version(self) -> str:
        """As ``2.36``."""

    @property
    def ipykernel(self) -> str:
        """Version, or empty."""

    @property
    def kernelspecs(self) -> dict[str, dict[str, Any]]:
        """Name to kernel.json."""


@dataclass(frozen=True, slots=True)
class RuntimeKey:
    """What decides which wheels fit."""

    python: str  # "3.11"
    libc: str  # glibc | musl
    libc_minor: int
    machine: str  # x86_64 | aarch64 ...

    def __str__(self) -> str:
        """Return the name of the folder."""
        return f"python{self.python}-{self.libc}{self.libc_minor}-{self.machine}"

    @classmethod
    def of(cls, report: ImageFacts) -> RuntimeKey:
        """Return the key of a checked image.

        Raises
        ------
        KernelStartError
            The report does not say enough.
        """
        try:
            version = Version(report.python_version)
        except InvalidVersion as error:
            raise KernelStartError(
                "The image's report names no Python version, so no kernel runtime can be chosen; "
                "check the image again with `jupyter image check`."
            ) from error
        machine = MACHINES.get(report.architecture, report.architecture or os.uname().machine)
        libc = report.libc or "glibc"
        known = report.libc_version.split(".")
        # Rounded down to what wheels are built for, so that like images share a runtime.
        minor = int(known[1]) if len(known) > 1 and known[1].isdigit() else (2 if libc == "musl" else 17)
        minor = max((m for m in GLIBC if m <= minor), default=17) if libc == "glibc" else min(minor, 2)
        return cls(f"{version.major}.{version.minor}", libc, minor, machine)

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags whose wheels run there, best first."""
        if self.libc == "musl":
            return tuple(f"musllinux_1_{m}_{self.machine}" for m in range(self.libc_minor, -1, -1))
        fits = sorted((m for m in GLIBC if m <= self.libc_minor), reverse=True)
        return (*(f"manylinux_2_{m}_{self.machine}" for m in fits), f"manylinux2014_{self.machine}")

    @property
    def requirements(self) -> tuple[str, ...]:
        """What is installed.

        pip reads environment markers with its own Python, not with the wanted one, so that what older
        versions need besides is named here.
        """
        minor = int(self.python.split(".")[1])
        if minor < 8:
            raise KernelStartError(
                f"There is no kernel for Python {self.python}; build the image with Python 3.8 or newer."
            )
        wanted = [{8: "ipykernel==6.29.*", 9: "ipykernel==6.31.*"}.get(minor, "ipykernel>=7,<8")]
        if minor < 10:
            wanted += ["importlib-metadata", "zipp"]
        if minor < 11:
            wanted.append("exceptiongroup")
        if minor < 12:
            wanted.append("typing-extensions")
        return tuple(wanted)


def ensure(key: RuntimeKey, folder: Path, compile_in: Callable[[Path], None] | None = None) -> Path:
    """Return the runtime's folder; fill it first if this is its first use.

    Parameters
    ----------
    key : RuntimeKey
        Which one.
    folder : Path
        Where runtimes are kept.
    compile_in : callable, optional
        Compiles a filled folder with the image's own Python; without it each kernel would do so anew.

    Raises
    ------
    KernelStartError
        The package index cannot be reached or has no fitting wheels; the message says what to do.
    """
    target = folder / str(key)
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / f"{key}.lock"):
        if target.is_dir():
            return target
        partial = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=folder))
        try:
            _install(key, partial)
            if compile_in is not None:
                compile_in(partial)
            # Kernels of several users read it: nothing in it is secret.
            partial.chmod(0o755)
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return target


def _install(key: RuntimeKey, target: Path) -> None:
    fit = (
        *("--only-binary=:all:", "--implementation", "cp", "--python-version", key.python),
        *(word for platform in key.platforms for word in ("--platform", platform)),
    )
    with tempfile.TemporaryDirectory(prefix=".wheels-", dir=target.parent) as wheels:
        # Two steps: `pip install --target` minds only its own Python when it reads Requires-Python.
        _pip(key, "download", "--dest", wheels, *fit, *key.requirements)
        found = sorted(str(path) for path in Path(wheels).iterdir())
        _pip(key, "install", "--no-deps", "--no-index", "--no-compile", "--target", str(target), *fit, *found)


def _pip(key: RuntimeKey, *words: str) -> None:
    command = [sys.executable, "-m", "pip", *words, "--quiet", "--disable-pip-version-check", "--no-input"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise KernelStartError(_advice(key, f"pip did not finish in {TIMEOUT:.0f} s")) from error
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        last = (
            errors[-1].removeprefix("ERROR: ") if errors else (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        )
        raise KernelStartError(_advice(key, last), {"pip": done.stderr[-4000:]})


def _advice(key: RuntimeKey, reason: str) -> str:
    return (
        f"The image has no ipykernel, and the kernel runtime for Python {key.python} ({key.libc}, {key.machine}) could "
        f"not be fetched: {reason.rstrip('.')}; make the package index reachable for this server's pip, or add "
        "`RUN pip install ipykernel` to the Dockerfile."
    )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
