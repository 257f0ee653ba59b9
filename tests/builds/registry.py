"""A registry of the tests' own on loopback, which engines trust without TLS."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker

PROGRAM = Path(__file__).parents[2] / "machine" / "registry"


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run a registry that keeps its blobs in a folder; give its address."""
    program = subprocess.run([PROGRAM], check=True, capture_output=True, text=True).stdout.strip()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(folder / "blobs")}},
        "http": {"addr": address},
    }
    (folder / "registry.yml").write_text(json.dumps(config))  # JSON is YAML
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen([program, "serve", folder / "registry.yml"], stdout=log, stderr=log)
    try:
        end = time.monotonic() + 30
        while not _answers(address):
            assert process.poll() is None and time.monotonic() < end, (folder / "registry.log").read_text()
            time.sleep(0.05)
        yield address
    finally:
        process.kill()
        process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/v2/", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def push(client: docker.APIClient, image: str, reference: str) -> str:
    """Push an image of the engine under a reference; return the digest that the registry gave it."""
    repository, _, tag = reference.rpartition(":")
    client.tag(image, repository, tag)
    try:
        said = list(client.push(repository, tag, stream=True, decode=True))
    finally:
        client.remove_image(reference)
    (digest,) = (line["aux"]["Digest"] for line in said if "Digest" in line.get("aux", {}))
    return str(digest)
