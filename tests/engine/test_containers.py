"""Containers of the real engine."""

from __future__ import annotations

import io
import signal
import tarfile
import time
from collections.abc import Callable

import pytest

from jupyter_image_manager.engine.connection import Connection
from jupyter_image_manager.engine.port import Bind
from jupyter_image_manager.errors import Conflict, EngineError, ImageManagerError, ImageNotFound, InvalidRequest
from jupyter_image_manager.models import GpuRequest

from .conftest import Bench

pytestmark = pytest.mark.engine


def until(true: Callable[[], bool]) -> None:
    """Wait for something that comes soon."""
    for _ in range(150):
        if true():
            return
        time.sleep(0.1)
    pytest.fail("It did not come.")


def test_a_command_with_input_and_both_outputs(bench: Bench) -> None:
    data = bytes(range(256)) * 4096
    result = bench.engine.run(
        bench.container(
            "python3",
            "-c",
            "import sys; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(d); print(len(d), file=sys.stderr); "
            "sys.exit(7)",
            stdin=True,
        ),
        timeout=60,
        stdin=data,
    )
    assert (result.exit_code, result.errors, result.timed_out) == (7, b"1048576\n", False)
    assert result.output[:256] == data[:256]
    assert hash(result.output) == hash(data)
    assert bench.engine.list_containers(bench.labels) == []


def test_input_that_nobody_reads_does_not_outlive_its_time(bench: Bench) -> None:
    result = bench.engine.run(bench.container("sleep", "60", stdin=True), timeout=1, stdin=bytes(4 << 20))
    assert result.timed_out and result.exit_code == 137
    assert bench.engine.list_containers(bench.labels) == []


def test_output_is_limited(bench: Bench) -> None:
    result = bench.engine.run(bench.container("head", "-c", "3000000", "/dev/zero"), timeout=60, limit=1000)
    assert result.exit_code == 0 and result.output == bytes(1000)


def test_nothing_is_left_of_a_command_that_cannot_start(bench: Bench) -> None:
    assert bench.engine.run(bench.container("no-such-program"), timeout=30).exit_code == 127
    with pytest.raises(ImageManagerError):
        bench.engine.run(bench.container("no-such-program", init=False), timeout=30)
    with pytest.raises(ImageNotFound):
        bench.engine.run(bench.container("true", image="jim-test/no-such-image:1"), timeout=10)
    assert bench.engine.list_containers(bench.labels) == []


