"""Rules without an engine: run settings, deaths, identity, memory, places, channels, the relay."""

from __future__ import annotations

import dataclasses
import os
import socket
import threading
from pathlib import Path

import pytest

from jupyter_image_manager.engine.port import Bind, ContainerState, EngineInfo
from jupyter_image_manager.errors import KernelStartError, NotAllowed
from jupyter_image_manager.kernels import active, container, environment, identity, memory, target
from jupyter_image_manager.kernels.death import decisive_line, explain
from jupyter_image_manager.kernels.relay import Relay
from jupyter_image_manager.kernels.runtime import RuntimeKey
from jupyter_image_manager.kernels.sockets import PATH_LIMIT, Connection, ipc_possible
from jupyter_image_manager.kernels.words import kernel_words
from jupyter_image_manager.models import GpuRequest, Mount, Project, Report, RunSettings, utcnow

INFO = EngineInfo(
    *("id", "docker", "20.10", "1.41", "unix:///s", "linux", "amd64"),
    *(2, 8 << 30, False, False, "classic", "", "overlay2", "/var", "2", (), ()),
)
STATE = ContainerState("c", "n", "i", "exited", 0, False, "", 0, "", "", {})
LIMITS = container.Limits()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (RunSettings(memory=1 << 20), "too small for a kernel"),
        (RunSettings(memory=10 << 40), "more than the 8 GiB that may be used here"),
        (RunSettings(cpus=64), "asks for 64 CPUs and 2 are there"),
        (RunSettings(cpus=0), "asks for 0 CPUs"),
        (RunSettings(processes=3), "too small for a kernel"),
        (RunSettings(memory=1 << 30, shm_size=2 << 30), "shared memory of 2 GiB is more than its memory limit"),
        (RunSettings(network="host"), "which the administrator does not allow"),
        (RunSettings(gpus=GpuRequest("all")), "offers none"),
        (RunSettings(mounts=(Mount("/etc", "/data"),)), "not below a folder that the administrator allows"),
    ],
)
def test_each_setting_that_cannot_be_met_is_refused_with_its_reason(settings: RunSettings, words: str) -> None:
    with pytest.raises(KernelStartError, match=words):
        container.resources(settings, LIMITS, INFO)


def test_settings_that_can_be_met(tmp_path: Path) -> None:
    settings = RunSettings(
        memory=1 << 30, cpus=1.5, gpus=GpuRequest("all", optional=True), mounts=(Mount(str(tmp_path), "/data"),)
    )
    found = container.resources(settings, dataclasses.replace(LIMITS, mounts=(str(tmp_path.parent),)), INFO)
    assert (found.memory, found.cpus, found.processes) == (1 << 30, 1.5, 4096)
    assert found.gpus.kind == "none" and "runs without" in found.notes[0]
    assert found.binds == (Bind(str(tmp_path), "/data", True),)
    (tmp_path / "out").symlink_to("/etc")
    with pytest.raises(KernelStartError, match="not below a folder"):
        container.resources(
            RunSettings(mounts=(Mount(str(tmp_path / "out"), "/data"),)),
            dataclasses.replace(LIMITS, mounts=(str(tmp_path),)),
            INFO,
        )


def test_what_the_engine_cannot_limit_is_refused_and_a_default_left_out() -> None:
    rootless = dataclasses.replace(INFO, rootless=True, unlimited=("memory", "cpus", "processes"))
    limits = dataclasses.replace(LIMITS, memory=1 << 30, cpus=1.0)
    found = container.resources(RunSettings(), limits, rootless)
    assert (found.memory, found.cpus, found.processes) == (None, None, None)
    for settings in (RunSettings(memory=1 << 30), RunSettings(cpus=1.0), RunSettings(processes=100)):
        with pytest.raises(KernelStartError, match="the engine at unix:///s cannot"):
            container.resources(settings, limits, rootless)


def test_outer_mounts_come_first() -> None:
    binds = container.merge_binds([Bind("/a", "/x/y"), Bind("/b", "/x"), Bind("/c", "/x/y")])
    assert binds == (Bind("/b", "/x"), Bind("/a", "/x/y"))


