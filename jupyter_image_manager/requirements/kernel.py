"""Really start a kernel in the image, as the kernels of users are started, and use it as they do (R32)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any

from ..errors import EngineUnavailable, ImageManagerError, NoSpaceLeft, StoreError
from ..models import CheckItem, Image
from .advice import as_root, kernel_cure
from .facts import Facts

NO_FAULT_OF_IT = (EngineUnavailable, NoSpaceLeft, StoreError)
"""What goes wrong with a kernel on trial and says nothing about its image."""

if TYPE_CHECKING:
    from ..manager import ImageManager

TITLES = {
    "kernel_start": "A kernel starts",
    "execute": "It answers a cell",
    "interrupt": "A loop is interrupted",
    "interrupt_sleep": "A sleep is interrupted",
    "write_file": "It writes a file whose owner is right",
    "restart": "It restarts",
    "stop": "It stops",
}
FILE = "written by the kernel.txt"


class _Failed(Exception):
    """A step of the trial went wrong; the message says how."""


def try_kernel(
    manager: ImageManager, image: Image, engine_image: str, facts: Facts, *, timeout: float
) -> list[CheckItem]:
    """Start a kernel in the image, use it, stop it; each step is an item with its own result.

    Raises
    ------
    EngineUnavailable, NoSpaceLeft, StoreError
        The engine went away or a disk is full; that says nothing about the image.
    """
    timeout = timeout / 4  # the start has a limit of its own; these are answers of a kernel that runs
    trial = _Trial(timeout)
    try:
        with manager.kernels.trial(image, engine_image=engine_image, report=facts) as kernel:
            trial.passed("kernel_start")
            trial.step("execute", lambda: _execute(kernel.client, timeout))
            trial.step("interrupt", lambda: _interrupt(kernel, "while True: pass", timeout))
            trial.step("interrupt_sleep", lambda: _interrupt(kernel, "import time; time.sleep(600)", timeout))
            trial.step("write_file", lambda: _write(kernel, timeout))
            trial.step("restart", lambda: _restart(kernel, timeout))
            trial.begin()
        trial.passed("stop")
    except NO_FAULT_OF_IT:
        raise
    except ImageManagerError as error:
        # A library of the system that is missing is not brought by pip.
        cure = () if "shared object file" in error.message else as_root(kernel_cure(facts), facts)
        trial.failed("kernel_start" if not trial.items else "stop", error.message, cure)
    return trial.items


class _Trial:
    """Items in the order of their steps, with the seconds that each took."""

    def __init__(self, timeout: float) -> None:
        self.items: list[CheckItem] = []
        self.timeout = timeout
        self.silent = False
        self.begin()

    def begin(self) -> None:
        """Take the time from here."""
        self.started = time.monotonic()

    def step(self, name: str, action: Callable[[], str]) -> None:
        """Run one step, unless an earlier one found that the kernel does not answer any more."""
        self.begin()
        if self.silent:
            self.failed(name, "Cannot be tried, since the kernel did not answer before.", ())
            return
        try:
            message = action()
        except (_Failed, ImageManagerError) as error:
            if isinstance(error, NO_FAULT_OF_IT):
                raise
            self.failed(name, str(error), ())
        except (TimeoutError, Empty):
            self.silent = True
            self.failed(name, f"There was no answer within {self.timeout:g} s.", ())
        else:
            self.passed(name, message)

    def passed(self, name: str, message: str = "") -> None:
        """Add an item that is well."""
        self.items.append(CheckItem(name, TITLES[name], True, message=message, seconds=self._seconds()))

    def failed(self, name: str, message: str, cure: tuple[str, ...]) -> None:
        """Add an item that is not."""
        self.items.append(CheckItem(name, TITLES[name], False, message=message, cure=cure, seconds=self._seconds()))

    def _seconds(self) -> float:
        return round(time.monotonic() - self.started, 3)


def _run(client: Any, code: str, timeout: float) -> tuple[dict[str, Any], str]:
    """Run a cell; return the reply and what it printed."""
    printed: list[str] = []

    def output(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            printed.append(message["content"]["text"])

    reply = client.execute_interactive(
        code, timeout=timeout, output_hook=output, allow_stdin=False, store_history=False
    )
    return reply["content"], "".join(printed)


def _execute(client: Any, timeout: float) -> str:
    reply, printed = _run(client, "print(6 * 7)", timeout)
    if reply["status"] != "ok" or printed.strip() != "42":
        raise _Failed(f"6 * 7 came to {printed.strip() or reply.get('evalue') or reply['status']!r} instead of 42.")
    return ""


def _interrupt(kernel: Any, code: str, timeout: float) -> str:
    client = kernel.client
    # A cell that fails makes the kernel abort whatever comes soon after it, which here is the next item's cell.
    request = client.execute(
        f"print('running', flush=True)\n{code}", store_history=False, allow_stdin=False, stop_on_error=False
    )
    deadline = time.monotonic() + timeout
    # The interrupt must hit the running cell, not the kernel before it: wait for the cell's own output.
    while True:
        message = client.get_iopub_msg(timeout=max(0.0, deadline - time.monotonic()))
        if message["parent_header"].get("msg_id") != request:
            continue
        if message["msg_type"] == "stream":
            kernel.interrupt()
            break
        if message["content"].get("execution_state") == "idle":
            break  # it ended by itself: the reply says how
    while True:
        reply = client.get_shell_msg(timeout=max(0.0, deadline - time.monotonic()))
        if reply["parent_header"].get("msg_id") == request:
            break
    content = reply["content"]
    if content["status"] != "error" or content.get("ename") != "KeyboardInterrupt":
        raise _Failed(
            f"The interrupt came to {content.get('ename') or content['status']!r} instead of KeyboardInterrupt."
        )
    return ""


def _write(kernel: Any, timeout: float) -> str:
    folder = Path(kernel.folder)
    reply, _ = _run(kernel.client, f"open({FILE!r}, 'w').write('by the kernel')", timeout)
    if reply["status"] != "ok":
        raise _Failed(f"Writing into the project folder failed: {reply.get('ename')}: {reply.get('evalue')}.")
    path = folder / FILE
    if not path.exists():
        raise _Failed("The file that the kernel wrote is not in the project folder.")
    owner, expected = path.stat().st_uid, folder.stat().st_uid
    if owner != expected:
        raise _Failed(f"The file belongs to uid {owner} instead of {expected}.")
    return f"uid {owner}"


def _restart(kernel: Any, timeout: float) -> str:
    _run(kernel.client, "kept = True", timeout)
    kernel.restart()
    reply, _ = _run(kernel.client, "kept", timeout)
    if reply.get("ename") != "NameError":
        raise _Failed("The restarted kernel is not a fresh one.")
    return _execute(kernel.client, timeout)
