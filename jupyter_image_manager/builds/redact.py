"""Keeping secrets out of what is written: logs, messages; pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MARK = "[secret]"
SHORTEST = 4
"""Values shorter than this are everywhere by chance, and hiding them would only make riddles."""
ADDRESS = 256
"""Letters that are held of a cut line even without secrets: an address with a password may begin there."""
WRAPPED = 57
"""Bytes that become one line of 76 letters where base64 is wrapped."""
_CREDENTIALS = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s:@'\"]*(?::[^/\s@'\"]*)?@")


class Redactor:
    """Replaces secrets, raw and encoded, and credentials in addresses."""

    def __init__(self, secrets: Iterable[bytes] = ()) -> None:
        values: set[str] = set()
        for secret in secrets:
            for part in {secret, secret.strip(), *secret.split(b"\n")}:
                values.update(_forms(part.strip(b"\r\n")))
        longest_first = sorted(values, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if values else None
        self.longest = max(map(len, values), default=0)
        """Letters of the longest form of a secret."""

    def __call__(self, text: str) -> str:
        """Return the text without what must not be read."""
        if self._pattern is not None:
            text = self._pattern.sub(MARK, text)
        return _CREDENTIALS.sub(rf"\1{MARK}@", text) if "@" in text else text

    def safe_cut(self, text: str, cut: int) -> int:
        """Return the last place, not behind `cut`, where a text may be cut without cutting what must be hidden."""
        for pattern in (self._pattern, _CREDENTIALS):
            for match in pattern.finditer(text) if pattern is not None else ():
                if match.start() < cut < match.end():
                    cut = match.start()
        return cut


class PieceRedactor:
    """Redacts the pieces of a line that was too long to be handed on whole, so that no cut hides a secret."""

    def __init__(self, redact: Redactor, longest: int) -> None:
        self._redact = redact
        self._longest = longest
        self._held = ""

    def __call__(self, text: str) -> str:
        """Return what may be written of a line now; the end of a piece is held until the next one is there."""
        whole = self._held + text
        if len(text) < self._longest:
            self._held = ""
            return self._redact(whole)
        cut = self._redact.safe_cut(whole, max(0, len(whole) - max(self._redact.longest, ADDRESS)))
        self._held = whole[cut:]
        return self._redact(whole[:cut])

    def rest(self) -> str:
        """Return what is still held, when nothing more comes."""
        held, self._held = self._held, ""
        return self._redact(held)


def _forms(value: bytes) -> Iterator[str]:
    """Yield how a secret may show: as it is, in an address, in hexadecimal, in base64 alone or inside other text."""
    text = value.decode("utf-8", "replace")
    if len(text.strip()) < SHORTEST:
        return
    yield from (text, quote(text, safe=""), quote_plus(text), quote(text), value.hex(), value.hex().upper())
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            # The letters that hold nothing but the secret, whatever stands before and after it.
            letters = encode(b"\0" * before + value).decode().rstrip("=")
            begin = (0, 2, 3)[before]
            end = len(letters) if (before + len(value)) % 3 == 0 else len(letters) - 1
            inner = letters[begin:end]
            if len(inner) >= SHORTEST:
                yield inner
        if len(value) > WRAPPED:
            for start in range(0, len(value), WRAPPED):
                line = encode(value[start : start + WRAPPED]).decode().rstrip("=")
                if len(line) >= 2 * SHORTEST:
                    yield line
