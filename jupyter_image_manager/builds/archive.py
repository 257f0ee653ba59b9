"""Archives of images: looked through before the engine gets them, and read without a copy."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import InvalidRequest

BLOCK = 1 << 20
MEMBERS = 10_000
"""Members above which an archive is no image: each layer is one or a few of them."""
_SIGNS = ("manifest.json", "index.json", "oci-layout", "repositories")


def survey(path: Path, limit: int, check: Callable[[], None]) -> int:
    """Look through an archive's table without unpacking anything; return the bytes of what it holds.

    Parameters
    ----------
    limit : int
        Bytes that the members may have together, unpacked.
    check : callable
        Called for each member; may raise to end the look.

    Raises
    ------
    InvalidRequest
        It is no archive of an image, is damaged, is bigger than the limit, or names files outside itself.
    """
    size = count = 0
    signs = False
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                check()
                parts = member.name.split("/")
                if (
                    member.name.startswith("/")
                    or ".." in parts
                    or not (member.isreg() or member.isdir() or _link(member))
                ):
                    raise InvalidRequest(f"The archive {path.name} holds {member.name!r}, which no image has; refused.")
                size, count = size + member.size, count + 1
                signs = signs or member.name.removeprefix("./") in _SIGNS
                if size > limit or count > MEMBERS:
                    raise InvalidRequest(
                        f"The archive {path.name} is bigger than the limit of {limit / 1e9:.1f} GB or {MEMBERS} files; "
                        "raise BuildSettings.archive_limit if it is meant to be."
                    )
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise InvalidRequest(f"{path.name} cannot be read as an archive: {error}.") from None
    if not signs:
        raise InvalidRequest(f"{path.name} is no archive of an image; use one that `docker save` or an OCI tool wrote.")
    return size


def _link(member: tarfile.TarInfo) -> bool:
    """Return whether it is a link inside: `docker save` links equal layers to each other."""
    return member.issym() and not member.linkname.startswith("/") and member.linkname.count("..") <= 1


def blocks(path: Path) -> Iterator[bytes]:
    """Yield a file block by block."""
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            yield block


class Watched(io.RawIOBase):
    """A file over blocks that calls `check` before each read, so that sending it can be ended."""

    def __init__(self, source: Iterator[bytes], check: Callable[[], None]) -> None:
        self._source = source
        self._check = check
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the base's buffer type is wider
        """Fill the buffer, or a part of it."""
        self._check()
        while not self._rest:
            block = next(self._source, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
