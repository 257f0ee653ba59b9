"""The example's notebook (numpy, pandas, matplotlib, a data file, a written result) through every client.

Each client once in a project whose image has the packages, and once in a folder that is no project: there, whatever
is asked runs in the client's own environment.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbclient
import nbformat
import pexpect
import pytest
from nbformat import NotebookNode

from jupyter_image_manager.kernels import specs

from ..handlers.test_end_to_end import TOKEN, Client, answers
from ..handlers.test_fuzz import _address
from ..science import CHURN, SCIENTIFIC, write_example
from .laboratory import ACTOR, Kernel, Laboratory, kernel, until

pytestmark = pytest.mark.engine
BIN = Path(sys.executable).parent
PROVISIONER = "JUPYTER_DEFAULT_PROVISIONER_NAME"
RIGHT = "logistic regression, by hand - right for 84% of 600 customers\n"
WHERE = "import os, sys; print(sys.prefix, os.path.exists('/.dockerenv'), os.getcwd())"


@pytest.fixture(scope="session")
def scientific(lab: Laboratory) -> str:
    """An image with all that the example needs; its packages stay in the engine for the next run of the tests."""
    return lab.dockerfile(slow=SCIENTIFIC, more=CHURN)


@pytest.fixture
def study(lab: Laboratory, scientific: str, tmp_path: Path) -> Path:
    """A project with the example in it, in the image; its notebook names our kernelspec."""
    folder = tmp_path / "отток 1"
    lab.project(folder, scientific)
    specs.install(name="project-image")
    write_example(folder, "project-image")
    return folder


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A folder that is no project, with a notebook that says where it runs."""
    folder = tmp_path / "plain"
    folder.mkdir()
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(WHERE)],
        metadata={"kernelspec": {"name": "python3", "display_name": "x", "language": "python"}},
    )
    nbformat.write(notebook, folder / "where.ipynb")
    return folder


def here(folder: Path) -> str:
    """What a kernel of this very environment prints in a folder."""
    return f"{sys.prefix} {Path('/.dockerenv').exists()} {folder}\n"


def check_study(notebook: NotebookNode, folder: Path) -> None:
    """Check what the cells showed, and what they wrote and whose that is."""
    table, said, figure = (cell.outputs for cell in notebook.cells[1:])
    assert "<table" in table[-1].data["text/html"] and "support_calls" not in table[-1].data["text/plain"]
    assert said[-1].text == RIGHT
    (picture,) = (output for output in figure if "image/png" in output.get("data", {}))
    assert base64.b64decode(picture.data["image/png"]).startswith(b"\x89PNG")
    check_results(folder)


def check_results(folder: Path) -> None:
    """Check what the notebook wrote."""
    written = folder / "results" / "at_risk.csv"
    assert written.read_text().count("\n") == 21
    assert (folder / "results" / "drivers.png").read_bytes().startswith(b"\x89PNG")
    owner = folder.stat()
    assert {(path.stat().st_uid, path.stat().st_gid) for path in (written, written.parent)} == {
        (owner.st_uid, owner.st_gid)
    }


def run_by_nbclient(folder: Path, name: str) -> NotebookNode:
    notebook = nbformat.read(folder / name, 4)
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}, timeout=120).execute()
    return notebook


def run_by_papermill(folder: Path, name: str) -> NotebookNode:
    subprocess.run([BIN / "papermill", name, "done.ipynb"], cwd=folder, check=True, capture_output=True)
    return nbformat.read(folder / "done.ipynb", 4)


def run_by_nbconvert(folder: Path, name: str) -> NotebookNode:
    command = [BIN / "jupyter-nbconvert", "--to", "notebook", "--execute", "--output", "done.ipynb", name]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return nbformat.read(folder / "done.ipynb", 4)


