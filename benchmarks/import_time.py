"""What importing the server extension adds to a server that is importing anyway (≤ 60 ms)."""

from __future__ import annotations

import statistics
import subprocess
import sys

from harness import Result

RUNS = 9
PROGRAM = """
import time
import jupyter_server.serverapp, jupyter_server.extension.application, jupyter_client.provisioning
begin = time.perf_counter()
import jupyter_image_manager.app, jupyter_image_manager.kernels.provisioner
print(time.perf_counter() - begin)
"""


def measure() -> list[Result]:
    """Import in fresh processes, after everything that a server imports without us."""
    seconds = [
        float(subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout)
        for _ in range(RUNS)
    ]
    return [Result("import of the server extension", statistics.median(seconds) * 1000, 60, "ms", f"{RUNS} processes")]
