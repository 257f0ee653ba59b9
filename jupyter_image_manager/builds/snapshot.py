"""Stored contexts: a build next year needs nothing from the project folder (R1)."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ..errors import Conflict

BLOCK = 1 << 20


class Recording:
    """Passes a stream through, with its digest, and keeps a compressed copy as long as that stays small."""

    def __init__(self, blocks: Iterator[bytes], folder: Path, limit: int, *, keep: bool) -> None:
        self._blocks = blocks
        self._folder = folder
        self._limit = limit
        self._keep = keep
        self._hash = hashlib.sha256()
        self.size = 0
        self.stored = False
        self.complete = False  # whether all has passed

    @property
    def digest(self) -> str:
        """The sha256 of what has passed."""
        return "sha256:" + self._hash.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        """Yield the blocks. The copy appears under its digest when the last one has passed."""
        partial: str | None = None
        raw: IO[bytes] | None = None
        copy: gzip.GzipFile | None = None
        if self._keep:
            # A full disk costs the copy, not the build.
            with contextlib.suppress(OSError):
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                descriptor, partial = tempfile.mkstemp(prefix=".partial-", dir=self._folder)
                raw = os.fdopen(descriptor, "wb")
                copy = gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0)
        try:
            for block in self._blocks:
                self._hash.update(block)
                self.size += len(block)
                if copy is not None:
                    try:
                        copy.write(block)
                    except OSError:
                        copy = None
                    if self.size > self._limit:
                        copy = None
                yield block
            if copy is not None and partial is not None and raw is not None:
                with contextlib.suppress(OSError):
                    copy.close()
                    raw.flush()
                    Path(partial).replace(self._folder / f"{self._hash.hexdigest()}.tar.gz")
                    partial, self.stored = None, True
            self.complete = True
        finally:
            if raw is not None:
                with contextlib.suppress(OSError):
                    raw.close()
            if partial is not None:
                Path(partial).unlink(missing_ok=True)


def path_of(folder: Path, digest: str) -> Path:
    """Return the file of a stored context.

    Raises
    ------
    Conflict
        The copy is not there any more.
    """
    path = folder / f"{digest.removeprefix('sha256:')}.tar.gz"
    if not path.is_file():
        raise Conflict(
            f"The stored context {digest[:19]} is not there any more; build from the project folder instead."
        )
    return path


def stored(folder: Path, digest: str) -> Iterator[bytes]:
    """Yield a stored context again.

    Raises
    ------
    Conflict
        The copy is not there any more.
    """
    with gzip.open(path_of(folder, digest), "rb") as file:
        while block := file.read(BLOCK):
            yield block


def names(folder: Path, digest: str) -> frozenset[str]:
    """Return the paths of the files in a stored context; raises Conflict as :func:`stored` does."""
    with gzip.open(path_of(folder, digest), "rb") as file, tarfile.open(fileobj=file, mode="r|") as archive:
        return frozenset(member.name for member in archive if not member.isdir())
