"""A 4 GiB context: the worker's memory (≤ 120 MiB), and nothing of it copied to disk."""

from __future__ import annotations

import threading
from pathlib import Path
from stat import S_ISREG

from harness import ACTOR, Result, workplace
from jupyter_image_manager.models import BuildRequest
from jupyter_image_manager.processes import ProcessIdentity
from machine.bases import base_image

SIZE = 4 << 30


def high_water(pid: int) -> float:
    """Return the most memory that a process has had resident, in MiB; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)


def size_of(folder: Path) -> int:
    """Return the bytes that files take which a build could copy its context to."""
    sizes = 0
    for place in ("", "logs", "contexts", "archives"):
        for path in (folder / place).glob("*"):
            try:
                found = path.lstat()
            except FileNotFoundError:  # a partial file, renamed meanwhile
                continue
            sizes += found.st_blocks * 512 if S_ISREG(found.st_mode) else 0
    return sizes


def measure() -> list[Result]:
    """Send a sparse file of 4 GiB and watch the worker."""
    with workplace() as (manager, project):
        folder = Path(project.path)
        with (folder / "big.bin").open("wb") as big:
            big.truncate(SIZE)
        (folder / "Dockerfile").write_text(f"FROM {base_image('3.11')}\nRUN true\n")
        build = manager.builds.submit(ACTOR, project.id, BuildRequest(name="big", confirm_context=True, fix=True))
        most, data, ended = 0.0, 0, threading.Event()

        def watch() -> None:
            nonlocal most, data
            while not ended.wait(0.2):
                worker = ProcessIdentity.parse(manager.builds.get(ACTOR, build.id).worker)
                if worker:
                    most = max(most, high_water(worker.pid))
                data = max(data, size_of(Path(manager.data_dir)))

        watcher = threading.Thread(target=watch)
        watcher.start()
        for _ in manager.builds.follow(ACTOR, build.id):
            pass
        ended.set()
        watcher.join()
        state = manager.builds.get(ACTOR, build.id).state.value
        return [
            Result("worker's memory, 4 GiB context", most, 120, "MiB", f"build {state}"),
            Result("copied to our disk meanwhile", data / (1 << 20), 64, "MiB", "store, logs and stored contexts"),
        ]