def test_deaths() -> None:
    killed = dataclasses.replace(STATE, exit_code=137, oom_killed=True)
    assert explain("k", killed, memory=1 << 30).reason == "out_of_memory"
    # Podman never says so: under a limit a SIGKILL that nobody sent has no likelier reason.
    quiet = explain("k", dataclasses.replace(killed, oom_killed=False), memory=1 << 30)
    assert quiet.reason == "out_of_memory" and "very probably" in quiet.message
    assert explain("k", dataclasses.replace(killed, oom_killed=False), memory=None).reason == "signal"
    # On cgroup v1 the flag is also set when only a child was killed.
    assert explain("k", dataclasses.replace(killed, exit_code=0), memory=1 << 30).reason == "exit"
    assert explain("k", None, memory=None, exit_code=1).reason == "removed"
    said = explain("k", dataclasses.replace(STATE, exit_code=3), memory=None, log=b"a\nlast words\n")
    assert said.message == "The kernel ended with exit code 3. Its last line was: last words"
    assert decisive_line(b"jupyter-image-manager: because\nnoise\n") == "because"
    assert decisive_line(b"\xff\xfe") and not decisive_line(b"")


def test_accounts_name_the_kernels_user() -> None:
    passwd = "root:x:0:0::/root:/bin/sh\njupyter:x:1000:1000::/home/jupyter:/bin/sh\nann:x:77:77::/home/ann:/bin/sh\n"
    ann = identity.Identity(1005, 1005, (2000,), "ann")
    lines = identity.with_user(passwd, ann, "/home/ann").splitlines()
    assert lines == [*passwd.splitlines()[:2], "ann:x:1005:1005:ann:/home/ann:/bin/sh"]
    assert identity.home_in(passwd, 1000) == "/home/jupyter"
    group = identity.with_groups("root:x:0:\n", ann)
    assert "group1005:x:1005:" in group and "group2000:x:2000:" in group
    assert ann.user == "1005:1005" and dataclasses.replace(ann, rootless=True).user == "0:0"


def test_a_rootless_engine_makes_the_containers_root_of_us(tmp_path: Path) -> None:
    who = identity.of_folder(tmp_path, dataclasses.replace(INFO, rootless=True))
    assert who.uid == os.getuid() and who.user == "0:0" and who.inside_uid == 0


def test_only_named_variables_pass_and_never_tokens() -> None:
    source = {"TERM": "x", "MY_API_TOKEN": "s", "JUPYTERHUB_API_TOKEN": "s", "SESSION_COOKIE": "s", "OTHER": "o"}
    assert environment.allowed(source, ["TERM"]) == {"TERM": "x"}
    assert environment.allowed(source, ["*"]) == {"TERM": "x", "OTHER": "o"}


def test_secrets_by_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("value\n")
    monkeypatch.setenv("REAL", "other")
    found = environment.resolve_secrets({"A": f"file:{tmp_path}/key", "B": "env:REAL"})
    assert found == {"A": "value", "B": "other"}
    with pytest.raises(NotAllowed, match="belongs to the Jupyter server"):
        environment.resolve_secrets({"A": "env:JUPYTERHUB_API_TOKEN"})
    for reference in ("file:/not/there", "env:NOT_THERE_AT_ALL", "value itself"):
        with pytest.raises(KernelStartError, match="The secret A") as refused:
            environment.resolve_secrets({"A": reference})
        assert "value itself" not in str(refused.value)


def test_time_zones_have_a_rule_for_images_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    assert environment.time_zone() == ("", "CET-1CEST,M3.5.0,M10.5.0/3")


def test_a_notebook_remembers_and_forgets() -> None:
    notebook: dict[str, object] = {"cells": [], "metadata": {"kernelspec": {}}}
    said = {"image": "env:2", "digest": "sha256:1", "project": "p"}
    hook = memory.NotebookMemory(lambda path: said, _silent())
    hook(model={"type": "notebook", "content": notebook}, path="x.ipynb")
    assert memory.read_memory(notebook) == said
    assert not memory.remember(notebook, said)
    memory.NotebookMemory(lambda path: None, _silent())(model={"type": "notebook", "content": notebook}, path="x")
    assert memory.read_memory(notebook) == said
    memory.NotebookMemory(lambda path: False, _silent())(model={"type": "notebook", "content": notebook}, path="x")
    assert memory.read_memory(notebook) is None
    for odd in (None, [], {"metadata": []}, {"metadata": {"image_manager": {"image": 1}}}):
        assert memory.read_memory(odd) is None


def _silent() -> object:
    import logging

    return logging.getLogger("silent")


