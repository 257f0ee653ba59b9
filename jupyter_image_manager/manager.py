"""The one service. Adapters (HTTP handlers, CLI, magics, provisioner) call it and nothing below it."""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import jupyter_data_dir
from traitlets import TraitError, Unicode, default, validate
from traitlets.config import LoggingConfigurable

from .errors import InvalidRequest, StoreError
from .models import Actor

if TYPE_CHECKING:
    from .accounting.service import Accounting
    from .builds.service import BuildService
    from .communities import CommunityService
    from .doctor import Doctor
    from .engine.port import Engine
    from .images import ImageService
    from .kernels.service import KernelService
    from .migration.service import MigrationService
    from .policy import ImagePolicy
    from .portable.service import PortableService
    from .projects import ProjectService
    from .pulls.service import PullService
    from .registry.states import RegistryStates
    from .retirement.service import RetirementService
    from .storage.service import StorageService
    from .store import Change, Store

ENGINE_GROUP = "jupyter_image_manager.engines"


class ImageManager(LoggingConfigurable):
    """Projects, their images, builds and kernels.

    Each noun has a service of its own: :attr:`projects`, :attr:`images`, :attr:`builds`, :attr:`kernels`,
    :attr:`communities`, :attr:`doctor`. They are made on first use, so that a kernel start outside every project
    costs nothing.
    Every call blocks, takes an :class:`~jupyter_image_manager.models.Actor` first, may come from any thread,
    and raises only :class:`~jupyter_image_manager.errors.ImageManagerError`.
    """

    data_dir = Unicode(
        help="""Folder of the store, logs, stored contexts and kernel runtimes. Default: `image_manager` in
        Jupyter's data folder. The server, the command line and build workers must agree on it."""
    ).tag(config=True)

    root_dir = Unicode(
        help="""Folder below which projects may lie; itself the default project. The server sets it to its own
        root; elsewhere the default is the whole file system."""
    ).tag(config=True)

    engine_name = Unicode("docker", help="Entry point of the engine implementation to use.").tag(config=True)

    @default("data_dir")
    def _default_data_dir(self) -> str:
        return str(Path(jupyter_data_dir()) / "image_manager")

    @default("root_dir")
    def _default_root_dir(self) -> str:
        return "/"

    @validate("data_dir", "root_dir")
    def _absolute(self, proposal: Any) -> str:
        path = Path(proposal["value"]).expanduser()
        if not path.is_absolute():
            raise TraitError(f"{proposal['trait'].name} must be an absolute path, not {proposal['value']!r}.")
        return str(path)

    @property
    def data_path(self) -> Path:
        """The data folder; made, private to this user, on first use.

        Raises
        ------
        StoreError
            It cannot be made or entered.
        """
        path = Path(self.data_dir)
        try:
            if not path.is_dir():
                path.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.joinpath("store.sqlite").exists()
        except OSError as error:
            raise StoreError(
                f"The data folder {path} cannot be used ({error.strerror}); set ImageManager.data_dir to a folder of "
                "yours, or act as the user to whom it belongs."
            ) from error
        return path

    @cached_property
    def store(self) -> Store:
        """Projects, images, recipes and builds, kept."""
        from .store import Store

        return Store(parent=self, directory=self.data_path)

    @cached_property
    def engine(self) -> Engine:
        """The engine, not yet connected."""
        found = entry_points(group=ENGINE_GROUP, name=self.engine_name)
        if not found:
            raise InvalidRequest(
                f"There is no engine implementation named {self.engine_name!r}; "
                "set ImageManager.engine_name to 'docker' or install the package that provides it."
            )
        engine: Engine = next(iter(found)).load()(parent=self)
        return engine

    @cached_property
    def policy(self) -> ImagePolicy:
        """What the administrator allows."""
        from .policy import ImagePolicy

        return ImagePolicy(parent=self)

    @cached_property
    def projects(self) -> ProjectService:
        """Folders and their settings."""
        from .projects import ProjectService

        return ProjectService(parent=self, manager=self)

    @cached_property
    def images(self) -> ImageService:
        """Images: look up, activate, delete, compare."""
        from .images import ImageService

        return ImageService(parent=self, manager=self)

    @cached_property
    def builds(self) -> BuildService:
        """Builds: submit, follow, cancel, retry."""
        from .builds.service import BuildService

        return BuildService(parent=self, manager=self)

    @cached_property
    def communities(self) -> CommunityService:
        """Communities: their registry, service agent, and where images of a project are kept."""
        from .communities import CommunityService

        return CommunityService(parent=self, manager=self)

    @cached_property
    def pulls(self) -> PullService:
        """Pulls: begin or join, wait, cancel."""
        from .pulls.service import PullService

        return PullService(parent=self, manager=self)

    @cached_property
    def registry_states(self) -> RegistryStates:
        """What registries say of the images that are kept in them."""
        from .registry.states import RegistryStates

        return RegistryStates(parent=self, manager=self)

    @cached_property
    def kernels(self) -> KernelService:
        """Kernels in images: launch, find, reap."""
        from .kernels.service import KernelService

        return KernelService(parent=self, manager=self)

    @cached_property
    def retirements(self) -> RetirementService:
        """The rules after which old images stop working."""
        from .retirement.service import RetirementService

        return RetirementService(parent=self, manager=self)

    @cached_property
    def storage(self) -> StorageService:
        """Optimized copies and originals: make, hold, remove, and clean up."""
        from .storage.service import StorageService

        return StorageService(parent=self, manager=self)

    @cached_property
    def accounting(self) -> Accounting:
        """What images hold, for how long, at what price."""
        from .accounting.service import Accounting

        return Accounting(parent=self, manager=self)

    @cached_property
    def migrations(self) -> MigrationService:
        """Images rebuilt from their recipes, many at once."""
        from .migration.service import MigrationService

        return MigrationService(parent=self, manager=self)

    @cached_property
    def portable(self) -> PortableService:
        """Archives with recipes, and the lock files of projects."""
        from .portable.service import PortableService

        return PortableService(parent=self, manager=self)

    @cached_property
    def doctor(self) -> Doctor:
        """What a user could stumble over, each with a cure."""
        from .doctor import Doctor

        return Doctor(parent=self, manager=self)

    def configuration(self) -> dict[str, Any]:
        """Return the configuration of our classes, as JSON, with what was set on this manager itself: for processes."""
        import json

        from .configurables import resolved

        config = resolved(self.config)
        for name in ("data_dir", "root_dir", "engine_name"):
            config.setdefault("ImageManager", {})[name] = getattr(self, name)
        return json.loads(json.dumps(config, default=str))  # type: ignore[no-any-return]  # what was a dict still is

    def last_change(self, actor: Actor) -> int:
        """Return the sequence number of the newest change; later ones come from :meth:`changes`."""
        from . import access

        access.check(actor, "project.view", None)
        return self.store.last_change()

    def changes(self, actor: Actor, after: int, limit: int = 500) -> list[Change]:
        """Return the changes of projects, images, builds and kernels after a sequence number, in order."""
        from . import access

        access.check(actor, "project.view", None)
        return self.store.changes(after, limit)

    def system_actor(self) -> Actor:
        """Return the actor of work that nobody asked for: the reaper, recovery."""
        return Actor(name="system", display_name="Jupyter Image Manager", via="system")

    def close(self) -> None:
        """Let go of the store and the engine, where they were used."""
        for name in ("store", "engine"):
            if name in self.__dict__:
                self.__dict__[name].close()
