"""The server extension: one service for the server, its routes, its events, and what it does by itself."""

from __future__ import annotations

import asyncio
import os
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Float

from .errors import ImageManagerError

if TYPE_CHECKING:
    from .manager import ImageManager
    from .store import Change
    from .watcher import Periodic

SETTING = "jupyter_image_manager"
PROVISIONER = "image-provisioner"
PROVISIONER_GROUP = "jupyter_client.kernel_provisioners"
STOP_SECONDS = 5.0
KERNELSPECS = "kernelspecs"
PROBLEM = "jupyter_image_manager_problem"
"""Settings key of the sentence that says why there is no service."""


class ImageManagerExtension(ExtensionApp):
    """Images for the projects of this server."""

    name = SETTING
    load_other_extensions = True

    change_interval = Float(0.5, help="Seconds between two looks for changes to tell the browsers.").tag(config=True)
    recover_interval = Float(5.0, help="Seconds between two looks for builds whose process died.").tag(config=True)
    registry_interval = Float(
        60.0,
        help="""Seconds between two looks for images of which it is time to ask their registry again
        (`RegistryStates.max_age`).""",
    ).tag(config=True)
    reap_interval = Float(
        60.0, help="Seconds between two removals of what dead kernels and unfinished builds left in the engine."
    ).tag(config=True)
    keep_interval = Float(
        60.0, help="Seconds between two looks whether all optimized copies are still protected in the engine."
    ).tag(config=True)
    evict_interval = Float(
        60.0, help="Seconds between two looks for cached copies that nobody needs now (`StorageService.cache_ttl`)."
    ).tag(config=True)
    meter_interval = Float(
        300.0, help="Seconds between two looks whether an hour began in which nobody has metered what images hold."
    ).tag(config=True)

    manager: ImageManager
    _works = False
    _active_builds = 0
    _active_pulls = 0
    _threads: tuple[Periodic, ...] = ()

    def _config_file_name_default(self) -> str:
        return "jupyter_image_manager_config"

    def _link_jupyter_server_extension(self, serverapp: Any) -> None:
        super()._link_jupyter_server_extension(serverapp)
        choose_provisioner(serverapp)

    def emit_help(self, classes: bool = False) -> Any:
        """Yield the help; only that of all settings needs the classes, and with them the engine and the store."""
        if classes:
            self.classes = self._all_classes()
        return super().emit_help(classes)

    def generate_config_file(self, classes: Any = None) -> str:
        """Return a configuration template of all our settings."""
        return str(super().generate_config_file(self._all_classes() if classes is None else classes))

    def _all_classes(self) -> list[type]:
        from .configurables import configurable_classes

        return [type(self), *configurable_classes()]

    def initialize_settings(self) -> None:
        """Make the service; cheap, since its parts are made on first use."""
        try:
            self._make_service()
        except Exception as error:  # whatever it is: the server and kernels without image work on as without us
            cause = str(error).rstrip(".") or type(error).__name__
            problem = f"Jupyter Image Manager does not work on this server: {cause}; correct it and restart the server."
            self.settings[PROBLEM] = problem
            self.settings.pop(SETTING, None)  # else it would be this application, which the base class puts there
            self.log.error(problem)
            self.log.debug("Where it failed:", exc_info=True)

    def _make_service(self) -> None:
        from .manager import ImageManager

        server: Any = self.serverapp
        given = {} if "root_dir" in self.config.ImageManager else {"root_dir": str(Path(server.root_dir).resolve())}
        manager = ImageManager(parent=self, log=self.log, **given)
        self._register_events(server)
        self._add_kernelspecs(server, manager)
        self._remember_images(server)
        self.manager = self.settings[SETTING] = manager
        self._works = True

    def initialize_handlers(self) -> None:
        """Add the routes."""
        from .handlers import routes

        self.handlers.extend(routes())

    def _register_events(self, server: Any) -> None:
        # Now, not at the first event: who subscribes hears only of the schemas that are known then.
        from .watcher import NOUNS, SCHEMAS

        for noun in NOUNS:
            server.event_logger.register_event_schema(SCHEMAS / noun / "v1.yaml")

    def _add_kernelspecs(self, server: Any, manager: ImageManager) -> None:
        """Let the server see the kernels of other languages that active images bring; its own come first."""
        folder = str(Path(manager.data_dir) / KERNELSPECS)
        specs = server.kernel_spec_manager
        if folder not in getattr(specs, "kernel_dirs", [folder]):
            specs.kernel_dirs = [*specs.kernel_dirs, folder]

    def _remember_images(self, server: Any) -> None:
        from .kernels.memory import install

        if hasattr(server.contents_manager, "register_pre_save_hook"):
            install(server)

    # What the server does by itself
    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        if not self._works:
            return
        from .watcher import Periodic, Watcher

        loop = asyncio.get_running_loop()

        def emit(events: list[tuple[str, dict[str, Any]]]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._emit, serverapp.event_logger, events)

        # Where nothing was ever kept, the very first change is news.
        watcher = Watcher(self.manager, emit, after=None if self._in_use() else 0)
        self._threads = (
            Periodic("telling changes", self.change_interval, lambda: self._watch(watcher), self.log),
            Periodic("recovering builds", self.recover_interval, self._recover, self.log),
            Periodic("cleaning up after kernels", self.reap_interval, self._reap, self.log),
            Periodic("recovering pulls", self.recover_interval, self._recover_pulls, self.log),
            Periodic("evicting cached copies", self.evict_interval, self._evict, self.log),
            Periodic("protecting optimized copies", self.keep_interval, self._keep, self.log),
            Periodic("metering what images hold", self.meter_interval, self._meter, self.log),
            Periodic("looking at registries", self.registry_interval, self._look_at_registries, self.log),
        )
        for thread in self._threads:
            thread.start()

    async def stop_extension(self) -> None:
        """End our threads and let go of the store and the engine; builds and kernels are no part of the server."""
        if not self._works:
            return
        threads, self._threads = self._threads, ()
        for thread in threads:
            thread.ask_to_stop()
        self.manager.registry_states.stop()
        if not await asyncio.get_running_loop().run_in_executor(None, _joined, threads):
            self.log.warning(
                "Jupyter Image Manager: the engine does not answer; its clean-up is left to the next start."
            )
            return
        try:
            self.manager.close()
        except ImageManagerError as error:
            self.log.warning("Jupyter Image Manager: %s", error.message)

    def current_activity(self) -> dict[str, int] | None:
        """Return the builds and pulls that run: an idle server is not shut down under the people who wait for them."""
        active = {"builds": self._active_builds, "pulls": self._active_pulls}
        return {name: count for name, count in active.items() if count} or None

    def _in_use(self) -> bool:
        """Whether anything was ever kept: a server whose users have no images opens no store and asks no engine."""
        return "url" in self.config.Store or (Path(self.manager.data_dir) / "store.sqlite").exists()

    def _watch(self, watcher: Any) -> None:
        if self._in_use():
            first = not watcher.began
            changes: list[Change] = watcher.look()
            if any(change.noun == "build" for change in changes):
                self._count_builds()
            if first or any(change.noun in ("project", "image") for change in changes):
                self._publish_kernelspecs()

    def _recover(self) -> None:
        if self._in_use():
            self.manager.builds.recover()
            self.manager.migrations.recover()
            self._count_builds()

    def _recover_pulls(self) -> None:
        if self._in_use():
            self.manager.pulls.recover()
            self._active_pulls = len(self.manager.pulls.list(self.manager.system_actor(), active=True))

    def _evict(self) -> None:
        if self._in_use():
            gone = self.manager.storage.evict()
            if gone:
                self.log.info("Jupyter Image Manager: removed the cached copies of %d images.", len(gone))

    def _count_builds(self) -> None:
        self._active_builds = len(self.manager.builds.list(self.manager.system_actor(), active=True))

    def _reap(self) -> None:
        if self._in_use():
            count = self.manager.kernels.reap()
            if count:
                self.log.info("Jupyter Image Manager: removed the containers of %d dead kernels.", count)
            self.manager.builds.tidy()
            self.manager.retirements.sweep()

    def _look_at_registries(self) -> None:
        if self._in_use():
            self.manager.registry_states.refresh()

    def _keep(self) -> None:
        if self._in_use():
            self.manager.storage.keep()

    def _meter(self) -> None:
        if self._in_use():
            self.manager.accounting.meter()

    def _publish_kernelspecs(self) -> None:
        from .kernels.specs import publish

        manager, images = self.manager, []
        for project in manager.store.projects():
            image = manager.store.image(project.active_image_id) if project.active_image_id else None
            if image is not None:
                images.append(image)
        publish(Path(manager.data_dir) / KERNELSPECS, images)

    def _emit(self, logger: Any, events: list[tuple[str, dict[str, Any]]]) -> None:
        for schema, data in events:
            try:
                logger.emit(schema_id=schema, data=data)
            except Exception as error:  # a listener of somebody else must not end ours
                self.log.warning("Jupyter Image Manager: the event %s could not be told: %s", data["action"], error)


def choose_provisioner(serverapp: Any) -> None:
    """Put our provisioner before every kernel start, unless the user or operator chose another.

    A default without an entry point behind it would make every kernelspec vanish, so it is looked for first.
    """
    config = serverapp.config.KernelProvisionerFactory
    chosen = "default_provisioner_name" in config or os.environ.get("JUPYTER_DEFAULT_PROVISIONER_NAME")
    if not chosen and entry_points(group=PROVISIONER_GROUP, name=PROVISIONER):
        config.default_provisioner_name = PROVISIONER


def _joined(threads: tuple[Periodic, ...]) -> bool:
    from time import monotonic

    end = monotonic() + STOP_SECONDS
    ended = [thread.join(max(0.0, end - monotonic())) for thread in threads]  # each, also after one that hangs
    return all(ended)
