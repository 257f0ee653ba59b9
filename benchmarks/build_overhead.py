"""A build through us over the bare engine's build of the same context (≤ 1.03 plus 0.5 s), and 200,000 log lines."""

from __future__ import annotations

import statistics
import subprocess
from pathlib import Path
from time import perf_counter, sleep

from harness import ACTOR, Result, built, medians, workplace
from jupyter_image_manager.models import BuildRequest, BuildState
from machine.bases import base_image
from machine.cli import docker_cli

LINES = 200_000
RUNS = 3


def measure() -> list[Result]:
    """Build the same folder by the engine's own command and through us, in turn, without cache."""
    with workplace(ImageManager={}) as (manager, project):
        folder = Path(project.path)
        usable = f"FROM {base_image('3.11')}\nRUN useradd --create-home --uid 1000 jupyter\n"
        (folder / "data.bin").write_bytes(bytes(64 << 20))
        (folder / "Dockerfile").write_text(
            f"{usable}COPY data.bin /data.bin\nRUN python3 -c 'import time; time.sleep(8)'\n"
        )

        def bare() -> None:
            subprocess.run(docker_cli("build", "--no-cache", "-q", str(folder)), check=True, capture_output=True)

        building: list[float] = []

        def ours() -> None:
            begin = perf_counter()
            build = manager.builds.submit(ACTOR, project.id, BuildRequest(name="timed", no_cache=True))
            while manager.builds.get(ACTOR, build.id).state in (BuildState.QUEUED, BuildState.BUILDING):
                sleep(0.02)
            building.append(perf_counter() - begin)
            for _ in manager.builds.follow(ACTOR, build.id):
                pass

        bare_seconds = medians(RUNS, bare=bare, ours=ours)["bare"]
        took = statistics.median(building[1:])
        detail = f"{took:.2f} s over {bare_seconds:.2f} s; the check after it not counted"
        results = [Result("build over `docker build`, after 0.5 s", (took - 0.5) / bare_seconds, 1.03, detail=detail)]

        (folder / "Dockerfile").write_text(f"{usable}RUN seq 1 {LINES}\n")
        (folder / "data.bin").unlink()
        building.clear()
        bare_seconds = medians(RUNS, bare=bare, ours=ours)["bare"]
        took = statistics.median(building[1:])
        build, _ = built(manager, project, BuildRequest(name="lines", no_cache=True))
        seen = [line.text for line in manager.builds.log(ACTOR, build.id) if line.text.isdigit()]
        wrong = sum(1 for number, text in enumerate(seen, 1) if text != str(number)) + abs(LINES - len(seen))
        results.append(Result("of 200,000 log lines lost or reordered", wrong, 0, "lines"))
        results.append(
            Result(
                "200,000 log lines over the bare engine",
                took / bare_seconds,
                1.10,
                detail=f"{took:.2f} s over {bare_seconds:.2f} s; the check not counted",
            )
        )
        return results
