from __future__ import annotations

import gc
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from traitlets.config import Config

from jupyter_image_manager import doctor_machine
from jupyter_image_manager.doctor import Doctor
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, Finding, Project

ACTOR = Actor(name="tester")


def by_id(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.id: finding for finding in findings}


@pytest.mark.engine
def test_on_a_machine_with_an_engine_nothing_essential_is_wrong(manager: ImageManager) -> None:
    found = by_id(manager.doctor.run(ACTOR))
    essential = ("engine", "builder", "limits", "base", "clock", "data-folder", "store", "sockets")
    assert {name: found[name].status for name in essential} == dict.fromkeys(essential, "ok")
    assert found["server-extension"].status == found["labextension"].status == "ok"
    assert found["provisioner"].status == "ok"
    assert " GiB free at " in found["disk"].message  # what it thinks of how much: test_doctor_engine


@pytest.mark.engine
def test_whatever_needs_mending_says_how(manager: ImageManager) -> None:
    for finding in manager.doctor.run(ACTOR):
        assert finding.title
        assert finding.message.endswith(".")
        assert finding.cure or finding.status in ("ok", "info")


def test_without_an_engine_one_finding_says_so(tmp_path: Path) -> None:
    config = Config({"DockerEngine": {"host": f"unix://{tmp_path}/none.sock"}})
    manager = ImageManager(config=config, data_dir=str(tmp_path / "data"))
    found = by_id(manager.doctor.run(ACTOR))
    manager.close()
    assert found["engine"].status == "error"
    assert "jupyter image setup" in found["engine"].message
    assert "builder" not in found
    assert found["store"].status == "ok"


@pytest.fixture
def hanging_engine(tmp_path: Path) -> Iterator[str]:
    """Take connections and never answer, as a real engine does not on demand."""
    path = tmp_path / "engine.sock"
    taken: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def take() -> None:
            while True:
                try:
                    taken.append(listener.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=take)
        thread.start()
        yield f"unix://{path}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in taken:
        connection.close()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # requests leaves the socket of a call that timed out to gc
def test_an_engine_that_hangs_is_named(tmp_path: Path, hanging_engine: str) -> None:
    config = Config({"DockerEngine": {"host": hanging_engine, "timeout": 1.0}})
    manager = ImageManager(config=config, data_dir=str(tmp_path / "data"))
    found = by_id(manager.doctor.run(ACTOR))
    manager.close()
    gc.collect()
    assert found["engine"].status == "error"
    assert "estart" in found["engine"].cure


def test_a_check_that_breaks_or_hangs_is_a_finding_itself(tmp_path: Path) -> None:
    doctor = Doctor(manager=ImageManager(data_dir=str(tmp_path)), patience=0.3)
    release = threading.Event()

    def breaks() -> list[Finding]:
        raise ValueError("no such thing")

    def hangs() -> list[Finding]:
        release.wait()
        return []

    found = list(doctor._all({"broken": breaks, "slow": hangs}))
    release.set()
    assert [(f.id, f.status) for f in found] == [("broken", "warning"), ("slow", "error")]


def test_a_project_folder_that_is_gone(manager: ImageManager, project: Project) -> None:
    Path(project.path).rmdir()
    assert by_id(manager.doctor.run(ACTOR, project.id))["project"].status == "error"


def test_a_data_folder_open_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    found = by_id(list(doctor_machine.data_folder(tmp_path)))
    assert found["data-folder"].status == "warning"
    assert "chmod 700" in found["data-folder"].cure


def test_wal_on_a_network_file_system(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/home {tmp_path} nfs4 rw 0 0\n")
    assert doctor_machine.file_system(tmp_path / "data", mounts) == "nfs4"
    assert doctor_machine.file_system(Path("/usr"), mounts) == "ext4"


@pytest.mark.parametrize(
    ("kind", "status", "word"),
    [
        ("ext4", "ok", "ext4"),
        ("9p", "warning", "owners"),
        ("fuse.sshfs", "info", "allow_other"),
        ("nfs4", "info", "squash"),
    ],
)
def test_file_systems_that_an_engine_cannot_mount(tmp_path: Path, kind: str, status: str, word: str) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nx {tmp_path} {kind} rw 0 0\n")
    (found,) = doctor_machine.root_folder(tmp_path, mounts)
    assert found.status == status
    assert word in found.message


@pytest.mark.parametrize("way", ["variable", "file", "configuration"])
def test_another_default_provisioner_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    config = Config()
    setting = {"KernelProvisionerFactory": {"default_provisioner_name": "local-provisioner"}}
    if way == "variable":
        monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "local-provisioner")
    elif way == "file":
        (tmp_path / "jupyter_server_config.json").write_text(json.dumps(setting))
        monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path))
    else:
        config = Config(setting)
    manager = ImageManager(config=config, data_dir=str(tmp_path / "data"))
    (found,) = doctor_machine.provisioner(manager)
    assert found.status == "error"
    assert "local-provisioner" in found.message


def test_a_disabled_server_extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"ServerApp": {"jpserver_extensions": {"jupyter_image_manager": False}}}
    (tmp_path / "jupyter_server_config.json").write_text(json.dumps(said))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path))
    (found,) = doctor_machine.server_extension()
    assert (found.status, found.message) == ("error", "is disabled.")


def test_a_disabled_labextension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "labconfig").mkdir()
    (tmp_path / "labconfig" / "page_config.json").write_text('{"disabledExtensions": {"jupyter-image-manager": true}}')
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    (found,) = doctor_machine.labextension()
    assert (found.status, found.message) == ("error", "is disabled.")


def test_a_long_socket_folder_falls_back_to_tcp(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    config = Config({"KernelService": {"run_dir": str(folder)}})
    manager = ImageManager(config=config, data_dir=str(tmp_path / "data"))
    (found,) = doctor_machine.sockets(manager)
    assert found.status == "warning"
    assert folder.is_dir()
