"""One installation under attack: an engine, a server and the workers it starts, each of which may be killed."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import requests

from jupyter_image_manager.engine.port import LABEL
from jupyter_image_manager.processes import ProcessIdentity
from machine import bases

from ..conftest import share_runtimes
from .disk import Disk
from .own_engine import OwnEngine

T = TypeVar("T")
TOKEN = "a" * 32
MINUTE = 60
"""Seconds within which everything must have come right again; a limit, not a measure."""
PATIENCE = 5 * MINUTE
"""Seconds within which a busy machine must have built an image."""
BASE = "jim-test/chaos"
DOCKERFILE = (
    "FROM {base}\n"
    "COPY ballast /opt/ballast\n"
    # As the first process of its container a shell ignores a request to end, and an engine that comes back would wait.
    "RUN trap 'exit 1' TERM; echo begun {mark}; sleep 0.7 & wait; "
    "cp /opt/ballast /opt/copy; echo ended {mark}\n"
)
BALLAST = 4 << 20
ENDED = ("succeeded", "failed", "cancelled", "interrupted")


def until(what: str, look: Callable[[], T], seconds: float = MINUTE, pause: float = 0.1) -> T:
    """Wait until a look finds something, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"after {seconds:.0f} s still not: {what}"
        time.sleep(pause)
    return found


