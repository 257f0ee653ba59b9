"""A Docker engine of the tests' own, which may be killed: own network, own data on a small disk, own socket."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import docker
import docker.errors

from .disk import Disk, as_root

WAIT = 60


class OwnEngine:
    """A dockerd in a network name space of its own.

    In the machine's, a second one would take the first one's bridge away. A container's processes see a bridge and
    no way out, which is all that these tests need.
    """

    def __init__(self, place: Path, megabytes: int) -> None:
        self.disk = Disk(place / "disk", megabytes)
        self.socket = place / "s"
        self.address = f"unix://{self.socket}"
        self.log = place / "dockerd.log"
        self._place = place
        self._pid = place / "dockerd.pid"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, also after a kill, and wait until it answers."""
        prefix = [] if os.getuid() == 0 else ["sudo", "-n"]
        # A killed one leaves its pid file, and perhaps for a moment its containerd, which is then taken over.
        as_root("rm", "-f", str(self._pid), str(self._place / "x/containerd/containerd.pid"))
        command = [*prefix, "unshare", "--net", "dockerd", "--host", self.address, "--pidfile", str(self._pid)]
        command += ["--data-root", str(self.disk.path / "d"), "--exec-root", str(self._place / "x")]
        # Where the machine has a containerd of its own, dockerd uses that one: apart from other engines' things.
        name = self._place.name
        command += ["--containerd-namespace", name, "--containerd-plugins-namespace", f"{name}-plugins"]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        deadline = time.monotonic() + WAIT
        while not self._answers():
            said = self.log.read_text(errors="replace")[-2000:]
            assert self._process.poll() is None, f"dockerd ended at once (these tests need root):\n{said}"
            assert time.monotonic() < deadline, f"dockerd does not answer:\n{said}"
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except (docker.errors.DockerException, OSError):
            return False

    def client(self) -> docker.APIClient:
        """Return a client; use it in a `with`."""
        return docker.APIClient(base_url=self.address, version="1.41", timeout=WAIT)

    def kill(self) -> None:
        """End it as a power cut would; its containers may go on for a while."""
        if self._process is not None and self._process.poll() is None:
            as_root("kill", "-9", self._pid.read_text())
            self._process.wait(WAIT)

    def load(self, image: str) -> None:
        """Take over an image of the machine's engine."""
        with docker.APIClient(version="auto", timeout=WAIT) as other, self.client() as client:
            client.load_image(other.get_image(image))

    def remove(self) -> None:
        """Stop it and take its disk away."""
        if self._process is not None and self._process.poll() is None:
            as_root("kill", self._pid.read_text())
            self._process.wait(WAIT)
        self.disk.remove()
