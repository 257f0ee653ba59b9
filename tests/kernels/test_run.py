"""``jupyter image run`` as people and scripts run it: a process with pipes, and one on a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from jupyter_image_manager.engine.port import LABEL

from .laboratory import Laboratory, until

pytestmark = pytest.mark.engine
PROGRAM = [str(Path(sys.executable).with_name("jupyter-image")), "run", "--"]
WAIT = "print('ready', flush=True); import time; time.sleep(600)"


@pytest.fixture(scope="module")
def folder(lab: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "my project"
    lab.project(path)
    return path


@pytest.fixture(autouse=True)
def nothing_left(lab: Laboratory) -> Iterator[Callable[[], bool]]:
    """No command leaves a container, nor a private folder."""

    def nothing() -> bool:
        mine = {f"{LABEL}.installation": lab.manager.store.installation_id(), f"{LABEL}.role": "run"}
        homes = Path(lab.manager.data_dir) / "homes"
        return not lab.manager.engine.list_containers(mine) and not (homes.is_dir() and any(homes.iterdir()))

    yield nothing
    until(nothing)


def piped(folder: Path, *words: str, **options: object) -> subprocess.Popen[bytes]:
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([*PROGRAM, *words], cwd=folder, **(pipes | options))


def done(folder: Path, *words: str, given: bytes = b"") -> tuple[int, bytes, bytes]:
    process = piped(folder, *words)
    out, err = process.communicate(given, timeout=120)
    return process.returncode, out, err


def test_bytes_go_through_unharmed_and_errors_apart(folder: Path) -> None:
    data = os.urandom(6 << 20)
    code, out, err = done(folder, "sh", "-c", "cat; echo oops >&2; test -t 0 || test -t 1 || exit 7", given=data)
    assert (code, err, out == data) == (7, b"oops\n", True)


def test_input_that_is_not_wanted_or_not_there(folder: Path) -> None:
    assert done(folder, "sh", "-c", "head -c 2; exit 3", given=b"x" * (4 << 20)) == (3, b"xx", b"")
    assert piped(folder, "cat", stdin=subprocess.DEVNULL).communicate(timeout=60) == (b"", b"")
    # An input that never ends is not waited for.
    assert piped(folder, "echo", "done").stdout.read() == b"done\n"  # type: ignore[union-attr]  # it is a pipe
    words = ["sh", "-c", 'exec "$@" <&- >&-', "sh", *PROGRAM, "sh", "-c", "cat; echo x; exit 6"]
    closed = subprocess.run(words, cwd=folder, timeout=60, check=False, stderr=subprocess.PIPE)
    assert (closed.returncode, closed.stderr) == (6, b"")


def test_what_cannot_be_run(folder: Path) -> None:
    code, out, err = done(folder, "no-such-program")
    assert (code, out) == (127, b"") and b"no-such-program" in err and b"Traceback" not in err


def test_nobody_reads_the_output_any_more(folder: Path) -> None:
    process = piped(folder, "sh", "-c", "cat /dev/zero")
    assert process.stdout is not None
    process.stdout.read(1 << 20)
    process.stdout.close()
    assert process.wait(60) == 1


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_the_commands(folder: Path, signum: signal.Signals) -> None:
    script = f"import signal; signal.signal({signum.value}, lambda *_: exit(5)); {WAIT}"
    process = piped(folder, "python3", "-c", script)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    process.send_signal(signum)
    assert process.wait(60) == 5


def test_who_insists_ends_a_command_that_hears_nothing(folder: Path) -> None:
    script = f"import signal; signal.signal(signal.SIGINT, lambda *_: print('no', flush=True)); {WAIT}"
    process = piped(folder, "python3", "-c", script)
    assert process.stdout is not None
    for said in (b"ready\n", b"no\n", b"no\n"):
        assert process.stdout.readline() == said
        process.send_signal(signal.SIGINT)
    assert process.wait(60) == 137


def test_a_killed_command_line_leaves_nothing(folder: Path, nothing_left: Callable[[], bool]) -> None:
    process = piped(folder, "python3", "-c", WAIT)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    assert not nothing_left()
    process.kill()
    process.wait()
    until(nothing_left)


@pytest.fixture
def session(folder: Path) -> Iterator[Callable[..., pexpect.spawn[str]]]:
    """Run a command on a terminal of its own."""
    made: list[pexpect.spawn[str]] = []

    def start(*words: str) -> pexpect.spawn[str]:
        made.append(
            pexpect.spawn(PROGRAM[0], [*PROGRAM[1:], *words], cwd=folder, encoding="utf-8", timeout=60, echo=True)
        )
        made[-1].setwinsize(33, 101)
        return made[-1]

    yield start
    for child in made:
        child.close(force=True)


def test_an_interactive_session(session: Callable[..., pexpect.spawn[str]]) -> None:
    child = session("python3", "-q")
    child.expect(">>> ")
    child.sendline("import os, sys; print(sys.stdin.isatty(), sys.stderr.isatty(), 'size', *os.get_terminal_size())")
    child.expect(r"True True size 101 33\r\n>>> ")
    child.setwinsize(44, 122)
    child.sendline("import time; time.sleep(0.5)")
    child.expect(">>> ")
    child.sendline("print('now', *os.get_terminal_size())")
    child.expect(r"now 122 44\r\n>>> ")
    child.sendline("print('waiting'); time.sleep(600)")
    child.expect(r"waiting\r\n")
    child.sendintr()
    child.expect(r"KeyboardInterrupt\s.*>>> ")
    child.send("\x10")  # the line before; a key at which the engine by itself waits for a second one
    child.expect(r"print\('waiting'\)")
    child.sendintr()
    child.expect(">>> ")
    child.sendline("sys.exit(9)")
    child.expect(pexpect.EOF)
    assert child.wait() == 9


def test_the_terminal_is_given_back_as_it_was(folder: Path) -> None:
    child = pexpect.spawn("sh", cwd=folder, encoding="utf-8", timeout=60)
    child.sendline("stty -a > before; " + " ".join(PROGRAM) + " sh -c 'stty -a >&2; exit 4'; echo code $?")
    child.expect(r"code 4\r\n")
    child.sendline("stty -a > after; cmp before after && echo the same")
    child.expect(r"the same\r\n")
    child.close(force=True)


def test_a_pager_behind_the_command_keeps_the_keys(folder: Path) -> None:
    child = pexpect.spawn("sh", cwd=folder, encoding="utf-8", timeout=60)
    child.sendline(" ".join(PROGRAM) + " sh -c 'test -t 1 || cat; echo done' | cat; read x; echo read $x")
    child.expect(r"done\r\n")
    child.sendline("keys")
    child.expect(r"read keys\r\n")
    child.close(force=True)


def test_a_terminal_that_is_closed(session: Callable[..., pexpect.spawn[str]]) -> None:
    child = session("python3", "-c", WAIT)
    child.expect("ready")
    child.close(force=True)
