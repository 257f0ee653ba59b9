"""A running server under schemathesis: whatever is sent, it answers as rest-api.yml says, and never with 500."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import jupyter_image_manager

pytestmark = pytest.mark.engine

TOKEN = "a" * 32
SPEC = yaml.safe_load((Path(jupyter_image_manager.__file__).parent / "rest-api.yml").read_text())
schema = schemathesis.openapi.from_dict(SPEC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a real server; return the address of our routes."""
    with serving(tmp_path_factory.mktemp("fuzz"), []) as address:
        yield f"{address}image-manager/v1"


@contextmanager
def serving(root: Path, options: list[str]) -> Iterator[str]:
    """Run a real server on `root / "work"` in a process of its own; give its address."""
    (root / "work").mkdir(exist_ok=True)
    environment = {
        **os.environ,
        **{f"JUPYTER_{name}_DIR": str(root / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")},
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--ServerApp.port=0", "--allow-root"]
    command += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root / 'work'}"]
    command += ["--ServerApp.jpserver_extensions={'jupyter_image_manager': True, 'jupyter_server_terminals': False}"]
    command += options
    log = root / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, cwd=root)
    try:
        yield _address(process, root / "runtime", log)
    finally:
        process.terminate()
        process.wait(60)


def _address(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    for _ in range(300):
        for file in runtime.glob("jpserver-*.json"):
            try:
                url: str = json.loads(file.read_text())["url"]
                urllib.request.urlopen(f"{url}api", timeout=5).close()
            except (OSError, ValueError, KeyError):
                continue
            return url
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@schema.parametrize()
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_no_request_breaks_the_server(case: Any, server: str) -> None:
    case.call_and_validate(
        base_url=server,
        headers={"Authorization": f"token {TOKEN}"},
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
        timeout=60,
    )
