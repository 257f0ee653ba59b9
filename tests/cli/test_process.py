"""The command line as people and scripts run it: a process, its output, its exit code; the engine is real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_image_manager.engine.docker_engine import DockerEngine
from jupyter_image_manager.manager import ImageManager

from ..conftest import clean, share_runtimes

pytestmark = pytest.mark.engine
# Each run of the tests builds anew: what the engine remembers of an earlier one would be over too soon.
USER = f"RUN useradd -m -u 1000 jupyter && : {uuid.uuid4().hex}\n"
PROGRAM = str(Path(sys.executable).with_name("jupyter-image"))


class Shell:
    """A folder, a data folder, and the program."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder, self.data = folder, data
        self.environment = os.environ | {"JUPYTER_DATA_DIR": str(data), "JUPYTER_CONFIG_DIR": str(data / "config")}

    def __call__(self, *words: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [PROGRAM, *words],
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=400,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def json(self, *words: str, code: int = 0) -> object:
        done = self(*words, "--json", code=code)
        return json.loads(done.stdout)


@pytest.fixture
def shell(tmp_path: Path, base_image: Callable[[str], str]) -> Iterator[Shell]:
    folder = tmp_path / "churn model"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM {base_image('3.11')}\n{USER}RUN echo made > /etc/made\n")
    share_runtimes(tmp_path / "data" / "image_manager")
    found = Shell(folder, tmp_path / "data")
    yield found
    manager = ImageManager(data_dir=str(tmp_path / "data" / "image_manager"))
    clean(manager.engine, manager.store.installation_id())
    manager.close()


def test_a_day_of_a_data_scientist(shell: Shell) -> None:
    assert "no project" in shell("list", code=1).stderr
    built = shell("build", "geo", "--activate")
    assert "is now the project 'churn model'" in built.stderr
    assert "geo:1 is ready" in built.stdout
    assert "Step 3/" in built.stderr
    (listed,) = shell.json("list")
    wanted = (
        "id name version project state storage digest size python_version created active optimized registry_state "
        "published_to warnings"
    )
    assert set(wanted.split()) <= set(listed)
    assert (listed["name"], listed["version"], listed["active"], listed["project"]) == ("geo", 1, True, "churn model")
    assert "geo:1" in shell("list").stdout
    assert shell("show").stdout.splitlines()[0].split() == ["image", "geo:1"]
    assert shell("show", "geo", "--dockerfile").stdout.strip().endswith("/etc/made")
    assert any(package["name"] == "pip" for package in shell.json("packages"))

    (shell.folder / "Dockerfile").write_text((shell.folder / "Dockerfile").read_text() + "ENV CHANGED=1\n")
    second = shell.json("build", "geo")
    assert (second["version"], second["state"], second["active"]) == (2, "ready", False)
    assert "the same" in shell("diff", "geo:1", "geo:2").stdout
    assert "geo:2 is active" in shell("activate", "geo").stdout
    assert "geo:1 is active" in shell("activate", "--undo").stdout

    assert shell("run", "--", "cat", "/etc/made").stdout == "made\n"
    assert shell("run", "--image", "geo:2", "--", "sh", "-c", "echo $CHANGED; exit 7", code=7).stdout == "1\n"
    lines = [json.loads(line) for line in shell("log", "geo", "--json").stdout.splitlines()]
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    assert "geo:2" in shell("log", "geo", "--search", "is ready").stdout

    assert "active" in shell("delete", "geo:1", "--yes", code=1).stderr
    assert "--yes" in shell("delete", "geo:2", code=1).stderr
    assert "is deleted" in shell("delete", "geo:2", "--yes").stdout
    assert "server's environment" in shell("deactivate").stdout
    assert shell.json("usage")["images"] == 1
    events = shell("events", "--since", "0", "--no-follow", "--json").stdout.splitlines()
    sequences = [json.loads(line)["sequence"] for line in events]
    assert sequences == list(range(1, len(sequences) + 1))


def test_what_goes_wrong_ends_with_one_line_and_its_code(shell: Shell) -> None:
    shell("build", "Big", code=1)
    shell("build", "x", "--python", "3.11", code=2)
    assert shell.json("project", "list") == []  # what was refused made no project of the folder
    shell("project", "create")
    for words, code, word in (
        (("activate", "nothing"), 1, "no image"),
        (("activate",), 2, "--undo"),
        (("build", "Big"), 1, "capital"),
        (("build", "x", "-f", "absent"), 1, "absent"),
        (("build", "x", "-f", "/etc/passwd"), 2, "outside"),
        (("build", "x", "--python", "3.11"), 2, "--template"),
        (("run",), 2, "what to run"),
        (("run", "--", "true"), 2, "no active image"),
        (("project", "set", "memory=lots"), 1, "memory"),
        (("project", "set", "memory=1m"), 1, "too small"),
        (("project", "set", "gpus=all"), 1, "GPU"),
        (("project", "create", "."), 1, "already"),
    ):
        done = shell(*words, code=code)
        assert done.stdout == "", words
        assert word in done.stderr, (words, done.stderr)
        assert done.stderr.count("\n") == 1, (words, done.stderr)
    (shell.folder / "Dockerfile").write_text((shell.folder / "Dockerfile").read_text() + "RUN exit 9\n")
    failed = shell("build", "geo", code=1)
    assert "exit code 9" in failed.stderr
    assert shell.json("list")[0]["state"] == "failed"


def test_without_an_engine_everything_says_so_with_three(shell: Shell) -> None:
    nowhere = f"unix://{shell.data}/none.sock"
    for words in (("build", "geo"), ("doctor",)):
        done = shell(*words, code=3, DOCKER_HOST=nowhere)
        assert "setup" in done.stderr + done.stdout
    assert shell("project", "list", DOCKER_HOST=nowhere).stdout


def test_ctrl_c_cancels_the_build_and_leaves_nothing_half_made(shell: Shell) -> None:
    (shell.folder / "Dockerfile").write_text((shell.folder / "Dockerfile").read_text() + "RUN sleep 60\n")
    process = subprocess.Popen(
        [PROGRAM, "build", "geo", "--plain"],
        cwd=shell.folder,
        env=shell.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = ""
    for line in process.stdout:
        said += line
        if "sleep 60" in line:
            break
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read()
    process.stdout.close()
    assert process.wait(60) == 130, said + rest
    assert "cancelled" in rest
    while shell.json("list")[0]["state"] == "building":
        time.sleep(0.3)
    assert shell.json("list")[0]["state"] == "failed"


def test_detached_builds_are_found_again_by_the_log(shell: Shell) -> None:
    detached = shell("build", "geo", "--detach")
    assert "is being built" in detached.stdout
    followed = shell("log", "geo")
    assert "geo:1 is ready" in followed.stdout
    assert shell.json("show", "geo")["state"] == "ready"


def test_the_engine_is_the_one_that_the_configuration_names(shell: Shell) -> None:
    address = DockerEngine().address
    named = f"--DockerEngine.host={address}"
    assert shell("doctor", code=3, DOCKER_HOST="unix:///nowhere").stdout
    assert "geo:1 is ready" in shell("build", "geo", named, DOCKER_HOST="unix:///nowhere").stdout