@pytest.mark.parametrize("run", [run_by_nbclient, run_by_papermill, run_by_nbconvert])
def test_clients_that_know_only_a_command(
    lab: Laboratory,
    study: Path,
    plain: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    run: Callable[[Path, str], NotebookNode],
) -> None:
    """As they are where nobody configured our provisioner: the kernelspec decides."""
    monkeypatch.setenv(PROVISIONER, "local-provisioner")
    check_study(run(study, "churn.ipynb"), study)
    assert run(plain, "where.ipynb").cells[0].outputs[0].text == here(plain)
    until(lambda: lab.manager.kernels.list(ACTOR) == [])
    # An end that the client asked for is no death.
    assert "jupyter image:" not in capfd.readouterr().err


@contextmanager
def console(folder: Path, *arguments: str) -> Iterator[pexpect.spawn[str]]:
    """``jupyter console``, ready for its first cell."""
    child = pexpect.spawn(
        str(BIN / "jupyter-console"),
        ["--simple-prompt", *arguments],
        cwd=str(folder),
        encoding="utf-8",
        timeout=60,
        env={**os.environ, "TERM": "dumb", "COLUMNS": "500"},
    )
    try:
        child.expect(re.escape("In [1]:"))
        # jupyter console shows its prompt before its subscription has reached a local kernel, and waits for ever for
        # what is published meanwhile: nobody types as fast as this test would.
        time.sleep(0.5)
        yield child
        child.sendline("exit")
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)


def test_a_console(lab: Laboratory, study: Path, plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROVISIONER, "local-provisioner")
    cells = [cell.source for cell in nbformat.read(study / "churn.ipynb", 4).cells if cell.cell_type == "code"]
    with console(study, "--kernel", "project-image") as child:
        for cell in cells:
            # A console takes one line at a time.
            child.sendline(f"exec({cell!r})")
            child.expect(re.escape("In ["))
        child.sendline("print(len(customers), weights.shape, str(plt.get_backend()))")
        child.expect(r"600 \(5,\) .*inline")
    check_results(study)
    with console(plain) as child:
        child.sendline(WHERE)
        child.expect(re.escape(here(plain).strip()))
    until(lambda: lab.manager.kernels.list(ACTOR) == [])


@pytest.fixture
def server(lab: Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Start a real server on the laboratory's data; return its address."""
    monkeypatch.delenv(PROVISIONER)  # the extension chooses it
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--ServerApp.port=0", "--allow-root"]
    command += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={tmp_path}"]
    command += [f"--ImageManager.data_dir={lab.manager.data_dir}"]
    command += ["--ServerApp.jpserver_extensions={'jupyter_image_manager': True, 'jupyter_server_terminals': False}"]
    log = tmp_path / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=tmp_path)
    try:
        yield _address(process, Path(os.environ["JUPYTER_RUNTIME_DIR"]), log)
    finally:
        process.terminate()
        process.wait(60)


async def run_by_sessions(client: Client, folder: Path, name: str) -> NotebookNode:
    """Run a notebook's cells as JupyterLab does: a session, and its kernel's channels."""
    path = f"{folder.name}/{name}"
    asked = {"path": path, "name": name, "type": "notebook", "kernel": {"name": "python3"}}
    session = await client.fetch("POST", "api/sessions", asked)
    notebook = nbformat.read(folder / name, 4)
    socket = await client.open(f"api/kernels/{session['kernel']['id']}/channels")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            said = [m for m in await answers(socket, cell.source) if m["channel"] == "iopub"]
            said = [m for m in said if m["msg_type"] in ("stream", "display_data", "execute_result", "error")]
            cell.outputs = [nbformat.v4.output_from_msg({**m, "header": {"msg_type": m["msg_type"]}}) for m in said]
    socket.close()
    await client.fetch("DELETE", f"api/sessions/{session['id']}")
    return notebook


async def test_a_running_servers_sessions(server: str, study: Path, plain: Path) -> None:
    client = Client(server)
    check_study(await run_by_sessions(client, study, "churn.ipynb"), study)
    assert (await run_by_sessions(client, plain, "where.ipynb")).cells[0].outputs[0].text == here(plain)


