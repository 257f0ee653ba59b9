from __future__ import annotations

from pathlib import Path

import pytest
from traitlets.config import Config

from jupyter_image_manager import setup_machine
from jupyter_image_manager.errors import EngineUnavailable
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.setup_machine import Distribution, MachineSetup, SetupFailed, Step, distribution

FEDORA = Distribution("fedora", "Fedora Linux 43", ())
UBUNTU = Distribution("ubuntu", "Ubuntu 24.04", ("debian",))


def setup_of(manager: ImageManager) -> MachineSetup:
    return MachineSetup(parent=manager, manager=manager)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageManager:
    """Give a manager whose engine is not there, as if the usual sockets had been tried."""
    config = Config({"DockerEngine": {"host": f"unix://{tmp_path}/none.sock"}})
    manager = ImageManager(config=config, data_dir=str(tmp_path / "data"))
    assert manager.engine.address.endswith("none.sock")
    manager.engine.host = ""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return manager


@pytest.mark.engine
def test_where_all_is_there_nothing_is_to_be_done(manager: ImageManager) -> None:
    steps = setup_of(manager).plan()
    assert [step.id for step in steps if step.needed] == []
    assert {"engine-install", "engine-start", "group", "buildx", "base"} <= {step.id for step in steps}
    for step in steps:
        assert setup_of(manager).perform(step).message == "was done already"


@pytest.mark.engine
def test_a_base_is_made_where_the_default_one_cannot_be_had(manager: ImageManager) -> None:
    manager.builds.catalog.base_image = "registry.invalid/python:{python}"
    needed = {step.id: step for step in setup_of(manager).plan() if step.needed}
    assert "registry.invalid" in needed["base"].reason


def test_without_an_engine_the_plan_installs_or_starts_one(
    nowhere: ImageManager, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    steps = setup_of(nowhere)
    assert steps._start(EngineUnavailable("it is not there"), denied=False).needed
    monkeypatch.setenv("PATH", str(tmp_path))
    if not Path("/usr/sbin/dockerd").exists():
        (first, second) = steps._install(UBUNTU, EngineUnavailable("it is not there")).commands
        assert first[0] == "apt-get"
        assert second[-2:] == ("docker.io", "iptables")


def test_an_engine_elsewhere_is_left_to_its_owner(nowhere: ImageManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:2376")
    assert not setup_of(nowhere)._install(UBUNTU, EngineUnavailable("it is not there")).needed
    step = setup_of(nowhere)._start(EngineUnavailable("it is not there"), denied=False)
    assert not step.commands
    with pytest.raises(SetupFailed, match="DOCKER_HOST"):
        setup_of(nowhere).perform(step)


def test_other_distributions_get_instructions(
    nowhere: ImageManager, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(setup_machine.shutil, "which", lambda name: None)
    monkeypatch.setattr(setup_machine.Path, "exists", lambda path: False)
    step = setup_of(nowhere)._install(FEDORA, EngineUnavailable("it is not there"))
    assert not step.commands
    assert "docs.docker.com" in step.manual
    with pytest.raises(SetupFailed, match=r"docs\.docker\.com"):
        setup_of(nowhere).perform(step)


def test_a_command_that_fails_tells_its_last_words(nowhere: ImageManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_machine.os, "getuid", lambda: 0)
    step = Step("try", "Try it", True, commands=(("sh", "-c", "echo before; echo E: no room >&2; exit 100"),))
    heard: list[str] = []
    with pytest.raises(SetupFailed, match="E: no room"):
        setup_of(nowhere).perform(step, heard.append)
    assert heard == ["before", "E: no room"]


def test_who_may_not_use_a_socket_is_let_in_by_the_group(
    nowhere: ImageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = EngineUnavailable("not yours", {"reason": "permission"})
    monkeypatch.setattr(setup_machine.os, "getuid", lambda: 65534)
    monkeypatch.setattr(setup_machine, "_in_group", lambda user, group: False)
    step = setup_of(nowhere)._group(denied, True)
    assert "usermod -aG docker" in step.commands[0][-1]
    assert not setup_of(nowhere)._group(None, False).needed  # an engine of its own answers
    assert not setup_of(nowhere)._start(denied, True).needed
    monkeypatch.setattr(setup_machine, "_in_group", lambda user, group: True)
    assert "log out and in again" in setup_of(nowhere)._group(denied, True).manual
    monkeypatch.setattr(MachineSetup, "_engine_problem", lambda self: denied)
    with pytest.raises(SetupFailed, match="log out and in again"):
        setup_of(nowhere).perform(Step("base", "Make a base", True))


@pytest.mark.parametrize("there", [False, True])
def test_a_user_without_rights_is_told_what_an_administrator_must_run(
    nowhere: ImageManager, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: bool
) -> None:
    monkeypatch.setattr(setup_machine.os, "getuid", lambda: 65534)
    monkeypatch.setenv("PATH", str(tmp_path))
    if there:
        (tmp_path / "sudo").write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / "sudo").chmod(0o755)
    step = Step("group", "Let you in", True, commands=(("usermod", "-aG", "docker", "me"),))
    with pytest.raises(SetupFailed, match="`usermod -aG docker me`" if there else "there is no sudo"):
        setup_of(nowhere).perform(step)


def test_the_distribution_is_read_from_os_release(tmp_path: Path) -> None:
    file = tmp_path / "os-release"
    file.write_text('PRETTY_NAME="Linux Mint 22"\nID=linuxmint\nID_LIKE="ubuntu debian"\n')
    found = distribution(file)
    assert (found.id, found.debian) == ("linuxmint", True)
    assert not FEDORA.debian
    assert not distribution(tmp_path / "none").debian
