"""What stands between Jupyter and every kernel it starts: silent, unless the kernel belongs in an image (R40).

Importing this module, and starting a kernel without image, loads neither the store nor the engine.
"""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from ..errors import EngineUnavailable, ImageManagerError
from .active import concerns
from .target import places

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_client.connect import KernelConnectionInfo

    from ..manager import ImageManager
    from ..models import Actor
    from .handle import KernelHandle
    from .sockets import Connection
    from .target import KernelTarget

T = TypeVar("T")
SETTING = "jupyter_image_manager"
"""Under which name the server extension keeps the service in the web application's settings."""
PULL_LOOK = 0.1
"""Seconds between two looks at the pull that a kernel waits for."""
SAY_PROGRESS = 10.0
"""Seconds between two lines in the log about it."""


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="image kernel")


async def _blocking(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Run a blocking call beside the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_pool(), lambda: function(*args, **kwargs))


class ImageProvisioner(LocalProvisioner):
    """Starts kernels of projects with an active image in that image, and every other kernel as ever."""

    handle: KernelHandle | None = None
    target: KernelTarget | None = None
    """Where the kernel runs; None when it is a local one."""
    _connection: Connection | None = None
    _manager: ImageManager | None = None
    _own = False
    _launch_words: dict[str, Any] | None = None
    _ended: int | None = None

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel, local or in a container."""
        return self.handle is not None or super().has_process

    def manager(self) -> ImageManager:
        """Return the server's service, or one made from the configuration at hand."""
        if self._manager is None:
            above: Any = self
            while above is not None:
                settings = getattr(getattr(above, "web_app", None), "settings", None)
                if settings and SETTING in settings:
                    found: ImageManager = settings[SETTING]
                    self._manager = found
                    return found
                above = getattr(above, "parent", None)
            from ..manager import ImageManager

            self._manager = ImageManager(config=self.config)
            self._own = True
        return self._manager

    def _data_path(self) -> Path:
        """Where the data folder is, without making the service."""
        if self._manager is not None:
            return Path(self._manager.data_dir)
        said = self.config.ImageManager.get("data_dir") if "ImageManager" in self.config else None
        if isinstance(said, str) and said:
            return Path(said).expanduser()
        above: Any = self.parent
        while above is not None:
            settings = getattr(getattr(above, "web_app", None), "settings", None)
            if settings and SETTING in settings:
                return Path(settings[SETTING].data_dir)
            above = getattr(above, "parent", None)
        from jupyter_core.paths import jupyter_data_dir

        return Path(jupyter_data_dir()) / "image_manager"

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Decide where the kernel belongs; called before each start, so that a restart follows a new activation."""
        env = kwargs.get("env") or {}
        cwd, notebook = str(kwargs.get("cwd") or Path.cwd()), env.get("JPY_SESSION_NAME", "")
        self.target = None
        if concerns(self._data_path(), places(cwd, notebook)):
            manager = self.manager()
            try:
                self.target = await _blocking(manager.kernels.target, cwd, notebook)
            except BaseException:
                self._leave()
                raise
        if self.target is None:
            if self._connection is not None:
                self._connection.stop_relay()  # the local kernel listens at these ports itself
            local: dict[str, Any] = await super().pre_launch(**kwargs)
            return local
        words = dict(kwargs)
        self._launch_words = {
            "cwd": cwd,
            "notebook": notebook,
            "env": dict(getattr(self.kernel_spec, "env", None) or {}),
            "extra": list(words.pop("extra_arguments", [])),
        }
        words.pop("transport_encryption", None)
        return {**words, "cmd": list(self.kernel_spec.argv)}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the kernel; return how clients reach it."""
        if self.target is None:
            self._ended = None  # of the container before it: this kernel would pass for dead
            return await super().launch_kernel(cmd, **kwargs)
        manager, words = self.manager(), self._launch_words or {}
        km = self.parent
        name = getattr(km, "kernel_name", "") or ""
        if self._connection is None:
            self._connection = await _blocking(
                manager.kernels.connection, self.target, key=km.session.key.decode() if km else "", km=_ports(km)
            )
        actor = manager.kernels.actor()
        self._ended = None
        first = self.connection_info == {}
        try:
            await self._pulled(actor)
            self.handle = await _blocking(
                manager.kernels.launch,
                actor,
                self.target,
                kernel_id=self.kernel_id or "",
                kernel_name=name,
                argv=[*cmd, *words.get("extra", [])],
                env=words.get("env", {}),
                cwd=words.get("cwd", ""),
                notebook=words.get("notebook", ""),
                connection=self._connection,
                language=getattr(self.kernel_spec, "language", "python"),
                ready=True,
            )
        except BaseException:
            if first:
                connection, self._connection = self._connection, None
                await _blocking(connection.close)
                self._leave()
            raise
        self.cwd = words.get("cwd")
        self.connection_info = cast("KernelConnectionInfo", self.handle.connection.client_info())
        return self.connection_info

    async def _pulled(self, actor: Actor) -> None:
        """Wait until the engine holds the image; meanwhile no thread is held that other kernels need (R12)."""
        if self.target is None:
            return
        from .readiness import begin

        waiting = await _blocking(begin, self.manager(), actor, self.target.image)
        if waiting is None:
            return
        said = 0.0
        try:
            while not (await _blocking(waiting.look)).done:
                if monotonic() - said > SAY_PROGRESS:
                    said = monotonic()
                    self.log.info("Kernel %s waits: %s.", self.kernel_id, waiting.progress)
                await asyncio.sleep(PULL_LOOK)
        finally:
            await _blocking(waiting.close)

    async def poll(self) -> int | None:
        """Return None while the kernel runs, else its exit code; costs nothing."""
        if self.handle is not None:
            return self.handle.exit_code
        if self._ended is not None:
            return self._ended
        local: int | None = await super().poll()
        return local

    async def wait(self) -> int | None:
        """Wait for the kernel's end and take its container away."""
        if self.handle is None:
            local: int | None = await super().wait()
            return local
        handle = self.handle
        while handle.exit_code is None:  # noqa: ASYNC110 - it is set in a thread, and no thread may be held for it
            await asyncio.sleep(0.02)
        self._ended = handle.exit_code
        await self._remove(handle)
        self.handle = None
        return self._ended

    def _leave(self) -> None:
        """Let go of a service that serves this kernel alone: outside of servers."""
        if self._own and self._manager is not None:
            self._manager.close()
            self._manager, self._own = None, False

    async def _remove(self, handle: KernelHandle) -> None:
        try:
            await _blocking(handle.remove, keep_folder=True)
        except EngineUnavailable as error:
            # The reaper takes it once the engine is back.
            self.log.warning("The container of kernel %s stays for now: %s", self.kernel_id, error)

    async def send_signal(self, signum: int) -> None:
        """Signal the kernel and its child processes."""
        if self.handle is None:
            await super().send_signal(signum)
        elif signum == 0:
            return
        else:
            await _blocking(self.handle.signal, signum)

    async def kill(self, restart: bool = False) -> None:
        """End the kernel at once."""
        if self.handle is None:
            await super().kill(restart=restart)
            return
        try:
            await self.send_signal(signal.SIGKILL)
        except ImageManagerError as error:
            self.log.warning("Kernel %s could not be killed: %s", self.kernel_id, error)

    async def terminate(self, restart: bool = False) -> None:
        """Ask the kernel to end."""
        if self.handle is None:
            await super().terminate(restart=restart)
            return
        try:
            await self.send_signal(signal.SIGTERM)
        except ImageManagerError as error:
            self.log.warning("Kernel %s could not be asked to end: %s", self.kernel_id, error)

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Note that the end that comes now is wanted."""
        if self.handle is not None:
            self.handle.shutdown_asked()
        await super().shutdown_requested(restart=restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove what is left; the sockets' place stays for a restart, so that clients find the kernel again."""
        handle, self.handle = self.handle, None
        if handle is not None:
            self._ended = handle.exit_code if handle.exit_code is not None else 0
            await self._remove(handle)
        if not restart and self._connection is not None:
            connection, self._connection = self._connection, None
            await _blocking(connection.close)
        if not restart:
            self._leave()
        await super().cleanup(restart=restart)

    def get_shutdown_wait_time(self, recommended: float = 5.0) -> float:
        """Give a container a little longer than a process."""
        return recommended + 2.0 if self.handle is not None else recommended

    async def get_provisioner_info(self) -> dict[str, Any]:
        """Return what another process needs to find the kernel."""
        info: dict[str, Any] = await super().get_provisioner_info()
        if self.handle is not None:
            info["container"] = self.handle.container
        return info


def _ports(km: Any) -> dict[str, int] | None:
    """Return the TCP ports at which clients already look for this kernel: it ran as a local one before."""
    if km is None or km.transport != "tcp":
        return None
    names = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
    ports = {name: int(getattr(km, name)) for name in names}
    return ports if all(ports.values()) else None
