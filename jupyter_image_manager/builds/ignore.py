"""``.dockerignore``: which files of a context are not sent; pure.

Patterns are those of Docker: Go's ``filepath.Match`` with ``**``, ``!`` for exceptions, the last match decides, and a
match of a folder counts for all below it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable


class IgnoreRules:
    """The rules of one ``.dockerignore``."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._rules: list[tuple[bool, re.Pattern[str]]] = []
        for raw in lines:
            line = raw.strip()
            if not line or line.startswith("#"):
                continue
            exception = line.startswith("!")
            if exception:
                line = line[1:].strip()
            pattern = posixpath.normpath(line).lstrip("/") if line else ""
            if pattern in ("", "."):
                continue
            self._rules.append((exception, re.compile(_regex(pattern), re.S)))
        self.exceptions = any(exception for exception, _ in self._rules)

    def ignored(self, path: str) -> bool:
        """Return whether a path, relative with ``/``, is left out."""
        parts = path.split("/")
        parents = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
        ignored = False
        for exception, pattern in self._rules:
            if exception == ignored and any(pattern.fullmatch(parent) for parent in parents):
                ignored = not exception
        return ignored


def _regex(pattern: str) -> str:
    found, index = "", 0
    while index < len(pattern):
        char = pattern[index]
        if char == "*":
            if pattern[index : index + 2] == "**":
                index += 2
                if pattern[index : index + 1] == "/":
                    index += 1
                # As Docker does: `**` that is not at the end stands for whole folders.
                found += "(?:.*/)?" if index < len(pattern) else ".*"
                continue
            found += "[^/]*"
        elif char == "?":
            found += "[^/]"
        elif char == "[":
            end = pattern.find("]", index + 2)
            if end < 0:
                found += re.escape(char)
            else:
                # What Python may one day take for nested sets or set operations are plain letters to Docker.
                inside = re.sub(r"[\\\[&~|]", r"\\\g<0>", pattern[index + 1 : end]).replace("--", r"-\-")
                found += f"[{inside}]"
                index = end
        elif char == "\\" and index + 1 < len(pattern):
            index += 1
            found += re.escape(pattern[index])
        else:
            found += re.escape(char)
        index += 1
    try:
        re.compile(found)
    except re.error:
        return re.escape(pattern)
    return found
