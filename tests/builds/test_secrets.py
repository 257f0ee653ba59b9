"""Secrets are nowhere: not in layers, history, database, logs, files or the process list."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from traitlets.config import Config

from .conftest import Builder

pytestmark = pytest.mark.engine
SECRET = b"Zk9-VeryPrivate-7q1"
PASSWORD = b"Pr0xyPassw0rd-x3"
DOCKERFILE = """FROM jim-test/python:3.11
RUN --mount=type=secret,id=token,mode=0444 cat /run/secrets/token; echo; base64 /run/secrets/token; \\
    python3 -c "import urllib.parse as u; print(u.quote(open('/run/secrets/token').read(), safe=''))"
RUN echo "proxy is $HTTPS_PROXY"; echo RUNNING; sleep 3
"""


@pytest.fixture(autouse=True)
def _settings(base_image, manager_config: Config) -> None:
    base_image("3.11")
    manager_config.BuildSettings.from_server_environment = False
    manager_config.BuildSettings.proxies = {"HTTPS_PROXY": f"http://user:{PASSWORD.decode()}@127.0.0.1:9"}


def processes(name: str) -> Iterator[bytes]:
    """Yield a file of each process outside of containers."""
    mine = Path("/proc/self/ns/pid").readlink()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.name != str(os.getpid()) and (folder / "ns/pid").readlink() == mine:
                yield (folder / name).read_bytes()
        except OSError:
            continue


def test_secrets_are_nowhere(builder: Builder) -> None:
    build = builder.submit(DOCKERFILE, secrets={"token": SECRET}, no_cache=True)
    builder.says(build, "RUNNING")
    for name in ("cmdline", "environ"):
        assert not [found for found in processes(name) if SECRET in found or base64.b64encode(SECRET) in found]
    assert not [found for found in processes("cmdline") if PASSWORD in found]
    build = builder.wait(build)
    text = builder.text(build)
    assert text.count("[secret]") >= 4, text
    forms = (SECRET, base64.b64encode(SECRET)[:20], PASSWORD)
    looked = 0
    for path in Path(builder.manager.data_dir).rglob("*"):
        if path.is_file():
            looked += 1
            content = path.read_bytes()
            assert not [form for form in forms if form in content], path
    assert looked > 3
    image = builder.image(build)
    assert image.engine_image
    assert builder.manager.images.recipe(builder.actor, image.id).secrets == ("token",)
    client = docker.APIClient()
    try:
        history = repr(client.history(image.engine_image)).encode()
        assert not [form for form in forms if form in history]
        tail = b""
        for block in client.get_image(image.engine_image):
            assert not [form for form in forms if form in tail + block]
            tail = block[-64:]
    finally:
        client.close()
