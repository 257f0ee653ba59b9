"""A real JupyterLab with the extension, on folders of its own, for the browser tests.

``python -m tests.browser.lab`` starts one and prints what ``jlpm test`` in ``labextension/ui-tests`` needs.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
import docker.errors
import nbformat

from jupyter_image_manager.engine.port import LABEL
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, Image, ImageState, Recipe, SourceKind, Storage, utcnow
from machine.bases import ensure
from tests import registries
from tests.browser import hostile
from tests.conftest import share_runtimes
from tests.science import CHURN, SCIENTIFIC, kept_base, write_example

DOCKERFILE = (
    """\
FROM {base}
RUN useradd --create-home --uid 1000 jupyter
RUN echo "the marker of the build"
ENV WHERE="from the image"
"""
    + CHURN
)
FAILING = """\
FROM {base}
RUN useradd --create-home --uid 1000 jupyter
RUN echo "before"; echo "there is no such thing" >&2; exit 3
"""
CELLS = (
    "import os; print(os.environ.get('WHERE', 'from the server'))",
    "print(6 * 7)",
    "ballast = bytearray(3 * 2**30); ballast[::4096] = b'x' * len(ballast[::4096]); print('survived')",
)


@dataclass(frozen=True)
class Lab:
    """Where a server listens and what it serves."""

    url: str
    token: str
    root: Path
    data: Path
    log: Path

    control: str
    engine: Path
    registry: str

    def environment(self) -> dict[str, str]:
        """Return what the browser tests read."""
        return {
            "LAB_URL": self.url,
            "LAB_TOKEN": self.token,
            "LAB_CONTROL": self.control,
            "LAB_ENGINE": str(self.engine),
            "LAB_REGISTRY": self.registry,
        }


def _write_root(root: Path, base: str, scientific: str) -> None:
    for name in ("churn", "survey"):
        (root / name).mkdir()
    (root / "churn" / "Dockerfile").write_text(DOCKERFILE.format(base=scientific))
    (root / "churn" / "failing.dockerfile").write_text(FAILING.format(base=base))
    (root / "survey" / "requirements.txt").write_text("numpy\npandas\n")
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in CELLS],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}},
    )
    nbformat.write(notebook, root / "churn" / "analysis.ipynb")
    write_example(root / "churn")


def _fill(data: Path, root: Path) -> tuple[str, str]:
    """Put a project with 500 images into the store, as nobody wants to build them, and a hostile one.

    Return the installation's id, and a base with the packages of the example.
    """
    (root / "many").mkdir(parents=True)
    manager = ImageManager(data_dir=str(data), root_dir=str(root))
    actor = Actor(name="ada", via="system")
    try:
        project = manager.projects.create(actor, str(root / "many"))
        for number in range(500):
            long = number % 7 == 0
            recipe = Recipe(id=uuid4().hex, kind=SourceKind.IMPORT, reference="jim-test/none")
            image = Image(
                id=uuid4().hex,
                project_id=project.id,
                name=f"an-image-with-a-name-that-is-quite-extraordinarily-long-{number:04}"
                if long
                else f"image-{number:04}",
                version=0,
                state=ImageState.READY,
                storage=Storage.LOCAL,
                recipe_id=recipe.id,
                created=utcnow() - timedelta(hours=number),
                created_by=actor.name,
                size=10_000_000 * (number + 1),
                python_version="3.11.9",
            )
            manager.store.add_image(image, recipe)
        hostile.fill(manager, actor, root)
        return manager.store.installation_id(), kept_base(manager.engine, "3.11", SCIENTIFIC)
    finally:
        manager.close()


class Server:
    """A JupyterLab that can be killed and started again, in other ways too, at the same address."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._command = command
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self.url = ""

    def start(self, *options: str) -> None:
        """Start it with more options, and wait until it listens."""
        command = [*self._command, f"--ServerApp.port={self._port}", *options]
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(command, env=self._environment, stdout=output, stderr=subprocess.STDOUT)
        info = self._wait(self._process)
        self.url = str(info["url"]).rstrip("/")
        self._port = int(info["port"])

    def stop(self) -> None:
        """End it as a kill does: nobody is told."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def end(self) -> None:
        """End it as a person does."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                # jupyter_client gives up its shutdown at a kernel that is just starting, and the server waits for ever.
                self._process.kill()
                self._process.wait()

    def _wait(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        path = Path(self._environment["JUPYTER_RUNTIME_DIR"]) / f"jpserver-{process.pid}.json"
        while process.poll() is None:
            try:
                info: dict[str, Any] = json.loads(path.read_text())
                socket.create_connection(("127.0.0.1", int(info["port"])), timeout=1).close()
            except (OSError, ValueError):
                time.sleep(0.1)  # not there, or being written
                continue
            return info
        raise AssertionError(f"JupyterLab did not start:\n{self._log.read_text()}")


@contextmanager
def controlled(server: Server) -> Iterator[str]:
    """Let a test in the browser stop and start the server: POST /stop, or /start with a list of options."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/start":
                server.start(*json.loads(body or "[]"))
            else:
                server.stop()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever, name="control of the lab")
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}"
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def _engine_socket(place: Path) -> Path:
    """Return a name for the engine's socket that a test can take away, as if the engine were down."""
    path = place / "engine.sock"
    path.symlink_to(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://"))
    return path


def _remove_traces(installation: str) -> None:
    """Remove from the engine what this installation made."""
    client = docker.APIClient(timeout=60, version="auto")
    try:
        mine = {"label": f"{LABEL}.installation={installation}"}
        for container in client.containers(all=True, filters=mine):
            client.remove_container(container["Id"], force=True, v=True)
        for image in client.images(filters=mine):
            try:
                client.remove_image(image["Id"], force=True)
            except docker.errors.ImageNotFound:
                continue  # went with its child
    finally:
        client.close()


@contextmanager
def running() -> Iterator[Lab]:
    """Start a server; on leaving stop it and remove what it made."""
    (base,) = ensure("python:3.11")
    place = Path(tempfile.mkdtemp(prefix="jim-lab-"))
    root, data, runtime, log = place / "root", place / "data", place / "runtime", place / "lab.log"
    share_runtimes(data)
    installation, scientific = _fill(data, root)
    _write_root(root, base, scientific)
    settings = place / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(
        json.dumps({"fetchNews": "false", "checkForUpdates": False})
    )
    token = secrets.token_hex(16)
    engine = _engine_socket(place)
    environment = {
        **os.environ,
        "DOCKER_HOST": f"unix://{engine}",
        "JUPYTER_TOKEN": token,
        "JUPYTER_CONFIG_DIR": str(place / "config"),
        "JUPYTER_DATA_DIR": str(place / "share"),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTERLAB_SETTINGS_DIR": str(place / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(place / "workspaces"),
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        f"--ServerApp.root_dir={root}",
        f"--ImageManager.data_dir={data}",
        "--TemplateCatalog.base_image=jim-test/python:{python}",
        "--BuildSettings.from_server_environment=True",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly",
    ]
    server = Server(command, environment, log)
    try:
        server.start()
        with controlled(server) as control, registries.running(place / "registry") as registry:
            yield Lab(server.url, token, root, data, log, control, engine, registry.address)
    finally:
        server.end()
        _remove_traces(installation)
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    with running() as lab:
        for key, value in lab.environment().items():
            print(f"export {key}={value}", flush=True)
        print(f"# log: {lab.log}; Enter stops it", flush=True)
        sys.stdin.readline()
