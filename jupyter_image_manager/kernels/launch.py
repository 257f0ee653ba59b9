"""``python -m jupyter_image_manager.kernels.launch -f FILE``: a kernel in the image, for clients that know only argv.

nbclient, papermill, nbconvert, VS Code and ``jupyter console`` start a process, give it a connection file and send
it signals. This process stands in for the kernel: it relays the file's ports to the container, passes interrupts
on, ends when the kernel ends and says on stderr why.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ImageManagerError, ProjectNotFound

if TYPE_CHECKING:
    from types import FrameType

    from ..manager import ImageManager
    from .handle import KernelHandle


def main(argv: list[str] | None = None) -> int:
    """Run a kernel to its end; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m jupyter_image_manager.kernels.launch", description="Run a kernel in a project's image."
    )
    parser.add_argument("-f", "--connection-file", required=True, metavar="FILE", help="Jupyter's connection file")
    parser.add_argument("--project", metavar="DIR", help="default: the nearest project of the working directory")
    known, extra = parser.parse_known_args(argv)
    from ..cli.config import load_config
    from ..manager import ImageManager

    manager = ImageManager(config=load_config([]))
    try:
        return _run(manager, Path(known.connection_file), known.project, extra)
    except (ImageManagerError, OSError) as error:
        print(f"jupyter image: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, ImageManagerError) else 1
    finally:
        manager.close()


def _run(manager: ImageManager, file: Path, project: str | None, extra: list[str]) -> int:
    said: dict[str, Any] = json.loads(file.read_text())
    if said.get("transport", "tcp") != "tcp" or said.get("ip", "127.0.0.1") not in ("127.0.0.1", "localhost", "::1"):
        raise ImageManagerError(
            f"The connection file {file} asks for {said.get('transport')} at {said.get('ip')}; "
            "kernels in images serve TCP on 127.0.0.1 here."
        )
    cwd = os.environ.get("PWD", "") if _is_here(os.environ.get("PWD", "")) else str(Path.cwd())
    notebook = os.environ.get("JPY_SESSION_NAME", "")
    kernels = manager.kernels
    target = kernels.target(project, None) if project else kernels.target(cwd, notebook)
    if target is None:
        raise ProjectNotFound(
            f"No project with an active image encloses {project or cwd}; make the folder a project and activate an "
            "image with `jupyter image activate`, or choose another kernel."
        )
    stable = {name: int(said[name]) for name in said if name.endswith("_port")}
    connection = kernels.connection(target, key=said["key"], km=stable)
    connection.signature_scheme = said.get("signature_scheme", "hmac-sha256")
    held: list[KernelHandle] = []
    pending: list[int] = []
    _pass_signals(held, pending)
    try:
        handle = kernels.launch(
            kernels.actor(),
            target,
            kernel_id=_kernel_id(file),
            kernel_name="python3",
            argv=["python", *extra],
            env={},
            cwd=cwd,
            notebook=notebook,
            connection=connection,
        )
        handle.zero_is_wanted = True
        held.append(handle)
        try:
            if pending:
                return 128 + pending[0]
            while handle.wait(1.0) is None:
                if os.getppid() == 1 and _started_by != 1:
                    # Whoever wanted the kernel is dead; a kernel's own parent poller does the same.
                    return 1
            if handle.death is not None:
                print(f"jupyter image: {handle.death.message}", file=sys.stderr)
            return handle.exit_code or 0
        finally:
            handle.remove(keep_folder=True)
    finally:
        connection.close()


_started_by = os.getppid()


def _pass_signals(held: list[KernelHandle], pending: list[int]) -> None:
    """An interrupt goes to the kernel; a request to end ends it, also while it starts."""

    def interrupt(signum: int, frame: FrameType | None) -> None:
        if held:
            threading.Thread(target=held[0].signal, args=(signal.SIGINT,), daemon=True).start()

    def end(signum: int, frame: FrameType | None) -> None:
        if held:
            threading.Thread(target=held[0].signal, args=(signal.SIGTERM,), daemon=True).start()
        else:
            pending.append(signum)

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, end)


def _is_here(path: str) -> bool:
    """Tell whether the shell's idea of the working directory, which keeps symbolic links, is true."""
    try:
        return bool(path) and Path(path).samefile(Path.cwd())
    except OSError:
        return False


def _kernel_id(file: Path) -> str:
    return file.stem.removeprefix("kernel-")


if __name__ == "__main__":
    sys.exit(main())
