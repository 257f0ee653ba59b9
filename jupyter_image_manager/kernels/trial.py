"""A real kernel in an image that is still being judged, started the way users' kernels are (R32)."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..engine.port import ContainerState
from ..errors import ImageManagerError, KernelStartError
from ..models import Image, RunSettings
from . import launcher
from .identity import IMAGE_UID
from .runtime import ImageFacts
from .sockets import Connection

if TYPE_CHECKING:
    from jupyter_client.connect import KernelConnectionInfo

    from .handle import KernelHandle
    from .service import KernelService


class Trial:
    """A running kernel on trial.

    Attributes
    ----------
    client : jupyter_client.BlockingKernelClient
        With open channels; the kernel has answered.
    folder : pathlib.Path
        The project folder that the kernel sees, given to the user as whom kernels run.
    """

    def __init__(
        self, service: KernelService, image: Image, engine_image: str, report: ImageFacts, folder: Path
    ) -> None:
        self._service = service
        self._image = image
        self._engine_image = engine_image
        self._report = report
        self._kernel_id = str(uuid.uuid4())
        self._connection: Connection | None = None
        self._handle: KernelHandle | None = None
        self.folder = folder
        self.client: Any = None

    def start(self) -> None:
        """Start the kernel and wait for its first answer.

        Raises
        ------
        KernelStartError
            It does not start or does not answer.
        """
        service = self._service
        if self._connection is None:
            self._connection = service.connection(None, key=uuid.uuid4().hex)
        info = service.engine_info()
        launch = service.plan(
            info,
            image=self._engine_image,
            report=self._report,
            folder=self.folder,
            kernel_id=self._kernel_id,
            cwd=str(self.folder),
            notebook="",
            settings=RunSettings(network="none"),
            arguments=(),
            argv=(),
            env={},
            labels=(self._image.project_id, self._image.id),
            role="check",
        )
        self._handle = launcher.start(
            service.manager.engine, info, launch, self._connection, timeout=service.start_timeout, log=service.log
        )
        self._connection.opened()
        self._connect()

    def _connect(self) -> None:
        from jupyter_client.blocking.client import BlockingKernelClient

        assert self._connection is not None and self._handle is not None  # noqa: S101 - start() made both
        self._disconnect()
        client = BlockingKernelClient()
        client.load_connection_info(cast("KernelConnectionInfo", self._connection.client_info()))
        client.start_channels()
        self.client = client
        end = time.monotonic() + self._service.start_timeout
        while True:
            try:
                client.wait_for_ready(timeout=max(1.0, end - time.monotonic()))
            except RuntimeError as error:
                code = self._handle.exit_code
                if code is None and time.monotonic() < end:
                    continue  # one late heartbeat, as on a busy machine, counts as death there; the container lives
                said = f"it ended with exit code {code}" if code is not None else "it did not answer in time"
                raise KernelStartError(f"A kernel in the image opened its channels, then {said}.") from error
            return

    def _disconnect(self) -> None:
        if self.client is not None:
            self.client.stop_channels()
            self.client.context.destroy(linger=0)
            self.client = None

    def interrupt(self) -> None:
        """Interrupt the cell that runs."""
        assert self._handle is not None  # noqa: S101 - a trial is started before it is handed out
        self._handle.signal(signal.SIGINT)

    def restart(self) -> None:
        """End the kernel and start a new one with the same channels."""
        self._disconnect()
        self._end(keep_folder=True)
        self.start()

    def state(self) -> ContainerState | None:
        """Return the container as it is now."""
        return self._handle.state() if self._handle is not None else None

    def _end(self, *, keep_folder: bool) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            handle.remove(keep_folder=keep_folder)

    def stop(self) -> None:
        """End the kernel as a user's shutdown does, and remove every trace.

        Raises
        ------
        KernelStartError
            It had to be killed.
        """
        handle, stubborn = self._handle, False
        if handle is not None and self.client is not None:
            handle.shutdown_asked()
            self.client.shutdown()
            stubborn = handle.wait(10) is None
        self.close()
        if stubborn:
            raise KernelStartError("The kernel did not stop when it was asked to; it had to be killed.")

    def close(self) -> None:
        """Remove every trace, whatever state it is in."""
        try:
            self._disconnect()
        finally:
            try:
                self._end(keep_folder=True)
            except ImageManagerError as error:
                self._service.log.warning("A kernel on trial is left for the reaper: %s", error)
            if self._connection is not None:
                self._connection.close()
                self._connection = None


@contextmanager
def open_trial(service: KernelService, image: Image, engine_image: str, report: ImageFacts) -> Iterator[Trial]:
    """Start a kernel in a folder of its own; whatever happens, nothing of it stays."""
    folder = Path(tempfile.mkdtemp(prefix="jim-check-")).resolve()
    trial = Trial(service, image, engine_image, report, folder)
    try:
        if os.getuid() == 0 and not service.engine_info().rootless:
            os.chown(folder, IMAGE_UID, IMAGE_UID)
        trial.start()
        yield trial
        trial.stop()
    finally:
        trial.close()
        shutil.rmtree(folder, ignore_errors=True)
