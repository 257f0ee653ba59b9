from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_image_manager.builds.log import RECORD, LogReader, LogWriter, harmless, index_of
from jupyter_image_manager.builds.redact import Redactor


def writer(path: Path, limit: int = 1 << 30) -> LogWriter:
    return LogWriter(path, limit=limit, redact=Redactor())


def test_windows_search_and_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "a.log"
    with writer(path) as log:
        for number in range(1, 200_001):
            log.write(f"line {number}", step=number % 7)
    reader = LogReader(path)
    assert reader.count() == 200_000
    assert [line.text for line in reader.lines(150_000, 3)] == [f"line {n}" for n in (150_000, 150_001, 150_002)]
    assert [line.number for line in reader.search("LINE 199999")] == [199_999]
    assert list(reader.lines(200_001)) == [] and next(reader.lines(-5, 1)).number == 1
    assert list(reader.lines(5, 0)) == []
    assert path.read_text().count("\n") == 200_000


def test_a_line_of_ten_megabytes_is_shown_in_part_and_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    with writer(path) as log:
        log.write("x" * (10 << 20))
        log.write("after")
    shown, after = LogReader(path).lines()
    assert len(shown.text) < 70_000 and "bytes in all" in shown.text
    assert after.text == "after"
    assert path.stat().st_size > 10 << 20


def test_the_cap_is_said_once(tmp_path: Path) -> None:
    with writer(tmp_path / "a.log", limit=1000) as log:
        for _ in range(100):
            log.write("y" * 50)
    lines = list(LogReader(tmp_path / "a.log").lines())
    assert lines[-1].stream == "meta" and "limit" in lines[-1].text
    assert (tmp_path / "a.log").stat().st_size < 1100


def test_a_follower_gets_each_line_once(tmp_path: Path) -> None:
    path, over = tmp_path / "a.log", threading.Event()
    log = writer(path)

    def write() -> None:
        for number in range(5000):
            log.write(str(number))
            if number % 500 == 0:
                time.sleep(0.02)
        log.close()
        over.set()

    thread = threading.Thread(target=write)
    thread.start()
    got = list(LogReader(path).follow(0, over.is_set))
    thread.join()
    assert [line.text for line in got] == [str(number) for number in range(5000)]
    assert [line.number for line in LogReader(path).follow(4990, over.is_set)] == list(range(4991, 5001))


def test_a_killed_writers_rest_does_not_shift_what_follows(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    with writer(path) as log:
        log.write("first")
    with path.open("ab") as text, index_of(path).open("ab") as index:
        text.write(b"half a li")
        index.write(b"\0" * (RECORD.size - 3))
    with writer(path) as log:
        log.write("second")
    assert [line.text for line in LogReader(path).lines()] == ["first", "second"]


def test_a_full_disk_does_not_end_the_build(tmp_path: Path) -> None:
    """A limit on the size of files is what a full disk is to a writer: the write fails in the middle."""
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from jupyter_image_manager.builds.log import LogWriter\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, resource.RLIM_INFINITY))\n"
        "log = LogWriter(Path(sys.argv[1]), limit=1 << 30, redact=str)\n"
        "for n in range(400):\n    log.write(f'{n} ' + 'z' * 90); log.flush()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "log.write('there is room again'); log.close(); print(log.lines)\n"
    )
    path = tmp_path / "a.log"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    lines = list(LogReader(path).lines())
    assert lines[-1].text == "there is room again"
    assert all(re.fullmatch(r"\d+ z{90}", line.text) for line in lines[:-1])
    assert int(done.stdout) == len(lines) > 100
    assert path.stat().st_size < 21000


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("a\x1b]0;title\x07b", "ab"),
        ("\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x1b]52;c;cm0gLXJm\x07", ""),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("\x1b[?1049h\x9b31m\x00\x08x", "31mx"),
        ("\x1bPq#0\x1b\\y", "y"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_what_terminals_would_obey_is_gone(raw: str, shown: str) -> None:
    assert harmless(raw) == shown


@given(st.text(alphabet="\x1b[]m?;0123HJKP^_\\\x07\x9bxyz\x00", max_size=60))
def test_nothing_but_colours_is_left(raw: str) -> None:
    left = re.sub(r"\x1b\[[0-9;:]*m", "", harmless(raw))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", left)


lines_of_text = st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30), max_size=30)


@given(lines_of_text, st.integers(1, 35), st.integers(0, 35))
def test_any_window_is_the_slice_it_says(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], start: int, count: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "a.log"
    with writer(path) as log:
        for text in texts:
            log.write(text)
    shown = [line.text for line in LogReader(path).lines(start, count)]
    assert shown == [harmless(text) for text in texts][start - 1 : start - 1 + count]
