"""The processes of builds, as their parent sees them: started detached, and let go of."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from ..models import Build, utcnow
from ..processes import ProcessIdentity

if TYPE_CHECKING:
    from ..manager import ImageManager

_CHILDREN: list[subprocess.Popen[bytes]] = []


def start(manager: ImageManager, build: Build, secrets: dict[str, bytes], options: dict[str, Any]) -> Build:
    """Start a build's process; what it must not show goes through a pipe."""
    payload = {
        "config": manager.configuration(),
        "build": build.id,
        "secrets": {name: base64.b64encode(value).decode() for name, value in secrets.items()},
        "options": options,
    }
    trace = manager.builds.log_path_of(build.id).with_suffix(".trace")
    trace.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with trace.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_image_manager.builds.worker", build.id],
            stdin=subprocess.PIPE,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
            cwd="/",
        )
    started = manager.store.set_build(build.id, worker=str(ProcessIdentity.of(process.pid)), heartbeat=utcnow())
    try:
        if process.stdin is not None:
            process.stdin.write(json.dumps(payload).encode())
            process.stdin.close()
    except BrokenPipeError:
        manager.log.warning(f"The build's process ended at once; see {trace}.")
    _CHILDREN.append(process)
    reap()
    return started


def reap() -> None:
    """Let go of workers that have ended, so that they do not stay as zombies of a long-lived server."""
    _CHILDREN[:] = [child for child in _CHILDREN if child.poll() is None]
