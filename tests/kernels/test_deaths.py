"""Kernels that die, owners that die, and engines that go away."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from jupyter_image_manager.engine.port import LABEL, ContainerSpec
from jupyter_image_manager.errors import EngineUnavailable, ImageUnusable
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import KernelDeath
from jupyter_image_manager.processes import ProcessIdentity

from .laboratory import ACTOR, Kernel, Laboratory, kernel, until

pytestmark = pytest.mark.engine


def death_of(started: Kernel) -> KernelDeath:
    """Wait for the end; return what is said of it."""
    handle = started.provisioner.handle
    until(lambda: not started.manager.is_alive())
    manager = started.provisioner.manager()
    until(lambda: manager.kernels.explain(handle.kernel_id) is not None)
    death: KernelDeath = manager.kernels.explain(handle.kernel_id)
    return death


def test_out_of_memory_is_explained_and_told_as_a_change(lab: Laboratory, tmp_path: Path) -> None:
    project = lab.project(tmp_path / "p", memory=256 << 20)
    with kernel(tmp_path / "p") as started:
        last = lab.manager.store.last_change()
        started.client.execute("hoard = bytearray(1 << 30)")
        death = death_of(started)
        assert (death.reason, death.exit_code) == ("out_of_memory", 137)
        assert "limit of 256 MiB" in death.message
        changes = lab.manager.store.changes(last)
        assert [(c.noun, c.action, c.project_id) for c in changes] == [("kernel", "died", project.id)]
        started.restart(now=True)
        assert started.value("1 + 1") == "2"


def test_signals_and_exit_codes_are_explained(lab: Laboratory, tmp_path: Path) -> None:
    lab.project(tmp_path / "p")
    with kernel(tmp_path / "p") as started:
        for code, reason, words in (
            ("import ctypes; ctypes.string_at(0)", "signal", "segmentation fault"),
            ("import os; os._exit(7)", "exit", "exit code 7"),
        ):
            started.client.execute(code)
            death = death_of(started)
            assert death.reason == reason and words in death.message
            started.restart(now=True)
        handle = started.provisioner.handle
        lab.manager.engine.remove(handle.container, force=True)
        death = death_of(started)
        assert death.reason == "removed"


def test_a_wanted_end_is_no_death(lab: Laboratory, tmp_path: Path) -> None:
    lab.project(tmp_path / "p")
    with kernel(tmp_path / "p") as started:
        manager, kernel_id = started.provisioner.manager(), started.provisioner.kernel_id
        started.restart()
        assert manager.kernels.explain(kernel_id) is None


def test_a_killed_owner_takes_its_kernels_along(lab: Laboratory, tmp_path: Path) -> None:
    lab.project(tmp_path / "p")
    code = """
        import os, sys
        from jupyter_client.manager import KernelManager
        manager = KernelManager(kernel_name="python3")
        manager.start_kernel(cwd=sys.argv[1], env=dict(os.environ))
        print("started", flush=True)
        sys.stdin.read()
    """
    owner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "p")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        assert owner.stdout is not None and owner.stdout.readline() == "started\n"
        assert len(lab.manager.kernels.list(ACTOR)) == 1
        owner.send_signal(signal.SIGKILL)
    until(lambda: lab.manager.kernels.list(ACTOR) == [])
    assert lab.manager.kernels.reap() == 1
    installation = lab.manager.store.installation_id()
    assert lab.manager.engine.list_containers({f"{LABEL}.installation": installation}) == []


def test_the_reaper_takes_only_what_is_ours_and_dead(lab: Laboratory, tmp_path: Path) -> None:
    other = ImageManager(data_dir=str(tmp_path / "other"))
    last = other.store.last_change()
    engine, image = lab.manager.engine, lab.engine_image(lab.dockerfile())
    mine = lab.manager.store.installation_id()
    living = ProcessIdentity.current()
    dead = ProcessIdentity(living.host, living.boot, living.namespace, living.pid, "1")
    elsewhere = ProcessIdentity("another-host", living.boot, living.namespace, 1, "1")
    wanted = {
        "dead": (mine, dead, "kernel"),
        "living": (mine, living, "kernel"),
        "elsewhere": (mine, elsewhere, "kernel"),
        "other installation": (other.store.installation_id(), dead, "kernel"),
        "foreign": ("", dead, ""),
    }
    made = {}
    for name, (installation, owner, role) in wanted.items():
        labels = {
            f"{LABEL}.installation": installation,
            f"{LABEL}.owner": str(owner),
            f"{LABEL}.role": role,
            f"{LABEL}.kernel": "k",
        }
        spec = ContainerSpec(image, ("sleep", "600"), "", {k: v for k, v in labels.items() if v and installation})
        made[name] = engine.create(spec)
        engine.start(made[name])
    try:
        assert lab.manager.kernels.reap() == 1
        left = {name for name, container in made.items() if engine.inspect(container) is not None}
        assert left == set(wanted) - {"dead"}
        assert other.kernels.reap() == 1
        assert engine.inspect(made["other installation"]) is None
        assert [(c.noun, c.action, c.id) for c in other.store.changes(last)] == [("kernel", "removed", "k")]
    finally:
        for container in made.values():
            engine.remove(container)
        other.close()


def test_no_silent_fallback_when_the_image_is_gone(lab: Laboratory, tmp_path: Path) -> None:
    lab.project(tmp_path / "p", lab.dockerfile(more="RUN echo gone > /gone\n"))
    held = lab.engine_image(lab.dockerfile(more="RUN echo gone > /gone\n"))
    lab.manager.engine.remove_image(held, force=True)
    with pytest.raises(ImageUnusable, match="env:1"), kernel(tmp_path / "p"):
        raise AssertionError


# The SDK forgets to close the socket with which it could not connect.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_without_engine_only_projects_with_an_active_image_fail(
    lab: Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.project(tmp_path / "p")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")
    (tmp_path / "free").mkdir()
    with kernel(tmp_path / "free") as started:
        assert started.value("1 + 1") == "2"
    with pytest.raises(EngineUnavailable), kernel(tmp_path / "p"):
        raise AssertionError
    gc.collect()


def test_a_damaged_store_breaks_only_projects_with_an_active_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    manager = ImageManager(data_dir=str(tmp_path / "data" / "image_manager"))
    (tmp_path / "plain").mkdir()
    manager.projects.create(ACTOR, str(tmp_path / "plain"))
    manager.close()
    (tmp_path / "data" / "image_manager" / "store.sqlite").write_bytes(os.urandom(4096))
    for folder in (tmp_path, tmp_path / "plain"):
        with kernel(folder) as started:
            assert started.provisioner.handle is None
            assert started.value("1 + 1") == "2"
