"""The private folder of a kernel and the channels through which clients reach it.

A Unix socket's path is limited to 107 bytes, so the folder is kept short: below ``$XDG_RUNTIME_DIR`` where
there is one, else below ``/tmp`` in a folder that belongs to this user alone.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import KernelStartError
from ..processes import ProcessIdentity
from .relay import Relay

CHANNELS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
PATH_LIMIT = 107
LIFE = "life"
"""Name of the life line's socket in a kernel's folder."""


def base_folder(configured: str = "") -> Path:
    """Return the folder below which kernels get theirs; made private to this user.

    Raises
    ------
    KernelStartError
        When it belongs to somebody else, or cannot be made.
    """
    if configured:
        path = Path(configured)
    else:
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        if runtime and Path(runtime).is_dir() and os.access(runtime, os.W_OK):
            path = Path(runtime) / "jim"
        else:
            temporary = tempfile.gettempdir()
            path = Path(temporary if len(temporary) < 40 else "/tmp") / f"jim-{os.getuid()}"  # noqa: S108 - checked below
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise KernelStartError(
            f"The folder {path} for the sockets of kernels cannot be made ({error.strerror}); "
            "set KernelService.run_dir to a short path that you may write."
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise KernelStartError(
            f"The folder {path} for the sockets of kernels belongs to somebody else; "
            "set KernelService.run_dir to a short path of your own."
        )
    # Other users of the kernels' containers must pass through, but may not look around.
    path.chmod(0o711 if os.getuid() == 0 else 0o700)
    return path


def ipc_possible(folder: Path) -> str:
    """Return why kernels' channels cannot be Unix sockets in this folder; empty when they can."""
    probe = folder / "k-1"
    if len(os.fsencode(probe)) > PATH_LIMIT:
        return f"the path {probe} is longer than the {PATH_LIMIT} bytes a Unix socket may have"
    if not hasattr(socket, "AF_UNIX"):
        return "this system has no Unix sockets"
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            listener.bind(str(probe))
        except OSError as error:
            return f"the file system of {folder} holds no sockets ({error.strerror})"
    probe.unlink(missing_ok=True)
    return ""


@dataclass
class Connection:
    """How clients reach a kernel; what Jupyter calls connection info, and the folder behind it."""

    folder: Path
    transport: str  # ipc | tcp
    key: str
    signature_scheme: str = "hmac-sha256"
    ip: str = ""
    ports: dict[str, int] = field(default_factory=lambda: {name: n for n, name in enumerate(CHANNELS, 1)})
    curve_public: str = ""
    curve_secret: str = ""
    stable: dict[str, int] | None = None
    """TCP ports of this machine at which clients look for the kernel already, whatever the kernel's own are."""
    _relay: Relay | None = field(default=None, repr=False)
    _life: socket.socket | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.ip:
            self.ip = str(self.folder / "k") if self.transport == "ipc" else "127.0.0.1"

    @property
    def socket_paths(self) -> dict[str, Path]:
        """Where the sockets lie, by channel; for ``ipc`` only."""
        return {name: Path(f"{self.ip}-{port}") for name, port in self.ports.items()}

    def info(self) -> dict[str, Any]:
        """Return Jupyter's connection info, as clients on this machine use it."""
        info: dict[str, Any] = {
            "transport": self.transport,
            "ip": self.ip,
            **self.ports,
            "key": self.key.encode(),
            "signature_scheme": self.signature_scheme,
        }
        if self.curve_public:
            info.update(curve_publickey=self.curve_public, curve_secretkey=self.curve_secret)
        return info

    def hold(self, owner: tuple[int, int] | None) -> None:
        """Hold the kernel's life line: a socket that it connects to, and that closes when this process dies.

        Nobody accepts: a connection waits in the queue until the listener is gone, however this process ends.
        """
        if self.transport != "ipc" or self._life is not None:
            return
        path = self.folder / LIFE
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        path.chmod(0o600)
        if owner is not None:
            os.chown(path, *owner)
        listener.listen(8)
        self._life = listener

    def client_info(self) -> dict[str, Any]:
        """Return the connection info to hand out: through the relay where clients know other ports already."""
        if self.stable is None:
            return self.info()
        return {**self.info(), "transport": "tcp", "ip": "127.0.0.1", **self.stable}

    def opened(self) -> None:
        """Note that the kernel's channels are open; from now on a restart must not move them."""
        if self.transport == "tcp" and self.stable is None:
            # The engine chooses ports anew for each container: after a restart the relay keeps the first ones.
            self.stable = dict(self.ports)
            return
        if self.stable is not None and self.stable != self.ports:
            self.relay()

    def relay(self) -> None:
        """Serve the stable ports, towards where the kernel listens now."""
        self.stop_relay()
        targets: dict[int, str | int] = {}
        for name, port in (self.stable or {}).items():
            targets[port] = str(self.socket_paths[name]) if self.transport == "ipc" else self.ports[name]
        self._relay = Relay(targets, first=(self.stable or {}).get("iopub_port"))
        self._relay.start()

    def stop_relay(self) -> None:
        """Give the stable ports free."""
        if self._relay is not None:
            self._relay.stop()
            self._relay = None

    def close(self) -> None:
        """Leave nothing behind."""
        self.stop_relay()
        if self._life is not None:
            self._life.close()
            self._life = None
        remove_folder(self.folder)

    def inside(self, notebook: str) -> dict[str, Any]:
        """Return the connection file's content for the kernel inside the container."""
        info = {**self.info(), "key": self.key, "jupyter_session": notebook}
        if self.transport == "tcp":
            info["ip"] = "0.0.0.0"  # noqa: S104 - of the container; published on this machine's 127.0.0.1 only
            info.update({name: TCP_BASE + n for n, name in enumerate(CHANNELS)})
        return info


TCP_BASE = 50001
"""First of the five ports inside the container, with transport ``tcp``."""


def make_folder(base: Path) -> Path:
    """Make the private folder of one kernel, and note beside it whose it is, for the reaper."""
    folder = base / secrets.token_hex(6)
    folder.with_suffix(".owner").write_text(str(ProcessIdentity.current()))
    folder.mkdir(mode=0o700)
    return folder


def write_private(path: Path, content: Any, owner: tuple[int, int] | None) -> None:
    """Write JSON that only its owner may read; `owner` is set where this process may."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
    if owner is not None:
        os.chown(path, *owner)


def remove_folder(folder: Path) -> None:
    """Remove a kernel's folder with all that is in it; whatever refuses stays for the reaper."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_suffix(".owner").unlink(missing_ok=True)
