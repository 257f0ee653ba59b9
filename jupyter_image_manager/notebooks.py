"""Which notebooks of a project remember an image (R24, R49), looked for within bounds."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .kernels.memory import KEY, read_memory
from .models import Image, Project

SUFFIX = ".ipynb"
ENTRIES = 50_000
"""Files and folders that are looked at."""
BYTES = 256 << 20
"""Bytes of notebooks that are read, in all."""
LARGEST = 32 << 20
"""Bytes of one notebook; a larger one is not read."""
NAMED = 100
"""Notebooks that are named."""


@dataclass(frozen=True, slots=True)
class Found:
    """The notebooks that remember an image, relative to their project; and whether a bound ended the search."""

    notebooks: tuple[str, ...] = ()
    complete: bool = True


def remembering(project: Project, image: Image, projects: Iterable[Project]) -> Found:
    """Return the notebooks of a project whose metadata names an image as the one in which they last ran.

    Hidden files and folders, links, and folders that are projects of their own are left out.

    Parameters
    ----------
    projects : iterable of Project
        All projects; those within this one are not searched.
    """
    root = Path(project.path)
    nested = {other.path for other in projects if other.id != project.id}
    search = _Search(nested)
    found = []
    for path in search.notebooks(root):
        memory = search.memory(path)
        # Version numbers never come again, so the two together mean one image.
        if memory is not None and (memory["project"], memory["image"]) == (project.id, image.spec):
            found.append(path.relative_to(root).as_posix())
            if len(found) == NAMED:
                search.complete = False
                break
    return Found(tuple(sorted(found)), search.complete)


class _Search:
    """A walk that ends at its bounds, and remembers that it did."""

    def __init__(self, nested: set[str]) -> None:
        self.nested = nested
        self.complete = True
        self._entries = 0
        self._bytes = 0

    def notebooks(self, root: Path) -> Iterator[Path]:
        folders = [str(root)]
        while folders:
            try:
                listed = sorted(os.scandir(folders.pop()), key=lambda entry: entry.name)
            except OSError:
                self.complete = False  # a folder that cannot be read may hold some
                continue
            for entry in listed:
                self._entries += 1
                if self._entries > ENTRIES:
                    self.complete = False
                    return
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if entry.path not in self.nested:
                        folders.append(entry.path)
                elif entry.name.endswith(SUFFIX) and entry.is_file(follow_symlinks=False):
                    yield Path(entry.path)

    def memory(self, path: Path) -> dict[str, str] | None:
        """Return what a notebook remembers; None too when it cannot be read."""
        try:
            size = path.stat().st_size
            if size > LARGEST or self._bytes + size > BYTES:
                self.complete = False
                return None
            content = path.read_bytes()
        except OSError:
            self.complete = False
            return None
        self._bytes += size
        if f'"{KEY}"'.encode() not in content:
            return None
        try:
            return read_memory(json.loads(content))
        except (ValueError, RecursionError):
            return None  # no notebook: it remembers nothing
