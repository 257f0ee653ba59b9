"""What works through Podman's Docker-compatible socket, against a real Podman, and what the doctor says of the rest."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from traitlets.config import Config

from jupyter_image_manager.errors import EngineUnavailable
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, Build, BuildRequest, BuildState, Project
from jupyter_image_manager.requirements import Checker
from machine import bases

from ..conftest import MACHINE, clean, share_runtimes
from ..kernels.laboratory import kernel, until

pytestmark = pytest.mark.engine

ACTOR = Actor("tester")


@pytest.fixture(scope="module")
def podman(base_image: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a Podman with one base image."""
    folder = tmp_path_factory.mktemp("podman")
    up = subprocess.run([MACHINE / "podman", "up", folder], capture_output=True, text=True, check=False)
    assert up.returncode == 0, up.stderr
    address = up.stdout.strip()
    here, there = docker.APIClient(timeout=None), docker.APIClient(address, version="1.41", timeout=None)
    there.load_image(b"".join(here.get_image(base_image("3.11"))))
    here.close()
    there.close()
    yield address
    subprocess.run([MACHINE / "podman", "down", folder], check=True)


@pytest.fixture
def manager(podman: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ImageManager]:
    """Give a service on it; workers and kernels find it by the environment, as a user's would."""
    monkeypatch.setenv("DOCKER_HOST", podman)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "image-provisioner")
    data, root = share_runtimes(tmp_path / "jupyter" / "image_manager"), tmp_path / "root"
    root.mkdir()
    settings = {
        "ImageManager": {"data_dir": str(data), "root_dir": str(root)},
        "TemplateCatalog": {"base_image": bases.reference("python:{python}")},
    }
    service = ImageManager(config=Config(settings))
    yield service
    clean(service.engine, service.store.installation_id())
    service.close()


@pytest.fixture
def project(manager: ImageManager) -> Project:
    folder = Path(manager.root_dir) / "project"
    folder.mkdir()
    if os.getuid() == 0:
        os.chown(folder, 1000, 1000)
    return manager.projects.create(ACTOR, str(folder))


def built(manager: ImageManager, project: Project, more: str = "", **request: object) -> tuple[Build, list[str]]:
    text = f"FROM {bases.reference('python:3.11')}\n{more}"
    build = manager.builds.submit(ACTOR, project.id, BuildRequest(name="env", dockerfile_text=text, **request))
    lines = [line.text for line in manager.builds.follow(ACTOR, build.id)]
    return manager.builds.get(ACTOR, build.id), lines


def test_the_doctor_says_what_podman_lacks(manager: ImageManager) -> None:
    found = {finding.id: finding for finding in manager.doctor.run(ACTOR)}
    assert found["engine"].message.startswith("Podman ")
    essential = ("engine", "builder", "limits", "base", "clock")
    assert {name: found[name].status for name in essential} == dict.fromkeys(essential, "ok")
    assert found["builder"].message.startswith("classic: Podman")
    assert "buildkit" not in found  # nothing that one could install would help
    assert "build-log" not in found
    assert found["podman"].status == "warning"
    for lacking in ("secrets", "certificates", "GPUs", "cancelled"):
        assert lacking in found["podman"].message


def test_an_image_is_built_checked_and_activated_and_a_kernel_runs_in_it(
    manager: ImageManager, project: Project
) -> None:
    build, lines = built(manager, project, "RUN useradd --create-home --uid 1000 jupyter\n", activate=True)
    assert build.state is BuildState.SUCCEEDED, lines
    folder = Path(project.path)
    with kernel(folder) as running:
        (listed,) = manager.kernels.list(ACTOR)
        assert listed.project_id == project.id
        assert running.value("import sys, os; print(sys.prefix, os.getcwd())") == f"/usr/local {folder}"
        assert running.value("print(open('/proc/self/status').read().split('CapEff:')[1].split()[0])").strip("0") == ""
        running.value("open('made', 'w').close()")
        asked = running.client.execute("print('here', flush=True)\nwhile True: pass")
        running.wait_for_text(asked, "here")
        running.manager.interrupt_kernel()
        assert running.reply_to(asked)["ename"] == "KeyboardInterrupt"
        running.restart()
        assert running.value("1 + 1") == "2"
    assert (folder / "made").stat().st_uid == folder.stat().st_uid
    until(lambda: not manager.kernels.list(ACTOR))


def test_the_check_is_not_taken_in_by_the_name_that_podman_gives_a_uid(manager: ImageManager) -> None:
    facts = Checker(parent=manager, manager=manager).look(bases.reference("python:3.11"))
    assert facts.python_version
    assert not facts.accounts_of(1000)


def test_build_secrets_are_refused(manager: ImageManager, project: Project) -> None:
    build, _ = built(manager, project, "RUN true\n", secrets={"TOKEN": b"hidden"})
    assert build.state is BuildState.FAILED
    assert build.failure is not None
    assert "Podman has none" in build.failure.message


def test_buildkit_cannot_be_forced(manager: ImageManager) -> None:
    manager.engine.builder = "buildkit"
    with pytest.raises(EngineUnavailable, match="Podman has none"):
        manager.engine.info(refresh=True)


def test_a_file_system_is_imported_under_its_tag(manager: ImageManager) -> None:
    archive = io.BytesIO()
    tarfile.open(fileobj=archive, mode="w").close()
    archive.seek(0)
    reference = "jim-test/imported:some-tag"
    made = manager.engine.import_filesystem(archive, reference, env={"LANG": "C.UTF-8"})
    assert manager.engine.inspect_image(reference).id == made
    manager.engine.remove_image(reference)
