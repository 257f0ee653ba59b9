"""Remove what dead processes of ours left in the engine, and nothing else (R45)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from ..engine.port import LABEL, ContainerState, Engine
from ..errors import ImageManagerError
from ..processes import ProcessIdentity
from .sockets import remove_folder

ROLES = ("kernel", "check", "run")
"""Roles whose containers live no longer than their owner. Builds have their own keeper."""


def orphans(containers: Iterable[ContainerState], installation: str) -> list[ContainerState]:
    """Return the containers of this installation whose owner is surely dead.

    An owner that cannot be seen from here, on another machine or in another container, may well live.
    """
    found = []
    for container in containers:
        labels = container.labels
        if labels.get(f"{LABEL}.installation") != installation or labels.get(f"{LABEL}.role") not in ROLES:
            continue
        owner = ProcessIdentity.parse(labels.get(f"{LABEL}.owner", ""))
        if owner is not None and owner.alive() is False:
            found.append(container)
    return found


def reap(
    engine: Engine, installation: str, log: logging.Logger, removed: Callable[[ContainerState], None] | None = None
) -> int:
    """Remove the orphans; return how many went."""
    count = 0
    for container in orphans(engine.list_containers({f"{LABEL}.installation": installation}), installation):
        try:
            engine.remove(container.id, force=True)
        except ImageManagerError as error:
            log.warning("The left container %s could not be removed: %s", container.name, error)
            continue
        log.info("Removed the container %s, whose owner is dead.", container.name)
        count += 1
        if removed is not None:
            removed(container)
    return count


def sweep_folders(base: Path, log: logging.Logger) -> int:
    """Remove private folders of kernels whose process is dead; the owner is written beside each."""
    count = 0
    for mark in base.glob("*.owner"):
        try:
            owner = ProcessIdentity.parse(mark.read_text())
        except OSError:
            continue
        if owner is not None and owner.alive() is False:
            try:
                remove_folder(mark.with_suffix(""))
            except OSError as error:
                log.debug("%s stays: %s", mark, error)
            count += 1
    return count
