"""Clients that know no provisioners, over the argv kernelspec. Whole notebooks through them are in test_science.py."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from jupyter_image_manager.engine.port import LABEL
from jupyter_image_manager.errors import InvalidRequest
from jupyter_image_manager.kernels import specs

from .laboratory import ACTOR, Laboratory, kernel, until

pytestmark = pytest.mark.engine
BIN = Path(sys.executable).parent


@pytest.fixture
def study(lab: Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project, and our kernelspec."""
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "local-provisioner")
    folder = tmp_path / "наука"
    lab.project(folder)
    specs.install(name="project-image")
    yield folder
    # A client may kill our process instead of asking: then the kernel ends by itself, and the reaper finds the rest.
    until(lambda: lab.manager.kernels.list(ACTOR) == [])
    lab.manager.kernels.reap()
    installation = lab.manager.store.installation_id()
    assert lab.manager.engine.list_containers({f"{LABEL}.installation": installation}) == []


def test_console_with_interrupt(study: Path) -> None:
    console = pexpect.spawn(
        str(BIN / "jupyter-console"),
        ["--kernel", "project-image", "--simple-prompt"],
        cwd=str(study),
        encoding="utf-8",
        timeout=60,
        env={**os.environ, "TERM": "dumb"},
    )
    try:
        console.expect(re.escape("In [1]:"))
        console.sendline("import getpass; print('I am ' + getpass.getuser())")
        console.expect("I am jupyter")
        console.sendline("import time; print('sleeping ' + 'now'); time.sleep(600)")
        console.expect("sleeping now")
        console.sendintr()
        console.expect("KeyboardInterrupt")
        console.sendline("print(20 + 22)")
        console.expect("42")
        console.sendline("exit")
        console.expect(pexpect.EOF)
    finally:
        console.close(force=True)


def test_without_an_active_image_the_reason_is_on_stderr(lab: Laboratory, tmp_path: Path) -> None:
    file = tmp_path / "kernel-x.json"
    from jupyter_client.connect import write_connection_file

    write_connection_file(str(file), ip="127.0.0.1", key=b"k")
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_image_manager.kernels.launch", "-f", str(file)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("jupyter image: No project with an active image encloses")
    assert "Traceback" not in done.stderr


def test_a_death_is_explained_on_stderr(
    lab: Laboratory, study: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with kernel(study, name="project-image") as started:
        started.manager.autorestart = False
        process = started.provisioner.process
        started.client.execute("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
        assert process.wait(60) == 128 + signal.SIGSEGV
    assert "segmentation fault" in capfd.readouterr().err


def test_the_kernelspec_of_one_project_runs_anywhere(lab: Laboratory, study: Path, tmp_path: Path) -> None:
    where = specs.install(project_dir=study, name="study", prefix=tmp_path / "prefix")
    spec = json.loads((where / "kernel.json").read_text())
    assert where == tmp_path / "prefix" / "share" / "jupyter" / "kernels" / "study"
    assert spec["argv"][-2:] == ["--project", str(study)]
    assert spec["metadata"]["kernel_provisioner"]["provisioner_name"] == "local-provisioner"
    specs.install(project_dir=study, name="study")
    with kernel(tmp_path, name="study") as started:
        assert started.value("import os; print(os.getcwd())") == str(study)


def test_a_name_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="is no name for a kernelspec"):
        specs.install(name="../x", prefix=tmp_path)
