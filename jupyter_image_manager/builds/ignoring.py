"""Write a rule into a ``.dockerignore``, and take it out again."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from pathlib import Path

from ..errors import InvalidRequest

IGNORE_FILE = ".dockerignore"


def rule_for(path: str) -> str:
    """Return the rule that leaves out exactly one path, whatever letters it has."""
    parts = path.split("/")
    if not path or path.startswith("/") or ".." in parts or "\n" in path or "\r" in path or path != path.strip():
        raise InvalidRequest(f"{path!r} is no path below the context that a line of {IGNORE_FILE} could name.")
    # From the root, so that no letter at its beginning means something else.
    return "/" + re.sub(r"([\\*?\[\]])", r"\\\1", path)


def ignore(folder: Path, path: str, *, ignored: bool) -> None:
    """Leave a path of a context out, or take that back.

    Parameters
    ----------
    folder : Path
        The context's folder; its ``.dockerignore`` is made when there is none, and is removed when nothing is in it.
    path : str
        Relative to the folder.
    ignored : bool
        False takes out the line that True has appended.

    Raises
    ------
    InvalidRequest
        The path cannot be named, or the file cannot be written.
    """
    rule, file = rule_for(path), folder / IGNORE_FILE
    try:
        mode = None
        if os.path.lexists(file):
            found = file.lstat()
            if not stat.S_ISREG(found.st_mode):
                raise InvalidRequest(f"{IGNORE_FILE} is no plain file, so it is not changed; write {rule} into it.")
            mode = stat.S_IMODE(found.st_mode)
        # As bytes: what is not UTF-8 in there stays as it is.
        text = file.read_bytes() if mode is not None else b""
        line = rule.encode("utf-8", "surrogateescape")
        lines = text.split(b"\n")
        if ignored:
            if line not in lines:
                text = text + (b"\n" if text and not text.endswith(b"\n") else b"") + line + b"\n"
        elif line in lines:
            del lines[len(lines) - 1 - lines[::-1].index(line)]
            text = b"\n".join(lines)
        if not text and mode is not None:
            file.unlink()
        elif text:
            _replace(file, text, 0o644 if mode is None else mode)
    except OSError as error:
        raise InvalidRequest(
            f"{IGNORE_FILE} cannot be written: {error.strerror}. Write {rule} into it where you may."
        ) from None


def _replace(file: Path, text: bytes, mode: int) -> None:
    descriptor, name = tempfile.mkstemp(prefix=IGNORE_FILE, dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as written:
            written.write(text)
            os.fchmod(written.fileno(), mode)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
