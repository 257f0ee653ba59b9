"""The process that cleans up after a command line which was killed: ``python -m jupyter_image_manager.kernels.guard``.

A command in an image lives no longer than the ``jupyter image run`` that started it. Whoever is killed cannot clean up,
and the next one who would may come tomorrow; so a process of its own holds the other end of a pipe. Nothing heavy is
imported before it is needed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..manager import ImageManager

DONE = "done"
PATIENCE = 10.0
"""Seconds for a process that has closed its pipe to be really gone."""


@contextmanager
def guarded(manager: ImageManager) -> Iterator[None]:
    """While this lasts, the end of this process is the end of its containers, however it comes."""
    from ..processes import ProcessIdentity

    words = {"owner": str(ProcessIdentity.current()), "config": manager.configuration()}
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # ctrl-C is not for it
        cwd="/",
        text=True,
    )
    try:
        _tell(process, json.dumps(words))
        yield
    finally:
        _tell(process, DONE)
        process.communicate()


def _tell(process: subprocess.Popen[str], line: str) -> None:
    if process.stdin is not None:
        try:
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
        except BrokenPipeError:
            return  # somebody killed the guard; the reaper of the next command or server is still there


def main() -> None:
    """Wait for the end of whoever writes into standard input; clean up if no word comes that it did so itself."""
    first, then = sys.stdin.readline(), sys.stdin.readline()
    if not first or then.strip() == DONE:
        return
    from traitlets.config import Config

    from ..manager import ImageManager
    from ..processes import ProcessIdentity

    words = json.loads(first)
    owner = ProcessIdentity.parse(words["owner"])
    end = time.monotonic() + PATIENCE
    while owner is not None and owner.alive() and time.monotonic() < end:
        time.sleep(0.05)
    manager = ImageManager(config=Config(words["config"]))
    try:
        manager.kernels.reap()
    finally:
        manager.close()


if __name__ == "__main__":
    main()
