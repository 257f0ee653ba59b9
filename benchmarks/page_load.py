"""What our front end adds until JupyterLab is there to be used, in Chromium (≤ 50 ms)."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from server import running_server

from harness import Result

RUNS = 21
HERE = Path(__file__).parent
UI_TESTS = HERE.parent / "labextension" / "ui-tests"


def install() -> None:
    """Install what drives the browser, once."""
    if (UI_TESTS / "node_modules" / "@playwright" / "test").is_dir():
        return
    jlpm = shutil.which("jlpm")
    if jlpm is None:
        raise RuntimeError("jlpm is not on PATH: install jupyterlab")
    environment = os.environ | {"PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"}
    subprocess.run([jlpm, "install", "--immutable"], cwd=UI_TESTS, env=environment, check=True)


def measure() -> list[Result]:
    """Load the page by turns with and without the extension, on one server, in one browser whose cache is warm."""
    install()
    with tempfile.TemporaryDirectory(prefix="jim-bench-") as name:
        folder = Path(name).resolve()
        for part in ("root", "data", "config/labconfig", "settings/@jupyterlab/apputils-extension"):
            (folder / part).mkdir(parents=True)
        (folder / "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings").write_text(
            json.dumps({"fetchNews": "false", "checkForUpdates": False})
        )
        environment = {
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        }
        options = ("--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly")
        with running_server(folder / "root", folder / "data", *options, environment=environment) as server:
            page_config = folder / "config" / "labconfig" / "page_config.json"
            done = subprocess.run(
                ["node", str(HERE / "page_load.mjs"), server.url, server.token, str(page_config), str(RUNS)],
                capture_output=True,
                text=True,
                check=False,
            )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found = json.loads(done.stdout)
    turns, own = found["turns"], statistics.median(found["own"])
    added = statistics.median(turn["with"]["ready"] - turn["without"]["ready"] for turn in turns)
    bare = statistics.median(turn["without"]["ready"] for turn in turns)
    return [
        Result("added to JupyterLab's page load", added, 50, "ms", f"median of {RUNS} turns; {bare:.0f} without"),
        Result("of that, time in our own code", own, 50, "ms", f"median of {len(found['own'])} profiles"),
        Result("front end loaded before first use", found["loaded"] / 1000, 60, "kB", "compressed by gzip"),
    ]
