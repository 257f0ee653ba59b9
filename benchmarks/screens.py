"""Our screens in Chromium: a long list, a fast log, and what is left of a hundred times opening and closing them."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import threading
import time
import uuid
from pathlib import Path

from image_list import fill
from page_load import UI_TESTS, install
from server import running_server

from harness import ACTOR, Result
from jupyter_image_manager.builds.log import LogWriter
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Build, BuildState, Project, utcnow
from jupyter_image_manager.processes import ProcessIdentity

HERE = Path(__file__).parent
IMAGES = 500
LINES = 5000
"""A second."""
ROUNDS = 100


def _build(manager: ImageManager, project: Project, state: BuildState) -> Build:
    """Put a build of the project's newest image into the store, made by this process."""
    image = manager.store.images(project.id)[0]
    done = state is BuildState.SUCCEEDED
    build = Build(
        id=uuid.uuid4().hex,
        project_id=project.id,
        image_id=image.id,
        state=state,
        requested_by=ACTOR.name,
        created=utcnow(),
        started=utcnow(),
        finished=utcnow() if done else None,
        step=2,
        steps=3,
        instruction="RUN make",
        worker=str(ProcessIdentity.current()),
    )
    manager.store.add_build(build)
    manager.store.set_image(image.id, last_build_id=build.id)
    return build


def _write(path: Path, ended: threading.Event) -> None:
    """Write as many lines a second as the target says, as a build does."""
    with LogWriter(path, limit=2**30, redact=str) as log:
        began, number = time.monotonic(), 0
        while not ended.is_set():
            due = int((time.monotonic() - began) * LINES)
            while number < due:
                number += 1
                log.write(f"\x1b[32m{number}\x1b[0m gcc -O2 -c part_{number}.c -o part_{number}.o", step=2)
            time.sleep(0.02)


def measure() -> list[Result]:
    """Fill a server as a long-used one is, and drive its pages."""
    install()
    ended = threading.Event()
    with tempfile.TemporaryDirectory(prefix="jim-bench-") as name:
        folder = Path(name).resolve()
        root, data = folder / "root", folder / "data"
        manager = ImageManager(data_dir=str(data), root_dir=str(root))
        projects = {}
        for title, count in (("many", IMAGES), ("few", 3), ("logging", 1)):
            (root / title).mkdir(parents=True)
            projects[title] = manager.projects.create(ACTOR, str(root / title))
            fill(manager.store, projects[title].id, count)
        short = _build(manager, projects["few"], BuildState.SUCCEEDED)
        with LogWriter(manager.builds.log_path_of(short.id), limit=2**20, redact=str) as log:
            log.write("done")
        path = manager.builds.log_path_of(_build(manager, projects["logging"], BuildState.BUILDING).id)
        writer = threading.Thread(target=_write, args=(path, ended))
        environment = {
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        }
        options = ("--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly")
        with running_server(root, data, *options, environment=environment) as server:
            writer.start()
            try:
                done = subprocess.run(
                    ["node", str(HERE / "screens.mjs"), server.url, server.token, str(ROUNDS)],
                    cwd=UI_TESTS,
                    capture_output=True,
                    text=True,
                    check=False,
                )
            finally:
                ended.set()
                writer.join()
                manager.close()
    if done.returncode:
        raise RuntimeError(done.stderr)
    found = json.loads(done.stdout)
    frames, still = found["log"]["frames"], found["still"]
    seconds = sum(frames) / 1000
    grown = (found["heap"]["after"] - found["heap"]["before"]) / 2**20
    return [
        Result(f"{IMAGES} images, from known to usable", statistics.median(found["lists"]), 100, "ms", "median of 11"),
        Result(
            "frame of the log while lines arrive",
            statistics.mean(frames),
            20,
            "ms",
            f"{found['log']['arrived'] / seconds:.0f} lines/s came; longest {max(frames):.0f}; "
            f"{statistics.mean(still):.1f} when nothing happens",
        ),
        Result(
            f"heap after {ROUNDS} times each screen",
            grown,
            2,
            "MiB",
            f"{found['heap']['before'] / 2**20:.0f} before",
        ),
    ]
