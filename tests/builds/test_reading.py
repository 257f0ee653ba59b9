"""The log: every line once, in order, harmless, without secrets; windows, search, readers of other processes."""

from __future__ import annotations

import base64
import multiprocessing
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_image_manager.builds.log import SHOWN, LogReader, LogWriter, harmless
from jupyter_image_manager.builds.redact import Redactor
from jupyter_image_manager.engine.lines import LineJoiner


def plain(text: str) -> str:
    return text


def write(path: Path, lines: list[str]) -> None:
    with LogWriter(path, limit=1 << 30, redact=plain) as log:
        for line in lines:
            log.write(line, step=1)


def test_windows_and_search_of_many_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    write(path, [str(n) for n in range(1, 50_001)])
    reader = LogReader(path)
    assert reader.count() == 50_000
    assert [line.text for line in reader.lines(49_999)] == ["49999", "50000"]
    assert [line.number for line in reader.lines(100, 3)] == [100, 101, 102]
    assert list(reader.lines(50_001)) == []
    assert [line.number for line in reader.search("4999", 1, 2)] == [4999, 14999]
    assert path.read_text().split() == [str(n) for n in range(1, 50_001)]


def test_what_is_written_again_goes_on_after_what_is_there(tmp_path: Path) -> None:
    write(tmp_path / "a.log", ["one"])
    write(tmp_path / "a.log", ["two"])
    assert [(line.number, line.text) for line in LogReader(tmp_path / "a.log").lines()] == [(1, "one"), (2, "two")]


def _slow_writer(path: Path) -> None:
    with LogWriter(path, limit=1 << 30, redact=plain) as log:
        for number in range(3000):
            log.write(f"line {number}")
            if number % 100 == 0:
                log.flush()


def test_a_follower_of_another_process_sees_each_line_once_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    writer = multiprocessing.get_context("spawn").Process(target=_slow_writer, args=(path,))
    writer.start()
    lines = [line.text for line in LogReader(path).follow(0, lambda: not writer.is_alive())]
    writer.join()
    assert lines == [f"line {number}" for number in range(3000)]


def test_a_long_line_is_cut_for_readers_and_whole_in_the_file(tmp_path: Path) -> None:
    write(tmp_path / "a.log", ["x" * 10_000_000, "after"])
    first, second = LogReader(tmp_path / "a.log").lines()
    assert len(first.text) < SHOWN + 100
    assert second.text == "after"
    assert (tmp_path / "a.log").stat().st_size == 10_000_007


def test_the_limit_ends_the_log_with_a_word(tmp_path: Path) -> None:
    with LogWriter(tmp_path / "a.log", limit=100, redact=plain) as log:
        for _ in range(50):
            log.write("0123456789")
    lines = list(LogReader(tmp_path / "a.log").lines())
    assert "limit" in lines[-1].text
    assert len(lines) < 12


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]52;c;Y2xpcA==\x1b\\text", "text"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link"),
        ("\x1b[2J\x1b[1;1Htext", "text"),
        ("a\x07\x08b", "ab"),
        ("<script>", "<script>"),
    ],
)
def test_what_a_terminal_would_obey_is_taken_out_and_colours_stay(raw: str, shown: str) -> None:
    assert harmless(raw) == shown


@given(st.text())
def test_nothing_but_colours_survives(text: str) -> None:
    left = harmless(text)
    rest = __import__("re").sub(r"\x1b\[[0-9;:]*m", "", left)
    assert not any(ord(c) < 32 and c not in "\t\n\r" for c in rest.replace("\x1b", "\x1b" if "\x1b" in rest else ""))


@given(st.lists(st.text(alphabet=st.characters(blacklist_characters="\r\n")), min_size=1), st.integers(1, 7))
def test_lines_come_whole_out_of_pieces(lines: list[str], size: int) -> None:
    text = "".join(line + "\n" for line in lines)
    joiner, found = LineJoiner(), []
    for start in range(0, len(text), size):
        found += joiner.feed(text[start : start + size])
    assert [*found, *joiner.rest()] == lines


SECRET = b"s3cr3t/+ value"


@pytest.mark.parametrize(
    "text",
    [
        SECRET.decode(),
        quote(SECRET, safe=""),
        base64.b64encode(SECRET).decode(),
        SECRET.hex(),
        "https://user:pa55word@host/simple",
        "https://ghp_token@github.example/x",
    ],
)
def test_secrets_are_hidden_in_every_dress(text: str) -> None:
    said = Redactor([SECRET])(f"before {text} after")
    assert text not in said
    assert "pa55word" not in said
    assert "ghp_token" not in said
    assert said.startswith("before ")
    assert said.endswith(" after")


def test_each_line_of_a_secret_file_is_a_secret() -> None:
    redact = Redactor([b"-----BEGIN-----\nMIIEabcdef\n-----END-----\n"])
    assert "MIIEabcdef" not in redact("key MIIEabcdef")
