"""``make demo``: build the image of the example project, activate it, run its notebook in it, say what ran where.

What a user would do: `jupyter image` on the command line, and a notebook session of a real Jupyter server.
"""

from __future__ import annotations

import json
import os
import pwd
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import websocket

EXAMPLES = Path(__file__).resolve().parent
PROJECT = EXAMPLES / "churn-model"
NOTEBOOK = PROJECT / "churn.ipynb"
ENVIRONMENT = {**os.environ, "JUPYTER_CONFIG_PATH": str(EXAMPLES)}
WHERE = """
import os, platform
release = dict(line.rstrip().split("=", 1) for line in open("/etc/os-release") if "=" in line)
print("\\n".join([platform.python_version(), release["PRETTY_NAME"].strip('"'), str(os.getuid()), os.getcwd()]))
"""


def image(*words: str, show: bool = False) -> Any:
    """Run ``jupyter image``; return what it printed as JSON, unless it is shown."""
    command = [str(Path(sys.executable).with_name("jupyter-image")), *words]
    print(f"$ jupyter image {' '.join(words)}", flush=True)
    if show:
        subprocess.run(command, cwd=PROJECT, env=ENVIRONMENT, check=True)
        return None
    done = subprocess.run([*command, "--json"], cwd=PROJECT, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


@contextmanager
def server() -> Iterator[tuple[str, str]]:
    """Run a Jupyter server on the examples; give its address and token."""
    token = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as runtime:
        log = Path(runtime, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "jupyter_server", "--no-browser", "--ServerApp.ip=127.0.0.1"),
                    *("--ServerApp.port=0", f"--IdentityProvider.token={token}", "--allow-root"),
                    f"--ServerApp.root_dir={EXAMPLES}",
                ],
                env={**ENVIRONMENT, "JUPYTER_RUNTIME_DIR": runtime},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield address(Path(runtime), process, log), token
        finally:
            process.terminate()
            process.wait(timeout=60)


def address(runtime: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the server has said where it listens."""
    for _ in range(600):
        for file in runtime.glob("jpserver-*.json"):
            return str(json.loads(file.read_text())["url"])
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"The Jupyter server did not start:\n{log.read_text()}")


def call(url: str, token: str, method: str, route: str, body: Any = None) -> Any:
    """Call the server's REST API; a refusal ends the demo with the server's own words."""
    request = urllib.request.Request(
        url + route,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{method} {route}: {error.read().decode()}") from None
    return json.loads(text) if text else None


def run_code(channel: websocket.WebSocket, code: str) -> list[Any]:
    """Execute code in the session's kernel; return its outputs."""
    message_id = uuid.uuid4().hex
    header = {
        "msg_id": message_id,
        "msg_type": "execute_request",
        "username": "demo",
        "session": "demo",
        "version": "5.4",
    }
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    channel.send(json.dumps(message))
    outputs = []
    while True:
        answer = json.loads(channel.recv())
        if answer["parent_header"].get("msg_id") != message_id:
            continue
        kind = answer["header"]["msg_type"]
        if kind == "status" and answer["content"]["execution_state"] == "idle":
            return outputs
        if kind in ("stream", "display_data", "execute_result", "error"):
            outputs.append(nbformat.v4.output_from_msg(answer))
        if kind == "error":
            raise SystemExit("\n".join(answer["content"]["traceback"]))


def execute(url: str, token: str) -> dict[str, str]:
    """Run the notebook in a session of the server, as JupyterLab would; return what ran where."""
    path = str(NOTEBOOK.relative_to(EXAMPLES))
    session = call(
        url,
        token,
        "POST",
        "api/sessions",
        {"path": path, "type": "notebook", "name": NOTEBOOK.name, "kernel": {"name": "python3"}},
    )
    kernel = session["kernel"]["id"]
    channel = websocket.create_connection(
        f"{url.replace('http', 'ws', 1)}api/kernels/{kernel}/channels?token={token}", timeout=300
    )
    try:
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        for count, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), 1):
            cell.execution_count, cell.outputs = count, run_code(channel, cell.source)
            for output in cell.outputs:
                print((output.get("text") or output.get("data", {}).get("text/plain", "")).rstrip())
        version, system, uid, folder = run_code(channel, WHERE)[0]["text"].split("\n")[:4]
        nbformat.write(notebook, PROJECT / "results" / "churn.ipynb")
        running = next(k for k in image("kernels") if k["kernel_id"] == kernel)
    finally:
        channel.close()
        call(url, token, "DELETE", f"api/sessions/{session['id']}")
    return {
        "Python": version,
        "System": system,
        "Container": running["container"][:12],
        "Image": running["image"],
        "User": f"uid {uid}",
        "Folder": folder,
    }


def main() -> None:
    """Build, activate, run, tell."""
    image("setup", "--yes", show=True)
    bases = [base["reference"] for base in image("base", "list") if base["python"] == "3.11"]
    if not any(Path(project["path"]) == PROJECT for project in image("project", "list")):
        image("project", "create", str(PROJECT), show=True)
    arguments = ["--build-arg", f"BASE={bases[0]}"] if bases else []
    image("build", "churn", *arguments, "--activate", show=True)
    shown = image("show")

    print("\nThe notebook, in a session of a Jupyter server:")
    with server() as (url, token):
        facts = execute(url, token)
    facts["Digest"] = shown["digest"]
    print("\nWhat ran where:")
    for name, value in facts.items():
        print(f"  {name:<10} {value}")
    print("  Written:")
    for file in sorted((PROJECT / "results").iterdir()):
        owner = file.stat().st_uid
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"uid {owner}"
        print(f"    {file.relative_to(EXAMPLES)}, {file.stat().st_size} bytes, owner {name}")
    print("\nNow open it yourself: make lab")


if __name__ == "__main__":
    main()
