"""Keeping secrets out of what is written: logs, messages; pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MARK = "[secret]"
SHORTEST = 4
"""Values shorter than this are everywhere by chance, and hiding them would only make riddles."""
_CREDENTIALS = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s@:'\"]*(?::[^/\s@'\"]*)?@")


class Redactor:
    """Replaces secrets, raw and encoded, and credentials in addresses."""

    def __init__(self, secrets: Iterable[bytes] = ()) -> None:
        values: set[str] = set()
        for secret in secrets:
            for part in {secret, secret.strip(), *secret.split(b"\n")}:
                text = part.decode("utf-8", "replace").strip("\r\n")
                if len(text.strip()) < SHORTEST:
                    continue
                raw = text.encode("utf-8", "surrogatepass")
                values |= {text, quote(text, safe=""), quote_plus(text), raw.hex()}
                values |= {base64.b64encode(raw).decode(), base64.b64encode(raw + b"\n").decode()}
                values.add(base64.urlsafe_b64encode(raw).decode().rstrip("="))
        longest_first = sorted(values, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if values else None

    def __call__(self, text: str) -> str:
        """Return the text without what must not be read."""
        if self._pattern is not None:
            text = self._pattern.sub(MARK, text)
        return _CREDENTIALS.sub(rf"\1{MARK}@", text) if "@" in text else text
