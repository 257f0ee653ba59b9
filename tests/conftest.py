from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from traitlets.config import Config

from jupyter_image_manager.engine.port import LABEL, Engine
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, Project
from machine import bases

pytest_plugins = ["pytest_jupyter.jupyter_server", "jupyter_events.pytest_plugin"]

MACHINE = Path(__file__).parents[1] / "machine"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try once more what waits for an engine, a kernel or a browser: on a busy machine one of them may be late.

    What fails twice fails; what needed its second try is named at the end of the run.
    """
    for item in items:
        if item.get_closest_marker("engine") or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=2))


@pytest.fixture(scope="session", autouse=True)
def _engine_while_tests_run(request: pytest.FixtureRequest) -> Iterator[None]:
    """Start an engine where none answers, and stop it in the end; without one the engine tests must fail."""
    if not any(
        item.get_closest_marker("engine") or item.get_closest_marker("browser") for item in request.session.items
    ):
        yield
        return
    up = subprocess.run([MACHINE / "engine", "up"], capture_output=True, text=True, check=False)
    if up.returncode:
        pytest.exit(f"No engine for the tests: {up.stdout}{up.stderr}", returncode=1)
    yield
    if "engine: started" in up.stdout:
        subprocess.run([MACHINE / "engine", "down"], check=True)


@pytest.fixture(scope="session")
def base_image(_engine_while_tests_run: None) -> Callable[[str], str]:
    """Return the base image with a Python version: ``base_image("3.11")``."""
    return bases.base_image


@pytest.fixture
def actor() -> Actor:
    return Actor(name="tester", display_name="Tester", via="cli")


@pytest.fixture
def manager_config(tmp_path: Path, base_image: Callable[[str], str]) -> Config:
    """Say what the tests' managers, servers and command lines are configured with."""
    (tmp_path / "root").mkdir()
    share_runtimes(tmp_path / "data")
    return Config(
        {
            "ImageManager": {"data_dir": str(tmp_path / "data"), "root_dir": str((tmp_path / "root").resolve())},
            "TemplateCatalog": {"base_image": bases.reference("python:{python}")},
            "BuildSettings": {"from_server_environment": True},
        }
    )


@pytest.fixture
def manager(manager_config: Config, request: pytest.FixtureRequest) -> Iterator[ImageManager]:
    """Give a service on a store of its own; what it made in the engine is removed in the end."""
    bases.base_image("3.11")
    service = ImageManager(config=manager_config)
    yield service
    clean(service.engine, service.store.installation_id())
    service.close()


@pytest.fixture
def engine(manager: ImageManager) -> Engine:
    return manager.engine


@pytest.fixture
def project_dir(manager: ImageManager) -> Path:
    """Give an empty folder, whose name has a space and letters that are not Latin, below the manager's root."""
    path = Path(manager.root_dir) / "мой project"
    path.mkdir()
    return path


@pytest.fixture
def project(manager: ImageManager, actor: Actor, project_dir: Path) -> Project:
    return manager.projects.create(actor, str(project_dir))


@pytest.fixture(autouse=True)
def provisioner_factory() -> Iterator[None]:
    """Give each test, and each server in it, a provisioner factory of its own: it is a singleton of the process."""
    KernelProvisionerFactory.clear_instance()
    yield
    KernelProvisionerFactory.clear_instance()


def share_runtimes(data_path: Path) -> Path:
    """Let a data folder of a test share kernel runtimes with all others: pip fetches each once, not once a test."""
    shared = MACHINE.parent / ".cache" / "test-runtimes"
    shared.mkdir(parents=True, exist_ok=True)
    data_path.mkdir(parents=True, exist_ok=True, mode=0o700)
    (data_path / "runtimes").symlink_to(shared)
    return data_path


def clean(engine: Engine, installation: str) -> None:
    """Remove all that one installation made in the engine."""
    mine = {f"{LABEL}.installation": installation}
    for container in engine.list_containers(mine):
        engine.remove(container.id)
    for image in engine.list_images(mine):
        engine.remove_image(image.id, force=True)