def test_nothing_is_left_of_an_interrupted_command(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(bench.engine, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bench.engine.run(bench.container("sleep", "60"), timeout=60)
    assert bench.engine.list_containers(bench.labels) == []


def test_the_life_of_a_container(bench: Bench) -> None:
    engine = bench.engine
    container = engine.create(bench.container("sh", "-c", "echo out; echo err >&2; sleep 60"))
    state = engine.inspect(container)
    assert state is not None and state.status == "created" and state.exit_code is None
    engine.start(container)
    assert [found.id for found in engine.list_containers(bench.labels)] == [container]
    assert engine.wait(container, 0.5) is None
    until(lambda: b"err" in engine.logs(container))
    assert engine.logs(container, tail=1) in (b"err\n", b"out\n")
    engine.stop(container, 1)
    assert engine.wait(container) in (137, 143)
    engine.stop(container, 1)
    engine.signal(container, signal.SIGTERM)
    assert sorted(engine.follow(container)) == [("err", b"err\n"), ("out", b"out\n")]
    engine.remove(container)
    engine.remove(container)
    engine.stop(container, 1)
    engine.signal(container, signal.SIGINT)
    assert engine.inspect(container) is None


def test_follow_from_the_start_to_the_end(bench: Bench) -> None:
    container = bench.start(
        "python3", "-c", "import time\nfor i in range(20000): print(i)\ntime.sleep(1); print('end')"
    )
    lines = b"".join(chunk for _, chunk in bench.engine.follow(container)).splitlines()
    assert lines == [*(b"%d" % i for i in range(20000)), b"end"]


def test_a_signal_reaches_the_whole_group(bench: Bench) -> None:
    """Of a kernel also the loop in C that its child runs."""
    script = (
        "import subprocess, signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: print('parent', flush=True))\n"
        "code = 'import signal\\ndef heard(*_): print(\"child\", flush=True); raise SystemExit(5)\\n'\n"
        "code += 'signal.signal(signal.SIGINT, heard)\\nprint(\"ready\", flush=True)\\n'\n"
        "code += 'while True: sum(range(10**6))\\n'\n"
        "child = subprocess.Popen([sys.executable, '-c', code])\n"
        "sys.exit(child.wait())\n"
    )
    container = bench.start("python3", "-c", script)
    until(lambda: b"ready" in bench.engine.logs(container))
    bench.engine.signal(container, signal.SIGINT)
    assert bench.engine.wait(container, 30) == 5
    assert {b"parent", b"child"} <= set(bench.engine.logs(container).split())


def test_nothing_is_allowed_that_was_not_asked_for(bench: Bench) -> None:
    result = bench.engine.run(bench.container("cat", "/proc/self/status"), timeout=30)
    status = dict(line.split(":\t", 1) for line in result.output.decode().splitlines() if ":\t" in line)
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")} == {0}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    container = bench.engine.create(bench.container("true", network="bridge", ports=(9999,)))
    found = Connection(bench.engine.address, 20).client().inspect_container(container)["HostConfig"]
    assert found["PortBindings"] == {"9999/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}
    assert not found["Privileged"] and found["LogConfig"]["Config"]["max-size"]


def test_limits_user_mounts_and_ports(bench: Bench, tmp_path) -> None:
    tmp_path.chmod(0o777)
    (tmp_path / "in").write_text("hello")
    spec = bench.container(
        "sh",
        "-c",
        "id -u; id -g; id -G; pwd; cat /etc/hostname; df -m /dev/shm | tail -1 | awk '{print $2}'; cat in; echo; "
        "touch out; touch /ro/x; echo $NAME; sleep 30",
        user="1234:5678",
        groups=("42",),
        working_dir=str(tmp_path),
        binds=(Bind(str(tmp_path), str(tmp_path)), Bind(str(tmp_path), "/ro", read_only=True)),
        hostname="lab",
        shm_size=32 << 20,
        memory=64 << 20,
        cpus=0.5,
        processes=50,
        environment={"NAME": "a=b c"},
        network="bridge",
        ports=(8000,),
    )
    container = bench.engine.create(spec)
    bench.engine.start(container)
    until(lambda: b"a=b c" in bench.engine.logs(container))
    said = bench.engine.logs(container).decode().splitlines()
    assert said[:6] == ["1234", "5678", "5678 42", str(tmp_path), "lab", "32"]
    assert "hello" in said and any("Read-only" in line for line in said)
    assert (tmp_path / "out").stat().st_uid == 1234
    state = bench.engine.inspect(container)
    assert state is not None and list(state.ports) == [8000] and state.ports[8000] > 1024
    listed = bench.engine.list_containers(bench.labels)[0]
    assert listed.ports == state.ports and listed.labels == state.labels and listed.running
    host = Connection(bench.engine.address, 20).client().inspect_container(container)["HostConfig"]
    assert (host["Memory"], host["NanoCpus"], host["PidsLimit"]) == (64 << 20, 500_000_000, 50)


def test_death_for_want_of_memory(bench: Bench) -> None:
    result = bench.engine.run(
        bench.container("python3", "-c", "x = bytearray(300 << 20); print(len(x))", memory=64 << 20), timeout=60
    )
    assert result.exit_code == 137 and result.oom_killed and not result.timed_out


@pytest.mark.parametrize(
    ("changes", "kind", "word"),
    [
        ({"memory": 1 << 20}, InvalidRequest, "memory"),
        ({"cpus": 4096.0}, InvalidRequest, "CPUs"),
        ({"gpus": GpuRequest("all")}, InvalidRequest, "GPU"),
        ({"binds": (Bind("/no/such/folder", "/x"),)}, EngineError, "folder"),
        ({"network": "no-such-network"}, InvalidRequest, "network"),
    ],
)
def test_what_the_engine_refuses(bench: Bench, changes: dict[str, object], kind: type[Exception], word: str) -> None:
    with pytest.raises(kind, match=word):
        bench.engine.run(bench.container("true", **changes), timeout=30)
    assert bench.engine.list_containers(bench.labels) == []


def test_a_name_that_is_taken(bench: Bench) -> None:
    name = f"jim-test-{bench.installation}"
    bench.engine.create(bench.container("true", name=name))
    with pytest.raises(Conflict, match="still there"):
        bench.engine.create(bench.container("true", name=name))


def test_execute(bench: Bench) -> None:
    container = bench.start("sleep", "60")
    result = bench.engine.execute(container, ("sh", "-c", "id -u; echo err >&2; exit 3"), user="1000")
    assert (result.exit_code, result.output, result.errors) == (3, b"1000\n", b"err\n")
    assert bench.engine.execute(container, ("sleep", "60"), timeout=1).timed_out


def test_copy_out_of_images_and_containers(bench: Bench) -> None:
    container = bench.start("sh", "-c", "echo made > /tmp/made; sleep 60")
    until(lambda: bench.engine.execute(container, ("test", "-s", "/tmp/made")).exit_code == 0)
    for source, path, name in ((container, "/tmp/made", "made"), (bench.base, "/etc/passwd", "passwd")):
        with tarfile.open(fileobj=io.BytesIO(b"".join(bench.engine.copy_out(source, path)))) as tar:
            assert tar.getnames() == [name]
    with pytest.raises(ImageManagerError):
        list(bench.engine.copy_out(bench.base, "/no/such/file"))
    with pytest.raises(ImageNotFound):
        list(bench.engine.copy_out("jim-test/no-such-image:1", "/etc"))
    assert [found.id for found in bench.engine.list_containers(bench.labels)] == [container]
