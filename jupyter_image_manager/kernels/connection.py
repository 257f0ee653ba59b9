"""Choose how clients reach a kernel: Unix sockets, or encrypted TCP where sockets cannot be."""

from __future__ import annotations

from pathlib import Path

import zmq

from ..errors import KernelStartError
from .sockets import Connection, ipc_possible, make_folder, remove_folder


def choose(base: Path, transport: str, key: str, *, stable: dict[str, int] | None, plain: bool) -> Connection:
    """Make a kernel's private folder and decide its channels.

    Parameters
    ----------
    base : Path
        Below which the folder is made.
    transport : str
        ``auto``, ``ipc`` or ``tcp``.
    key : str
        With which messages are signed.
    stable : dict or None
        TCP ports at which clients look for the kernel already.
    plain : bool
        Whether TCP may go without encryption.

    Raises
    ------
    KernelStartError
        Sockets were demanded and cannot be; or encryption cannot be.
    """
    folder = make_folder(base)
    try:
        reason = "" if transport == "tcp" else ipc_possible(folder)
        if transport != "tcp" and not reason:
            return Connection(folder, "ipc", key, stable=stable)
        if transport == "ipc":
            raise KernelStartError(
                f"The kernel's channels cannot be Unix sockets: {reason}; "
                "set KernelService.run_dir to another short path, or KernelService.transport to 'tcp'."
            )
        connection = Connection(folder, "tcp", key, stable=stable)
        if plain:
            return connection
        if not zmq.has("curve"):
            raise KernelStartError(
                "The kernel's channels must be TCP here, and this server's ZeroMQ cannot encrypt; install a pyzmq with "
                "CurveZMQ, or set KernelService.allow_plain_tcp."
            )
        public, secret = zmq.curve_keypair()
        connection.curve_public, connection.curve_secret = public.decode(), secret.decode()
        return connection
    except BaseException:
        remove_folder(folder)
        raise
