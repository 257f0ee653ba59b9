"""A full disk of our own, the data folder's or that of kernels' sockets, said in one sentence."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import NoSpaceLeft

FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def own_disk() -> Iterator[None]:
    """Turn a write that found no room into an error for people; use it in a `with`, or as a decorator.

    Raises
    ------
    NoSpaceLeft
        Names the file that could not be written, where the system does.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        place = f"The disk of {error.filename}" if error.filename else "The disk of the data folder"
        raise NoSpaceLeft(f"{place} is full; free some space and try again.") from error