def test_places_and_the_nearest_project(tmp_path: Path) -> None:
    outer, inner = tmp_path / "outer", tmp_path / "outer" / "inner"
    (inner / "deep").mkdir(parents=True)
    projects = [
        Project("1", "outer", str(outer), "me", utcnow(), active_image_id="i"),
        Project("2", "inner", str(inner), "me", utcnow()),
    ]
    assert not active.concerns(tmp_path, [outer])
    active.write(tmp_path, projects)
    assert active.concerns(tmp_path, [outer])
    assert not active.concerns(tmp_path, [inner / "deep"])
    assert not active.concerns(tmp_path, [tmp_path])
    assert active.concerns(tmp_path, target.places(str(tmp_path), f"{outer}/new/Untitled.ipynb"))
    assert active.concerns(tmp_path, target.places(str(outer), "RTC:Untitled.ipynb"))
    (tmp_path / active.FILE).write_text("{ damaged")
    assert active.concerns(tmp_path, [tmp_path])  # then the store is asked


def test_a_moved_project_is_known_by_its_folder(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    found = (tmp_path / "new").stat()
    entry = active.Entry("1", "p", str(tmp_path / "old"), f"{found.st_dev}:{found.st_ino}", "i")
    assert active.nearest([entry], tmp_path / "new") is entry


def test_socket_paths_are_short_enough_or_said_to_be_long(tmp_path: Path) -> None:
    assert ipc_possible(tmp_path) == ""
    deep = tmp_path / ("x" * PATH_LIMIT)
    deep.mkdir()
    assert "longer than" in ipc_possible(deep)


def test_connection_info_for_clients_and_for_the_kernel(tmp_path: Path) -> None:
    connection = Connection(tmp_path, "tcp", "key", curve_public="p", curve_secret="s")
    inside = connection.inside("n.ipynb")
    assert inside["ip"] == "0.0.0.0" and inside["shell_port"] == 50001 and inside["jupyter_session"] == "n.ipynb"
    assert connection.info()["ip"] == "127.0.0.1"


def test_runtimes_fit_python_libc_and_machine() -> None:
    report = Report(True, python_version="3.8.18", architecture="arm64", libc="glibc", libc_version="2.36")
    key = RuntimeKey.of(report)
    assert str(key) == "python3.8-glibc35-aarch64"
    assert key.platforms[0] == "manylinux_2_35_aarch64" and key.platforms[-1] == "manylinux2014_aarch64"
    assert "ipykernel==6.29.*" in key.requirements and "importlib-metadata" in key.requirements
    musl = RuntimeKey.of(dataclasses.replace(report, libc="musl", libc_version="1.2.4", python_version="3.11.2"))
    assert musl.platforms == ("musllinux_1_2_aarch64", "musllinux_1_1_aarch64", "musllinux_1_0_aarch64")
    with pytest.raises(KernelStartError, match=r"3\.6"):
        _ = RuntimeKey.of(dataclasses.replace(report, python_version="3.6.1")).requirements


def test_the_kernels_words() -> None:
    report = Report(True, kernelspecs={"ir": {"language": "R", "argv": ["R", "{connection_file}"]}})
    argv = [
        "/host/python",
        "-Xfrozen_modules=off",
        "-m",
        "ipykernel_launcher",
        "-f",
        "{connection_file}",
        "--matplotlib=inline",
    ]
    assert kernel_words("python3", "python", argv, report, "e:1") == (("--matplotlib=inline",), ())
    assert kernel_words("ir", "R", [], report, "e:1") == ((), ("R", "{connection_file}"))
    with pytest.raises(KernelStartError, match=r"has no kernel 'julia' .it has: ir"):
        kernel_words("julia", "julia", [], report, "e:1")


def test_the_relay_passes_much_both_ways_and_ends(tmp_path: Path) -> None:
    path, block = str(tmp_path / "s"), os.urandom(8 << 20)
    with socket.socket(socket.AF_UNIX) as server, socket.socket() as free:
        server.bind(path)
        server.listen()
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()

        def echo() -> None:
            peer, _ = server.accept()
            with peer:
                while data := peer.recv(1 << 16):
                    peer.sendall(data)

        thread = threading.Thread(target=echo)
        thread.start()
        relay = Relay({port: path})
        relay.start()
        with socket.create_connection(("127.0.0.1", port)) as client:
            sender = threading.Thread(target=client.sendall, args=(block,))
            sender.start()
            back = bytearray()
            while len(back) < len(block):
                back += client.recv(1 << 16)
            sender.join()
        thread.join()
        relay.stop()
        assert bytes(back) == block
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