class World:
    """An installation with one project."""

    def __init__(self, *, engine_disk: int = 600, data_disk: int = 384) -> None:
        self.place = Path("/tmp", f"jim-{secrets.token_hex(4)}")  # short: sockets lie in it
        self.place.mkdir(mode=0o755)
        self.data_disk = Disk(self.place / "data", data_disk)
        self.data = share_runtimes(self.data_disk.path / "images")
        self.log = self.place / "server.log"
        self.root = self.place / "root"
        self._project_dir = self.root / "project"
        self._project_dir.mkdir(parents=True)
        (self.place / "run").mkdir(mode=0o700)
        (self._project_dir / "ballast").write_bytes(os.urandom(BALLAST))
        self._server: subprocess.Popen[bytes] | None = None
        self._url = ""
        self._marks = 0
        self.builds: list[str] = []
        self.ready: dict[str, str] = {}
        """Images that were ready once, and what the engine calls them."""
        self.engine = OwnEngine(self.place, engine_disk)
        self.project = ""

    def start(self) -> None:
        """Start everything."""
        self.engine.start()
        self.engine.load(bases.base_image("3.11"))
        self._make_base()
        self.start_server()
        self.project = self.call("POST", "projects", {"path": "project"})["id"]

    def make_first_image(self) -> None:
        """Build an image and activate it in the project."""
        built = self.ended(self.submit("first"))
        assert built["state"] == "succeeded", built["failure"]
        self.call("PUT", f"projects/{self.project}/active-image", {"image_id": built["image_id"]})
        self.check()

    def _make_base(self) -> None:
        with self.engine.client() as client:
            name = bases.reference("python:3.11")
            made = client.create_container(name, ["useradd", "--create-home", "--uid", "1000", "jupyter"])
            client.start(made)
            assert client.wait(made)["StatusCode"] == 0
            client.commit(made, repository=BASE, conf={"Cmd": ["python3"]})
            client.remove_container(made)

    # The server
    def start_server(self) -> None:
        """Start a server and wait until it answers."""
        runtime = self.place / "runtime"
        shutil.rmtree(runtime, ignore_errors=True)
        environment = {
            **os.environ,
            **{f"JUPYTER_{name}_DIR": str(self.place / name.lower()) for name in ("CONFIG", "RUNTIME")},
            "JUPYTER_DATA_DIR": str(self.data_disk.path / "jupyter"),
            "XDG_RUNTIME_DIR": str(self.place / "run"),
            "DOCKER_HOST": self.engine.address,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--ServerApp.port=0", "--allow-root"]
        command += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={self.root}"]
        command += [
            "--ServerApp.jpserver_extensions={'jupyter_image_manager': True, 'jupyter_server_terminals': False}"
        ]
        command += [f"--ImageManager.data_dir={self.data}", f"--ImagePolicy.min_free_bytes={16 << 20}"]
        command += ["--ImageManagerExtension.recover_interval=1", "--ImageManagerExtension.reap_interval=2"]
        with self.log.open("ab") as output:
            self._server = subprocess.Popen(command, env=environment, stdout=output, stderr=output, cwd=self.place)
        self._url = until("the server answers", lambda: self._address(runtime))

    def _address(self, runtime: Path) -> str:
        assert self._server is not None and self._server.poll() is None, self.log.read_text()[-4000:]
        for file in runtime.glob("jpserver-*.json"):
            try:
                found = json.loads(file.read_text())["url"]
                requests.get(f"{found}api", timeout=5).close()
            except (OSError, ValueError, KeyError):
                continue
            return str(found)
        return ""

    def kill_server(self) -> None:
        """End the server as a power cut would."""
        if self._server is not None:
            self._server.kill()
            self._server.wait(MINUTE)

    # Calls
    def request(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Send a request to the server."""
        headers = {"Authorization": f"token {TOKEN}", "Accept": "application/json"}
        return requests.request(method, self._url + path, json=body, headers=headers, timeout=2 * MINUTE)

    def call(self, method: str, route: str, body: Any = None) -> Any:
        """Call one of our routes, which must succeed."""
        answer = self.request(method, f"image-manager/v1/{route}", body)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def request_of_build(self, name: str) -> dict[str, Any]:
        """Return a request for a build that was never made before."""
        self._marks += 1
        return {"name": name, "dockerfile_text": DOCKERFILE.format(base=BASE, mark=self._marks), "context": "."}

    # Builds
    def submit(self, name: str = "chaos") -> str:
        """Ask for a build; return its id."""
        build: str = self.call("POST", f"projects/{self.project}/builds", self.request_of_build(name))["id"]
        self.builds.append(build)
        return build

    def state(self, build: str) -> str:
        """Return a build's state as it stands in the store; asks nobody who might be dead."""
        with closing(sqlite3.connect(f"file:{self.data / 'store.sqlite'}?mode=ro", uri=True, timeout=30)) as store:
            row = store.execute("SELECT state FROM builds WHERE id = ?", (build,)).fetchone()
        return str(row[0]) if row else ""

    def logged(self, build: str) -> str:
        """Return the text of a build's log so far."""
        return (self.data / "logs" / f"{build}.log").read_text(errors="replace")

    def reach(self, build: str, moment: str) -> None:
        """Wait until a build has reached a moment, or is beyond it."""
        words = {"step": "\nbegun ", "commit": "\nended "}

        def look() -> bool:
            state = self.state(build)
            if moment in words:
                return words[moment] in self.logged(build) or state in ENDED
            return state not in ("", "queued") if moment == "sending" else state in (moment, *ENDED)

        if moment != "queued":
            until(moment, look, PATIENCE, 0.005)

    def ended(self, build: str) -> Any:
        """Wait for a build's end; return it."""

        def look() -> Any:
            found = self.call("GET", f"builds/{build}")
            return found if found["state"] in ENDED else None

        return until("the build has ended", look, PATIENCE)

    def worker(self, build: str) -> int | None:
        """Return the pid of a build's process; None when it is not there."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"jupyter_image_manager.builds.worker" in words and build.encode() in words:
                return int(folder.name)
        return None

    def kill_worker(self, build: str) -> None:
        """End a build's process as the machine's memory keeper would."""
        pid = self.worker(build)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    # Kernels
    def open_notebook(self) -> requests.Response:
        """Start a kernel in the project's active image, as JupyterLab does."""
        notebook = {"path": f"project/{secrets.token_hex(4)}.ipynb", "name": "", "type": "notebook"}
        return self.request("POST", "api/sessions", {**notebook, "kernel": {"name": "python3"}})

    def end_kernels(self) -> None:
        """End the kernels that the server knows of, dead or alive."""
        for each in self.request("GET", "api/sessions").json():
            assert self.request("DELETE", f"api/sessions/{each['id']}").status_code == 204

    def containers(self) -> list[dict[str, Any]]:
        """Return our containers that run."""
        with self.engine.client() as client:
            found: list[dict[str, Any]] = client.containers(filters={"label": f"{LABEL}.role"})
            return found

    # What must be true after whatever happened
    def check(self) -> None:
        """Assert that no image is lost or half made, that nothing is left running, and that a kernel starts."""
        for build in self.builds:
            until(f"no process of build {build} is left", lambda build=build: self.worker(build) is None)  # type: ignore[misc]
        until("containers of the dead are gone", self._only_wanted)
        self._check_images()
        self._check_logs()
        self._check_kernel()

    def _only_wanted(self) -> bool:
        owners = [ProcessIdentity.parse(each["Labels"][f"{LABEL}.owner"]) for each in self.containers()]
        return all(owner is not None and owner.alive() for owner in owners)

    def _check_images(self) -> None:
        rows = {row["id"]: row for row in self.call("GET", f"projects/{self.project}/images?limit=1000")["items"]}
        assert [row["version"] for row in rows.values() if row["state"] == "building"] == []
        with self.engine.client() as client:
            for row in rows.values():
                if row["state"] == "ready":
                    assert client.inspect_image(row["engine_image"])["Id"] == row["engine_image"]
        for image, engine_image in self.ready.items():
            assert (rows[image]["state"], rows[image]["engine_image"]) == ("ready", engine_image)
        self.ready = {row["id"]: row["engine_image"] for row in rows.values() if row["state"] == "ready"}
        until("the engine holds only images that are kept", lambda: self._held() <= set(self.ready.values()))

    def _held(self) -> set[str]:
        """Return our images in the engine; those without a name are its builder's cache."""
        with self.engine.client() as client:
            return {each["Id"] for each in client.images(filters={"label": f"{LABEL}.image", "dangling": False})}

    def _check_logs(self) -> None:
        for build in self.builds:
            assert self.state(build) in ENDED
            lines = self.call("GET", f"builds/{build}/log?start=1&count=1000")["items"]
            assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
            assert "asked for by" in lines[0]["text"]

    def _check_kernel(self) -> None:
        answer = self.open_notebook()
        assert answer.status_code == 201, answer.text
        running = self.call("GET", f"projects/{self.project}/kernels")["items"]
        assert [each["kernel_id"] for each in running] == [answer.json()["kernel"]["id"]]
        self.end_kernels()

    def close(self) -> None:
        """End everything that is still there."""
        for build in self.builds:
            self.kill_worker(build)
        if self._server is not None and self._server.poll() is None:
            self._server.terminate()
            self._server.wait(MINUTE)
        self.engine.remove()
        self.data_disk.remove()
        shutil.rmtree(self.place, ignore_errors=True)
