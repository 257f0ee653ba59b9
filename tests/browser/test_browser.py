"""Drive JupyterLab in a real browser: each file of ``labextension/ui-tests/tests`` with a server of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .lab import running

UI_TESTS = Path(__file__).parents[2] / "labextension" / "ui-tests"
SPECS = sorted(path.name for path in (UI_TESTS / "tests").glob("*.spec.ts"))


def install() -> list[str]:
    """Install what the browser tests run on, once; return their command."""
    jlpm = shutil.which("jlpm")
    assert jlpm, "jlpm is not on PATH: install jupyterlab."
    environment = {**os.environ, "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"}
    if not (UI_TESTS / "node_modules" / "@playwright" / "test").is_dir():
        subprocess.run([jlpm, "install", "--immutable"], cwd=UI_TESTS, env=environment, check=True)
    return [jlpm, "playwright", "test"]


@pytest.fixture(scope="session")
def playwright() -> list[str]:
    return install()


@pytest.mark.engine
@pytest.mark.browser
@pytest.mark.parametrize("spec", SPECS)
def test_in_a_browser(playwright: list[str], spec: str, tmp_path: Path) -> None:
    with running() as lab:
        done = subprocess.run(
            [*playwright, f"--output={tmp_path}", spec],
            cwd=UI_TESTS,
            env={**os.environ, **lab.environment()},
            capture_output=True,
            text=True,
            check=False,
        )
        server = lab.log.read_text()[-4000:]
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\nThe server said:\n{server}"


def test_there_are_browser_tests() -> None:
    assert SPECS
