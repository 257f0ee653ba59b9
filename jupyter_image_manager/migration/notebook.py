"""A notebook run as a test, in an image that is not active yet, as its project's kernels are run."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any, cast

from ..errors import ImageManagerError, KernelStartError
from ..kernels.target import KernelTarget
from ..models import Image, Project

if TYPE_CHECKING:
    from jupyter_client.connect import KernelConnectionInfo

    from ..kernels.handle import KernelHandle
    from ..manager import ImageManager

LOOK = 0.5
"""Seconds between two looks whether the kernel lives and whether the test is to end."""
MAY_FAIL = "raises-exception"
SKIP = "skip-execution"


class NotebookFailed(ImageManagerError):
    """A notebook that is run as a test does not run through."""

    code = "notebook_failed"


class Stopped(Exception):
    """The test was asked to end."""


def run(
    manager: ImageManager,
    project: Project,
    image: Image,
    path: Path,
    *,
    cell_timeout: float,
    stop: Callable[[], bool],
) -> int:
    """Run each code cell of a notebook in an image; return how many. The notebook's file stays as it is.

    Cells tagged ``raises-exception`` may fail, those tagged ``skip-execution`` are left out.

    Raises
    ------
    NotebookFailed
        Names the cell and its error.
    ImageManagerError
        The kernel does not start.
    Stopped
        `stop` said so.
    """
    notebook = _read(path)
    about = notebook.get("metadata", {})
    spec = about.get("kernelspec", {})
    kernels = manager.kernels
    connection = kernels.connection(None, key=uuid.uuid4().hex)
    try:
        handle = kernels.launch(
            kernels.actor(),
            KernelTarget(project, image, str(path.parent), str(path)),
            kernel_id=str(uuid.uuid4()),
            kernel_name=str(spec.get("name", "python3")),
            language=str(spec.get("language") or about.get("language_info", {}).get("name") or "python"),
            argv=["python"],
            env={},
            cwd=str(path.parent),
            notebook=str(path),
            connection=connection,
        )
        try:
            return _Session(handle, connection.client_info(), path.name, cell_timeout, stop).run(notebook)
        finally:
            handle.shutdown_asked()
            handle.remove(keep_folder=True)
    finally:
        connection.close()


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        cells = found["cells"]
        if not all(isinstance(cell, dict) for cell in cells):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError):
        raise NotebookFailed(
            f"{path} cannot be read as a notebook of the present format; save it in JupyterLab, or name another."
        ) from None
    return cast("dict[str, Any]", found)


class _Session:
    def __init__(
        self, handle: KernelHandle, info: dict[str, Any], name: str, cell_timeout: float, stop: Callable[[], bool]
    ) -> None:
        from jupyter_client.blocking.client import BlockingKernelClient

        self._handle, self._name, self._timeout, self._stop = handle, name, cell_timeout, stop
        self._client = BlockingKernelClient()
        self._client.load_connection_info(cast("KernelConnectionInfo", info))

    def run(self, notebook: dict[str, Any]) -> int:
        self._client.start_channels()
        try:
            try:
                self._client.wait_for_ready(timeout=60)
            except RuntimeError as error:
                raise KernelStartError(
                    f"The kernel for {self._name} opened its channels and did not answer."
                ) from error
            count = 0
            for cell in notebook["cells"]:
                source = "".join(cell.get("source", ""))
                tags = cell.get("metadata", {}).get("tags", [])
                if cell.get("cell_type") == "code" and source.strip() and SKIP not in tags:
                    count += 1
                    self._cell(count, source, may_fail=MAY_FAIL in tags)
            return count
        finally:
            self._client.stop_channels()
            self._client.context.destroy(linger=0)

    def _cell(self, number: int, source: str, *, may_fail: bool) -> None:
        asked = self._client.execute(source, allow_stdin=False, stop_on_error=not may_fail)
        end = time.monotonic() + self._timeout
        failed: dict[str, Any] | None = None
        while True:
            if self._stop():
                raise Stopped
            try:
                message = self._client.get_iopub_msg(timeout=LOOK)
            except Empty:
                self._alive(number, end)
                continue
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "error":
                failed = content
            elif kind == "status" and content["execution_state"] == "idle":
                break
        if failed is not None and not may_fail:
            said = f"{failed.get('ename', 'Error')}: {failed.get('evalue', '')}".strip(": ")
            raise NotebookFailed(f"Cell {number} of {self._name} failed: {said[:500].rstrip('.')}.")

    def _alive(self, number: int, end: float) -> None:
        if self._handle.ended.is_set():
            why = self._handle.death.message if self._handle.death else f"exit code {self._handle.exit_code}"
            raise NotebookFailed(f"The kernel died in cell {number} of {self._name}: {why.rstrip('.')}.")
        if time.monotonic() > end:
            raise NotebookFailed(
                f"Cell {number} of {self._name} did not end within {self._timeout:.0f} s; "
                "raise MigrationService.cell_timeout, or choose a shorter notebook."
            )
