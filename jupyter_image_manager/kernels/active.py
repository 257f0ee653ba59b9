"""Which folders are projects and what is active there, readable without the store.

Our provisioner stands before every kernel of a server. This little file tells it, for the price of a look at
the file system, that a notebook has nothing to do with us; and because it is read by nothing but the standard
library, a damaged store or an absent engine never touches kernels without an image.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..models import Project

FILE = "active.json"
_cache: dict[str, tuple[tuple[int, int, int], tuple[Entry, ...]]] = {}


@dataclass(frozen=True, slots=True)
class Entry:
    """A project as far as a kernel start must know it."""

    project_id: str
    name: str
    path: str
    folder_id: str
    image_id: str | None


def write(data_path: Path, projects: Iterable[Project]) -> None:
    """Write the file anew, whole or not at all. The store does so after each change of a project."""
    content = [
        {"project_id": p.id, "name": p.name, "path": p.path, "folder_id": p.folder_id, "image_id": p.active_image_id}
        for p in projects
    ]
    descriptor, partial = tempfile.mkstemp(prefix=".active-", dir=data_path)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file)
            if os.geteuid() == 0:
                # A command line that root runs on somebody's data folder must not take the file from its owner.
                owner = data_path.stat()
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        Path(partial).replace(data_path / FILE)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(partial).unlink()
        raise


def read(data_path: Path) -> tuple[Entry, ...] | None:
    """Return the projects; None when there is no such file, or it says nothing."""
    path = data_path / FILE
    try:
        found = path.stat()
        mark = (found.st_mtime_ns, found.st_ino, found.st_size)
        cached = _cache.get(str(path))
        if cached is not None and cached[0] == mark:
            return cached[1]
        entries = tuple(Entry(**item) for item in json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    _cache[str(path)] = (mark, entries)
    return entries


def nearest(entries: Iterable[Entry], place: Path) -> Entry | None:
    """Return the project that most closely encloses an existing folder; also one that was moved there."""
    by_path = {entry.path: entry for entry in entries}
    by_folder = {entry.folder_id: entry for entry in by_path.values() if entry.folder_id}
    real = place.resolve()
    for folder in (real, *real.parents):
        if str(folder) in by_path:
            return by_path[str(folder)]
        try:
            found = folder.stat()
        except OSError:
            continue
        moved = by_folder.get(f"{found.st_dev}:{found.st_ino}")
        if moved is not None and not Path(moved.path).exists():
            return moved
    return None


def concerns(data_path: Path, candidates: Iterable[Path]) -> bool:
    """Tell whether a kernel at the first of these places might have to run in an image.

    Without the file, a store that exists must be asked; no store at all means that nobody ever made a project, and
    neither did a user who may not enter the data folder.
    """
    entries = read(data_path)
    if entries is None:
        try:
            return (data_path / FILE).exists() or (data_path / "store.sqlite").exists()
        except OSError:
            return False
    if not any(entry.image_id for entry in entries):
        return False
    for place in candidates:
        found = nearest(entries, place)
        if found is not None:
            return found.image_id is not None
    return False
