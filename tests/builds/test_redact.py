from __future__ import annotations

import base64
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from jupyter_image_manager.builds.redact import MARK, PieceRedactor, Redactor

SECRET = "s3cr3t/Wert+ü="
letters = st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=40)


@given(letters, letters)
def test_no_form_of_a_secret_is_left(before: str, after: str) -> None:
    redact = Redactor([SECRET.encode() + b"\n"])
    raw = SECRET.encode()
    for form in (SECRET, quote(SECRET, safe=""), raw.hex(), base64.b64encode(raw).decode()):
        assert form not in redact(f"{before}{form}{after}")
    inside = base64.b64encode(before.encode() + raw + after.encode()).decode()
    assert MARK in redact(inside)


@given(st.text(alphabet="abc ", max_size=50), st.text(alphabet="abc ", max_size=50), st.integers(1, 120))
def test_no_cut_hides_a_secret(before: str, after: str, size: int) -> None:
    text = f"{before}{SECRET}{after}"
    pieces = PieceRedactor(Redactor([SECRET.encode()]), size)
    parts = [text[i : i + size] for i in range(0, len(text), size)]
    written = "".join(map(pieces, parts)) + pieces.rest()
    assert written == f"{before}{MARK}{after}"


def test_lines_of_a_secret_file_are_secrets_too() -> None:
    redact = Redactor([b"-----BEGIN-----\nabcdefgh\nijklmnop\n"])
    assert redact("x abcdefgh y") == f"x {MARK} y"
    assert redact("ijklmnop") == MARK


def test_passwords_in_addresses() -> None:
    redact = Redactor()
    assert redact("using http://user:pa%40ss@proxy:3128 now") == f"using http://{MARK}@proxy:3128 now"
    assert redact("git+https://ghp_token@host/x") == f"git+https://{MARK}@host/x"
    assert redact("mail me@example.org, http://host/a@b") == "mail me@example.org, http://host/a@b"
    assert Redactor([b"abc"])("abc") == "abc"
