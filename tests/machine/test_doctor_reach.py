"""Each way in which an engine cannot be reached has its own cure."""

from __future__ import annotations

import getpass
import grp
import json
import os
from pathlib import Path

import pytest
from traitlets.config import Config

from jupyter_image_manager import doctor_reach
from jupyter_image_manager.doctor_engine import inside_container
from jupyter_image_manager.errors import EngineUnavailable
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, Finding


@pytest.fixture(autouse=True)
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "docker"
    folder.mkdir()
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return folder


def choose_context(folder: Path, name: str, address: str = "") -> None:
    (folder / "config.json").write_text(json.dumps({"currentContext": name}))
    if address:
        meta = folder / "contexts" / "meta" / "0123"
        meta.mkdir(parents=True)
        said = {"Name": name, "Endpoints": {"docker": {"Host": address}}}
        (meta / "meta.json").write_text(json.dumps(said))


def engine_finding(tmp_path: Path, config: Config | None = None) -> Finding:
    manager = ImageManager(config=config or Config(), data_dir=str(tmp_path / "data"))
    found = {finding.id: finding for finding in manager.doctor.run(Actor("tester"))}
    manager.close()
    assert found["engine"].status == "error"
    return found["engine"]


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("ssh://me@server", "another machine"),
        ("npipe:////./pipe/docker", "no address of an engine"),
        ("tcp://127.0.0.1:1", "No engine answers"),
        ("unix:///none.sock", "No engine answers"),
    ],
)
def test_an_address_of_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, says: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    found = engine_finding(tmp_path)
    assert says in found.message
    assert "DOCKER_HOST" in found.cure


def test_an_address_of_the_setting(tmp_path: Path) -> None:
    found = engine_finding(tmp_path, Config({"DockerEngine": {"host": "unix:///none.sock"}}))
    assert "DockerEngine.host" in found.cure


def test_an_address_of_a_context(tmp_path: Path, docker_config: Path) -> None:
    choose_context(docker_config, "lab", "unix:///none.sock")
    found = engine_finding(tmp_path)
    assert "/none.sock" in found.message
    assert "the Docker context lab" in found.cure
    assert "docker context use default" in found.cure


def test_a_context_that_does_not_exist(docker_config: Path) -> None:
    choose_context(docker_config, "gone")
    (found,) = doctor_reach.context()
    assert found.status == "warning"
    assert "gone" in found.message


def test_a_context_that_the_variable_overrides(docker_config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choose_context(docker_config, "lab", "unix:///none.sock")
    assert not list(doctor_reach.context())
    monkeypatch.setenv("DOCKER_HOST", "unix:///other.sock")
    (found,) = doctor_reach.context()
    assert "is not used" in found.message


@pytest.mark.parametrize(("members", "says"), [([], "usermod -aG docker"), ([getpass.getuser()], "log out")])
def test_no_permission_on_the_socket(monkeypatch: pytest.MonkeyPatch, members: list[str], says: str) -> None:
    free = max(os.getgroups(), default=0) + 54321
    monkeypatch.setattr(doctor_reach.grp, "getgrnam", lambda name: grp.struct_group((name, "x", free, members)))
    manager = ImageManager(config=Config({"DockerEngine": {"host": "unix:///x.sock"}}))
    cure = doctor_reach.cure(manager, EngineUnavailable("not yours", {"reason": "permission"}))
    assert says in cure
    assert getpass.getuser() in cure


def test_an_installed_engine_is_started_and_podman_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, docker_config: Path
) -> None:
    manager = ImageManager(data_dir=str(tmp_path))
    error = EngineUnavailable("nothing answers")
    (tmp_path / "podman").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    if not Path("/usr/sbin/dockerd").exists():
        assert "podman.socket" in doctor_reach.cure(manager, error)
    (tmp_path / "dockerd").touch(mode=0o755)
    assert "does not run" in doctor_reach.cure(manager, error)


def test_a_process_in_a_container_is_told_by_its_mounts(tmp_path: Path) -> None:
    assert not inside_container(tmp_path / "none")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"213 165 254:0 /var/lib/docker/containers/{'0a' * 32}/hostname /etc/hostname rw - ext4 /dev/vda rw"
    )
    assert inside_container(mounts)
