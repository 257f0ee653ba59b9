"""What of builds is not kept for ever: logs of deleted images and of old failures, contexts that no recipe needs.

Each step looks at what there is and removes what nothing refers to, rows before files: whoever dies in the middle, the
next look finishes.
"""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ..models import ImageState, utcnow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..manager import ImageManager

YOUNG = 3600.0
"""Seconds for which a file that nothing refers to may still be on its way to its row."""
LOG_FILES = (".log", ".idx", ".trace")
MADE = (ImageState.READY, ImageState.UNUSABLE, ImageState.MISSING)


def sweep(manager: ImageManager) -> int:
    """Remove what is not kept any more; return how many files went."""
    count = 0
    for image_id in _images_gone(manager):
        forget(manager, image_id)
    for path in [*_old_logs(manager), *_loose_logs(manager), *_loose_contexts(manager)]:
        path.unlink(missing_ok=True)
        count += 1
    return count


def forget(manager: ImageManager, image_id: str) -> None:
    """Remove the builds of an image that is gone from the store, with their logs."""
    builds = manager.store.builds(image_id=image_id, active=False)
    manager.store.delete_builds(image_id)
    for build in builds:
        for path in _files(manager, build.id):
            path.unlink(missing_ok=True)


def _files(manager: ImageManager, build_id: str) -> Iterator[Path]:
    path = manager.builds.log_path_of(build_id)
    return (found for suffix in LOG_FILES if (found := path.with_suffix(suffix)).is_file())


def _images_gone(manager: ImageManager) -> set[str]:
    images = {build.image_id for build in manager.store.builds(active=False)}
    return {image_id for image_id in images if manager.store.image(image_id) is None}


def _old_logs(manager: ImageManager) -> Iterator[Path]:
    """Yield the files of logs that belong to no image that was made, beyond the administrator's limits."""
    settings = manager.builds.settings
    days, most = settings.failed_log_days, settings.failed_logs
    oldest = utcnow() - timedelta(days=days) if days > 0 else None
    seen = 0
    for build in manager.store.builds(active=False):  # newest first
        files = [*_files(manager, build.id)]
        if not files:
            continue
        image = manager.store.image(build.image_id)
        if image is not None and image.state in MADE and image.last_build_id == build.id:
            continue  # kept with its image
        seen += 1
        ended = build.finished or build.created
        if (oldest is not None and ended < oldest) or (most > 0 and seen > most):
            yield from files


def _loose_logs(manager: ImageManager) -> Iterator[Path]:
    folder = manager.builds.log_path_of("x").parent
    for path in folder.glob("*") if folder.is_dir() else ():
        if path.suffix in LOG_FILES and _age(path) > YOUNG and manager.store.build(path.stem) is None:
            yield path


def _loose_contexts(manager: ImageManager) -> Iterator[Path]:
    """Yield stored contexts and archives that no image's recipe has, and beginnings of some by processes that died."""
    folder = manager.data_path / "contexts"
    if not folder.is_dir():
        return
    # A running build writes into its recipe at its end what it stored at its beginning.
    running = [(utcnow() - build.created).total_seconds() for build in manager.store.builds(active=True)]
    young = max([YOUNG, *running])
    loose = [path for path in folder.iterdir() if path.is_file() and _age(path) > young]
    needed = manager.store.context_digests() if loose else frozenset()
    for path in loose:
        if f"sha256:{path.name.removesuffix('.tar.gz')}" not in needed:
            yield path


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0  # somebody else has just removed it
