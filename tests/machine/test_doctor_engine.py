"""What the doctor says of engines that the machine of the tests does not have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_image_manager.doctor_engine import engine_findings
from jupyter_image_manager.engine.port import DiskUse, EngineInfo
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Finding

INFO: dict[str, Any] = {
    "id": "id",
    "kind": "docker",
    "version": "28.0",
    "api_version": "1.48",
    "address": "unix:///var/run/docker.sock",
    "os": "Debian",
    "architecture": "amd64",
    "cpus": 2,
    "memory": 8 << 30,
    "rootless": False,
    "remote": False,
    "builder": "classic",
    "builder_reason": "no client",
    "storage_driver": "overlay2",
    "root_dir": "/var/lib/docker",
    "cgroup_version": "2",
    "security_options": (),
    "gpus": (),
}

Ask = Callable[..., dict[str, Finding]]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Return what one check finds of an engine: ``ask("disk", storage_driver="vfs", disk=...)``."""
    manager = ImageManager(data_dir=str(tmp_path))

    def run(
        check: str, *, disk: DiskUse | None = None, facts: dict[str, Any] | None = None, **more: Any
    ) -> dict[str, Finding]:
        info = EngineInfo(**{**INFO, **more})
        monkeypatch.setattr(manager.engine, "info", lambda refresh=False: info)
        monkeypatch.setattr(manager.engine, "disk", lambda: disk)
        monkeypatch.setattr(manager.engine, "describe", lambda: facts or {})
        found = list(engine_findings(manager)[check]())
        assert all(finding.cure for finding in found if finding.status in ("warning", "error"))
        return {finding.id: finding for finding in found}

    return run


def room(free: int, files: int = 1_000_000) -> DiskUse:
    return DiskUse(path="/var/lib/docker", total=100 << 30, free=free, free_inodes=files)


@pytest.mark.parametrize(("free", "status"), [(50 << 30, "ok"), (5 << 30, "warning"), (100 << 20, "error")])
def test_a_disk_that_fills(ask: Ask, free: int, status: str) -> None:
    assert ask("disk", disk=room(free))["disk"].status == status


def test_a_disk_without_inodes(ask: Ask) -> None:
    assert ask("disk", disk=room(50 << 30, 10))["inodes"].status == "warning"


@pytest.mark.parametrize(
    ("more", "identity", "status"),
    [
        ({"remote": True}, "remote", "error"),
        ({"rootless": True}, "rootless", "ok"),
        ({"userns_remap": True}, "userns", "warning"),
        ({"storage_driver": "vfs"}, "storage-driver", "warning"),
    ],
)
def test_kinds_of_engines(ask: Ask, more: dict[str, Any], identity: str, status: str) -> None:
    assert ask("engine", **more)[identity].status == status


def test_a_virtual_machine(ask: Ask) -> None:
    assert not ask("machine")
    assert ask("machine", os="Docker Desktop")["virtual-machine"].status == "warning"


@pytest.mark.parametrize(
    ("more", "cure"),
    [
        ({}, "cgroup_enable"),
        ({"rootless": True, "cgroup_version": "1"}, "unified_cgroup_hierarchy"),
        ({"rootless": True}, "Delegate"),
    ],
)
def test_limits_that_cannot_be_set(ask: Ask, more: dict[str, Any], cure: str) -> None:
    found = ask("limits", unlimited=("memory",), **more)["limits"]
    assert (found.status, cure in found.cure) == ("warning", True)


def test_a_rootless_podman_is_known_though_it_says_so_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = ImageManager(data_dir=str(tmp_path))

    class Client:
        """What Podman 4.3 answers to a user of a machine with cgroup v1."""

        def version(self) -> dict[str, Any]:
            return {"Version": "4.3.1", "ApiVersion": "1.41", "Components": [{"Name": "Podman Engine"}]}

        def info(self) -> dict[str, Any]:
            security = ["name=seccomp,profile=default"]
            return {"Rootless": True, "SecurityOptions": security, "CgroupVersion": "1", "MemoryLimit": True}

    monkeypatch.setattr(manager.engine, "_client", Client)
    monkeypatch.setattr(manager.engine, "_choose", lambda spec, needs: ("classic", "it is Podman"))
    info = manager.engine.info()
    assert (info.kind, info.rootless) == ("podman", True)
    assert info.unlimited == ("memory", "cpus", "processes")


def test_clocks_that_differ(ask: Ask) -> None:
    found = ask("clock", facts={"system_time": "2001-02-03T04:05:06.123456789Z"})["clock"]
    assert found.status == "warning"
