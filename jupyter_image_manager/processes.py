"""Which process owns a build or a kernel, and whether it still lives.

A pid alone lies: pids are reused, and other machines and containers share one engine. The identity
therefore carries the host, its boot, the pid name space and the process's start time, and answers
*unknown* where it cannot see.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _start_time(pid: int) -> str | None:
    """Return the start time of a live process in clock ticks since boot; None when dead or a zombie."""
    try:
        # The command name may hold spaces and parentheses: fields count from the last one.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    if fields[0] in ("Z", "X"):
        return None
    return fields[19]


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process, told apart from every other one that ever ran."""

    host: str
    boot: str
    namespace: str
    pid: int
    start: str

    @classmethod
    def current(cls) -> ProcessIdentity:
        """Return the identity of this process."""
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity:
        """Return the identity of a process of this machine."""
        return cls(socket.gethostname(), _boot(), _pid_namespace(), pid, _start_time(pid) or "")

    @classmethod
    def parse(cls, text: str) -> ProcessIdentity | None:
        """Read what :meth:`__str__` wrote; None when it is something else."""
        parts = text.split("|")
        if len(parts) != 5 or not parts[3].isdigit():
            return None
        return cls(parts[0], parts[1], parts[2], int(parts[3]), parts[4])

    def __str__(self) -> str:
        """Return the identity as one label value."""
        return f"{self.host}|{self.boot}|{self.namespace}|{self.pid}|{self.start}"

    def alive(self) -> bool | None:
        """Tell whether the process lives: True, False, or None when it cannot be seen from here."""
        if self.host != socket.gethostname():
            return None
        if self.boot != _boot():
            return False
        if self.namespace != _pid_namespace():
            return None
        return _start_time(self.pid) == self.start
