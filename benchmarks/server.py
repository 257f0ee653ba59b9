"""A real Jupyter server in a process of its own, whose event loop tells how long it was ever held."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WATCH = """
import asyncio, pathlib, sys, time
from jupyter_server.serverapp import ServerApp

class Watched(ServerApp):
    \"\"\"A server that measures, from inside its loop, the longest time nothing else could run.\"\"\"

    def start_ioloop(self):
        async def watch():
            path, longest = pathlib.Path(hold), 0.0
            while True:
                begin = time.perf_counter()
                await asyncio.sleep(0.001)
                held = time.perf_counter() - begin - 0.001
                if not path.exists():  # a reset
                    longest = 0.0
                    path.write_text("0")
                elif held > longest:
                    longest = held
                    path.write_text(str(longest))
        self.io_loop.add_callback(watch)
        super().start_ioloop()

hold = sys.argv[-1]
app = Watched.instance()
app.initialize(sys.argv[1:-1])
app.start()
"""


@dataclass
class Server:
    """A running server."""

    url: str
    token: str
    hold: Path

    def reset_longest_hold(self) -> None:
        """Forget what was measured so far."""
        self.hold.unlink(missing_ok=True)
        while not self.hold.exists():
            time.sleep(0.01)

    def longest_hold(self) -> float:
        """Return the longest time the event loop was held since the reset, in seconds."""
        return float(self.hold.read_text() or 0)


@contextmanager
def running_server(
    root: Path, data: Path, *options: str, environment: dict[str, str] | None = None
) -> Iterator[Server]:
    """Start a server on the given root and data folder; stop it in the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token, hold = secrets.token_hex(16), data.parent / "hold"
    command = [
        *(sys.executable, "-c", WATCH, f"--ServerApp.root_dir={root}", f"--ServerApp.port={port}"),
        *("--ServerApp.ip=127.0.0.1", "--no-browser", "--allow-root", f"--IdentityProvider.token={token}"),
        *(f"--ImageManager.data_dir={data}", *options, str(hold)),
    ]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"CI": ""} | (environment or {}),
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(url + "api", timeout=1).close()
                break
            except (urllib.error.URLError, ConnectionError):
                if process.poll() is not None:
                    raise RuntimeError(f"the server ended with {process.returncode}") from None
                time.sleep(0.1)
        yield Server(url, token, hold)
    finally:
        process.terminate()
        process.wait(30)
