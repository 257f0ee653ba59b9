"""A build through us over the bare engine's build of the same context (≤ 1.03 plus 0.5 s), and 200,000 log lines."""

from __future__ import annotations

import subprocess
from pathlib import Path

from harness import ACTOR, Result, built, medians, workplace
from jupyter_image_manager.models import BuildRequest
from machine.bases import base_image
from machine.cli import docker_cli

LINES = 200_000
RUNS = 3


def measure() -> list[Result]:
    """Build the same folder by the engine's own command and through us, in turn, without cache."""
    with workplace(ImageManager={}) as (manager, project):
        folder = Path(project.path)
        (folder / "data.bin").write_bytes(bytes(64 << 20))
        (folder / "Dockerfile").write_text(
            f"FROM {base_image('3.11')}\nCOPY data.bin /data.bin\nRUN python3 -c 'import time; time.sleep(8)'\n"
        )

        def bare() -> None:
            subprocess.run(docker_cli("build", "--no-cache", "-q", str(folder)), check=True, capture_output=True)

        def ours() -> None:
            build = manager.builds.submit(ACTOR, project.id, BuildRequest(name="timed", no_cache=True))
            for _ in manager.builds.follow(ACTOR, build.id):
                pass

        def checked() -> float:
            _, image = built(manager, project, BuildRequest(name="checked", no_cache=True))
            return sum(item.seconds for item in image.report.items) if image.report else 0.0

        check = checked()
        took = medians(RUNS, bare=bare, ours=ours)
        building = took["ours"] - check
        detail = f"{building:.2f} s over {took['bare']:.2f} s; the check after it ({check:.1f} s) not counted"
        results = [
            Result("build over `docker build`, after 0.5 s", (building - 0.5) / took["bare"], 1.03, detail=detail)
        ]

        (folder / "Dockerfile").write_text(f"FROM {base_image('3.11')}\nRUN seq 1 {LINES}\n")
        (folder / "data.bin").unlink()
        took = medians(1, bare=bare, ours=ours)
        build, _ = built(manager, project, BuildRequest(name="lines", no_cache=True))
        seen = [line.text for line in manager.builds.log(ACTOR, build.id) if line.text.isdigit()]
        wrong = sum(1 for number, text in enumerate(seen, 1) if text != str(number)) + abs(LINES - len(seen))
        results.append(Result("of 200,000 log lines lost or reordered", wrong, 0, "lines"))
        results.append(
            Result(
                "200,000 log lines over the bare engine",
                (took["ours"] - check) / took["bare"],
                1.10,
                detail="check not counted",
            )
        )
        return results