class Comms:
    """A client's side of comms."""

    def __init__(self, started: Kernel) -> None:
        self.client = started.client

    def send(self, kind: str, comm: str, data: object, **more: str) -> None:
        message = self.client.session.msg(kind, {"comm_id": comm, "data": data, **more})
        self.client.shell_channel.send(message)

    def heard(self, kind: str, wanted: Callable[[dict[str, object]], bool] = lambda data: True) -> dict[str, object]:
        """Wait for a message of a comm; return its content."""
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            content: dict[str, object] = message["content"]
            assert message["msg_type"] != "error", content
            if message["msg_type"] == kind and wanted(content["data"]):  # type: ignore[arg-type]  # comms' data are objects
                return content


def test_comms_of_both_sides(study: Path) -> None:
    """Opened by the kernel and by the client, each way, in the image's own ipykernel and comm."""
    with kernel(study) as started:
        comms = Comms(started)
        started.client.execute(
            "from comm import create_comm, get_comm_manager\n"
            "ours = create_comm(target_name='panel', data={'hello': 1})\n"
            "ours.on_msg(lambda m: ours.send({'doubled': 2 * m['content']['data']['n']}))"
        )
        opened = comms.heard("comm_open")
        assert (opened["target_name"], opened["data"]) == ("panel", {"hello": 1})
        comms.send("comm_msg", str(opened["comm_id"]), {"n": 21})
        assert comms.heard("comm_msg")["data"] == {"doubled": 42}
        started.value(
            "log = []\n"
            "def opened(comm, message):\n"
            "    comm.on_msg(lambda m: comm.send({'echo': m['content']['data']}))\n"
            "    comm.on_close(lambda m: log.append('closed'))\n"
            "    comm.send({'welcome': message['content']['data']})\n"
            "get_comm_manager().register_target('theirs', opened)"
        )
        comms.send("comm_open", "c1", "me", target_name="theirs")
        assert comms.heard("comm_msg") == {"comm_id": "c1", "data": {"welcome": "me"}}
        comms.send("comm_msg", "c1", [1, {"π": None}])
        assert comms.heard("comm_msg")["data"] == {"echo": [1, {"π": None}]}
        comms.send("comm_close", "c1", {})
        assert started.value("log") == "['closed']"


def test_a_widget_is_seen_and_moved(study: Path) -> None:
    """An ipywidgets slider: its state reaches the client, and what the client does reaches the kernel's observers."""
    with kernel(study) as started:
        comms = Comms(started)
        started.client.execute(
            "import ipywidgets\n"
            "slider = ipywidgets.IntSlider(value=3, max=50)\n"
            "moves = []\n"
            "slider.observe(lambda change: moves.append((change['old'], change['new'])), 'value')\n"
            "display(slider)"
        )
        opened = comms.heard("comm_open", lambda data: data["state"].get("_model_name") == "IntSliderModel")  # type: ignore[attr-defined]  # a widget's state
        assert opened["target_name"] == "jupyter.widget"
        state = opened["data"]["state"]  # type: ignore[index]  # a widget's state
        assert (state["value"], state["max"]) == (3, 50)
        shown = None
        while shown is None:
            message = started.client.get_iopub_msg(timeout=60)
            shown = message["content"].get("data", {}).get("application/vnd.jupyter.widget-view+json")
        assert shown["model_id"] == opened["comm_id"]
        comms.send("comm_msg", str(opened["comm_id"]), {"method": "update", "state": {"value": 17}, "buffer_paths": []})
        assert started.value("moves") == "[(3, 17)]"
        started.client.execute("slider.value = 18")
        moved = comms.heard("comm_msg", lambda data: data.get("state", {}).get("value") == 18)  # type: ignore[attr-defined]  # a widget's state
        assert moved["comm_id"] == opened["comm_id"]
        assert json.loads(started.value("import json; print(json.dumps(slider.value))")) == 18
