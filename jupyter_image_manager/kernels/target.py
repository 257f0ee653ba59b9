"""Where a kernel belongs: the project around its notebook, and the image that is active there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..models import Image, Project

DRIVES = ("RTC:",)
"""Prefixes that real-time collaboration puts before a notebook's path."""


@dataclass(frozen=True, slots=True)
class KernelTarget:
    """A kernel that must run in an image."""

    project: Project
    image: Image
    cwd: str  # as the user sees it; may pass through symbolic links
    notebook: str = ""

    @property
    def where(self) -> str:
        """For messages: what in which project."""
        return f"the project {self.project.name!r}"


def places(cwd: str, notebook: str | None) -> list[Path]:
    """Return the places that decide about a kernel, the telling one first.

    A notebook's own folder counts more than the working directory: a server may start kernels elsewhere.
    """
    found = []
    if notebook:
        for drive in DRIVES:
            head, marker, tail = notebook.rpartition(drive)
            if marker:
                notebook = head + tail
        path = Path(notebook)
        if path.is_absolute():
            found.append(path.parent)
        elif cwd:
            found.append(Path(cwd, path).parent)
    if cwd:
        found.append(Path(cwd).absolute())
    # A console's name is no file, and a notebook may be renamed: the nearest folder that is there decides.
    return [_existing(path) for path in found] or [Path.cwd()]


def _existing(path: Path) -> Path:
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path


def mount_points(project: Path, cwd: str) -> tuple[str, ...]:
    """Return the paths at which the project must appear: its real one, and the one the user came by."""
    points = [str(project)]
    came_by = Path(cwd)
    for ancestor in (came_by, *came_by.parents):
        if ancestor.resolve() == project:
            if str(ancestor) not in points:
                points.append(str(ancestor))
            break
    return tuple(points)


def working_dir(project: Path, cwd: str, notebook: str) -> str:
    """Return the kernel's working directory: the given one when it lies in the project, else the notebook's."""
    candidates = [cwd, str(Path(notebook).parent) if notebook else ""]
    for candidate in candidates:
        if candidate and Path(candidate).is_dir():
            real = Path(candidate).resolve()
            if real == project or project in real.parents:
                return candidate
    return str(project)
