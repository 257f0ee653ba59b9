"""``make pictures``: take the pictures of the documentation from a real JupyterLab with a real engine."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from .lab import running
from .test_browser import UI_TESTS, install


def main() -> int:
    """Take all pictures; what they show is built, run and drawn now."""
    with running() as lab, tempfile.TemporaryDirectory() as output:
        environment = {**os.environ, **lab.environment(), "PICTURES": "1"}
        done = subprocess.run([*install(), f"--output={output}"], cwd=UI_TESTS, env=environment, check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
