"""Small file systems of their own, so that a full disk is a real one and nobody else's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

BLOCK = 64 << 10


def as_root(*command: str) -> None:
    """Run a command that only root may."""
    prefix = () if os.getuid() == 0 else ("sudo", "-n")
    subprocess.run([*prefix, *command], check=True, capture_output=True, text=True)


class Disk:
    """A file system in memory, of a fixed size."""

    def __init__(self, path: Path, megabytes: int) -> None:
        self.path = path
        self._ballast = path / "ballast"
        path.mkdir()
        owner = f"uid={os.getuid()},gid={os.getgid()},mode=0755"
        as_root("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,{owner}", "tmpfs", str(path))

    def free(self) -> int:
        """Return the bytes that are free."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def fill(self, leave: int = 0) -> None:
        """Take all room but `leave` bytes."""
        with self._ballast.open("ab", buffering=0) as file:
            try:
                while (room := self.free() - leave) > 0:
                    file.write(b"\1" * min(room, BLOCK))
            except OSError:
                return  # it is full

    def empty(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    def remove(self) -> None:
        """Unmount it, with whatever is still mounted below."""
        mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        for place in sorted((m for m in mounts if Path(m).is_relative_to(self.path)), key=len, reverse=True):
            as_root("umount", "--lazy", place)
        self.path.rmdir()
