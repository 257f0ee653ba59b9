"""Kernels in images: where they belong, start, list, explain, clean up."""

from __future__ import annotations

import getpass
import json
import os
import uuid
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Bool, Enum, Float, Instance, Int, List, Unicode
from traitlets.config import LoggingConfigurable

from ..engine.port import LABEL, ContainerState, EngineInfo
from ..errors import KernelStartError, StoreError
from ..models import Actor, Image, KernelDeath, Report, RunningKernel, RunSettings
from ..processes import ProcessIdentity
from ..room import own_disk
from . import container, identity, launcher, prepare, readiness, reaper, runtime
from .connection import choose
from .environment import allowed, of_kernelspec, resolve_secrets
from .events import KernelEvents
from .handle import KernelHandle
from .memory import read_memory
from .sockets import Connection, base_folder, make_folder
from .target import KernelTarget, mount_points, places, working_dir
from .words import kernel_words

if TYPE_CHECKING:
    from .terminal import Streams
    from .trial import Trial


class KernelService(LoggingConfigurable):
    """Launches kernels in containers and keeps account of them by the containers' labels."""

    manager = Instance("jupyter_image_manager.manager.ImageManager")

    transport = Enum(
        ("auto", "ipc", "tcp"),
        default_value="auto",
        help="""How clients reach kernels: Unix sockets (`ipc`), or encrypted TCP on 127.0.0.1 (`tcp`). `auto` takes
        sockets wherever the file system has them.""",
    ).tag(config=True)
    allow_plain_tcp = Bool(
        False,
        help="""With transport `tcp`: allow channels without encryption on 127.0.0.1 for kernels that cannot encrypt.
        Other users of this machine could then read and forge a kernel's traffic only if they learn its key, but read
        it they can.""",
    ).tag(config=True)
    run_dir = Unicode(
        "",
        help="""Short path of the folder for kernels' sockets. Default: below $XDG_RUNTIME_DIR, else below /tmp. The
        engine must see the same folder.""",
    ).tag(config=True)
    environment_allow = List(
        Unicode(),
        default_value=["TERM", "COLORTERM", "NO_COLOR"],
        help="""Variables of the server's environment that kernels get (patterns allowed). Names that look like tokens,
        cookies, passwords or belong to Jupyter are never passed.""",
    ).tag(config=True)
    default_memory = Int(None, allow_none=True, help="Memory limit of a kernel in bytes; None: no limit.").tag(
        config=True
    )
    default_cpus = Float(None, allow_none=True, help="CPUs of a kernel; None: no limit.").tag(config=True)
    default_processes = Int(4096, help="Processes and threads that a kernel may have.").tag(config=True)
    default_shm_size = Int(
        None, allow_none=True, help="Shared memory of a kernel in bytes; None: the engine's 64 MiB."
    ).tag(config=True)
    max_memory = Int(None, allow_none=True, help="The most memory that run settings may ask for, in bytes.").tag(
        config=True
    )
    max_cpus = Float(None, allow_none=True, help="The most CPUs that run settings may ask for.").tag(config=True)
    allowed_networks = List(
        Unicode(), default_value=["bridge", "none"], help="Networks that run settings may name."
    ).tag(config=True)
    allowed_mounts = List(Unicode(), help="Folders of this machine below which run settings may mount something.").tag(
        config=True
    )
    allow_read_only = Bool(
        False, help="Start kernels even where their user cannot write the project folder; it is mounted read-only."
    ).tag(config=True)
    start_timeout = Float(120.0, help="Seconds within which a kernel must open its channels.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._events = KernelEvents(self.manager, self.log)

    # Where a kernel belongs
    def target(self, cwd: str, notebook: str | None = None) -> KernelTarget | None:
        """Return the nearest project with its active image, or None when the kernel belongs to the server.

        Raises
        ------
        ImageUnusable
            The active image cannot run kernels; there is no fallback (R48).
        """
        actor = self.manager.system_actor()
        project = None
        for place in places(cwd, notebook):
            project = self.manager.projects.enclosing(actor, str(place))
            if project is not None:
                break
        if project is None or project.active_image_id is None:
            return None
        image = self.manager.images.image(actor, project.active_image_id)
        return KernelTarget(project, image, cwd, notebook or "")

    def actor(self) -> Actor:
        """Return whoever this process runs as: kernels are started in that name."""
        try:
            name = getpass.getuser()
        except (KeyError, OSError):
            name = "system"
        return Actor(name=name, display_name=name, via="kernel")

    # Start
    @own_disk()
    def connection(self, target: KernelTarget | None, *, key: str, km: dict[str, int] | None = None) -> Connection:
        """Return channels for a kernel to be; `km` are TCP ports at which clients look for it already."""
        return choose(
            base_folder(self.run_dir), self.transport, key or uuid.uuid4().hex, stable=km, plain=self.allow_plain_tcp
        )

    @own_disk()
    def launch(
        self,
        actor: Actor,
        target: KernelTarget,
        *,
        kernel_id: str,
        kernel_name: str,
        argv: list[str],
        env: dict[str, str],
        cwd: str,
        notebook: str,
        connection: Connection,
        language: str = "python",
        ready: bool = False,
    ) -> KernelHandle:
        """Start a kernel in its project's image; return once its channels are open.

        Parameters
        ----------
        ready : bool
            :func:`.readiness.begin` was asked before, and what it gave was waited for.

        Raises
        ------
        ImageManagerError
            Whatever is in the way, in one sentence; nothing is left running.
        """
        if not ready:
            readiness.brought(self.manager, actor, target.image)
        info = self.engine_info()
        project = target.project
        settings = project.run_settings
        report = _report(target.image)
        arguments, foreign = kernel_words(kernel_name, language, argv, report, target.image.spec)
        launch = self.plan(
            info,
            image=readiness.held(self.manager, actor, target.image),
            report=report,
            folder=Path(project.path),
            kernel_id=kernel_id or str(uuid.uuid4()),
            cwd=cwd,
            notebook=notebook,
            settings=settings,
            arguments=arguments,
            argv=foreign,
            env=env,
            labels=(project.id, target.image.id),
            role="kernel",
        )
        for note in launch.resources.notes if launch.resources else ():
            self.log.warning("Kernel %s: %s", kernel_id, note)
        handle = launcher.start(
            self.manager.engine,
            info,
            launch,
            connection,
            timeout=self.start_timeout,
            on_death=lambda death: self._events.died(death, project.id, notebook),
            on_removed=lambda: self._events.removed(launch.kernel_id, project.id, notebook),
            log=self.log,
        )
        connection.opened()
        self._events.started(launch.kernel_id, project.id, notebook)
        return handle

    def trial(self, image: Image, *, engine_image: str, report: runtime.ImageFacts) -> AbstractContextManager[Trial]:
        """Start a kernel of an image that is not ready yet, as users' kernels are started, in a folder of its own."""
        from .trial import open_trial

        return open_trial(self, image, engine_image, report)

    def engine_info(self) -> EngineInfo:
        """Return what is known of the engine; refuse one on another machine."""
        info: EngineInfo = self.manager.engine.info()
        if info.remote:
            raise KernelStartError(
                f"The engine at {info.address} is on another machine, where the project folder cannot be mounted; "
                "use an engine of this machine."
            )
        return info

    def limits(self) -> container.Limits:
        """Return the administrator's defaults and bounds."""
        return container.Limits(
            memory=self.default_memory,
            cpus=self.default_cpus,
            processes=self.default_processes,
            shm_size=self.default_shm_size,
            networks=tuple(self.allowed_networks),
            mounts=tuple(self.allowed_mounts),
            max_memory=self.max_memory,
            max_cpus=self.max_cpus,
        )

    def plan(
        self,
        info: EngineInfo,
        *,
        image: str,
        report: runtime.ImageFacts,
        folder: Path,
        kernel_id: str,
        cwd: str,
        notebook: str,
        settings: RunSettings,
        arguments: tuple[str, ...],
        argv: tuple[str, ...],
        env: dict[str, str],
        labels: tuple[str, str],
        role: str,
    ) -> launcher.Launch:
        """Gather everything that decides a kernel's container."""
        who = identity.of_folder(folder, info)
        writable = identity.require_access(folder, who, allow_read_only=self.allow_read_only)
        found = container.resources(settings, self.limits(), info)
        secrets = resolve_secrets(settings.secrets)
        data = self.manager.data_path
        brought, cache = None, None
        if not argv:
            brought, cache = prepare.prepare(
                self.manager.engine, data, image, report, self.manager.store.installation_id(), self.log
            )
        accounts, home = ("", ""), None
        if who.inside_uid not in (0, identity.IMAGE_UID):
            accounts = launcher.image_accounts(self.manager.engine, image, data / "accounts")
            (data / "homes").mkdir(exist_ok=True, mode=0o700)
            home = make_folder(data / "homes")
            (home / "home").mkdir(mode=0o700)
            if who.owner is not None:
                os.chown(home / "home", *who.owner)
        return launcher.Launch(
            kernel_id=kernel_id,
            image=image,
            report=report,
            project=folder,
            mounts=mount_points(folder, cwd),
            writable=writable,
            cwd=working_dir(folder, cwd, notebook),
            notebook=notebook,
            who=who,
            arguments=arguments,
            argv=argv,
            environment={**allowed(os.environ, self.environment_allow), **of_kernelspec(env), **settings.environment},
            secrets=secrets,
            runtime=brought,
            pycache=cache,
            accounts=accounts,
            home=home,
            labels={
                **container.kernel_labels(
                    self.manager.store.installation_id(), *labels, kernel_id, str(ProcessIdentity.current())
                ),
                f"{LABEL}.role": role,
                f"{LABEL}.notebook": notebook,
            },
            resources=found,
            role=role,
        )

    def prepare_image(self, image: str, report: runtime.ImageFacts) -> None:
        """Fetch and compile what kernels of an image will need from outside, so that the first one starts fast."""
        prepare.prepare(
            self.manager.engine,
            self.manager.data_path,
            image,
            report,
            self.manager.store.installation_id(),
            self.log,
        )

    # Look
    def list(self, actor: Actor, project_id: str | None = None) -> list[RunningKernel]:
        """Return the kernels of this installation that run now, newest first."""
        labels = {f"{LABEL}.installation": self.manager.store.installation_id(), f"{LABEL}.role": "kernel"}
        if project_id is not None:
            labels[f"{LABEL}.project"] = project_id
        found = [self._running(state) for state in self.manager.engine.list_containers(labels) if state.running]
        return sorted(found, key=lambda kernel: kernel.started, reverse=True)

    def _running(self, state: ContainerState) -> RunningKernel:
        project_id, image_id = state.labels.get(f"{LABEL}.project", ""), state.labels.get(f"{LABEL}.image", "")
        image = self.manager.store.image(image_id)
        project = self.manager.store.project(project_id)
        return RunningKernel(
            kernel_id=state.labels.get(f"{LABEL}.kernel", ""),
            project_id=project_id,
            image_id=image_id,
            image=image.spec if image else image_id,
            container=state.id,
            started=_moment(state.started),
            notebook=state.labels.get(f"{LABEL}.notebook", ""),
            stale=project is None or project.active_image_id != image_id,
            state=state.status,
        )

    def explain(self, kernel_id: str) -> KernelDeath | None:
        """Return why a kernel of this process died; None when it did not, or its end was asked for."""
        return self._events.explain(kernel_id)

    # Clean up
    def reap(self) -> int:
        """Remove the containers and folders of dead processes of this installation; return how many."""
        try:
            installation = self.manager.store.installation_id()
        except StoreError as error:
            self.log.warning("Nothing is cleaned up: %s", error)
            return 0
        count = reaper.reap(self.manager.engine, installation, self.log, self._events.reaped)
        for base in (base_folder(self.run_dir), self.manager.data_path / "homes"):
            reaper.sweep_folders(base, self.log)
        return count

    # Commands and memory
    def run_command(
        self, actor: Actor, project_id: str, image_id: str, command: tuple[str, ...], *, cwd: str, streams: Streams
    ) -> int:
        """Run a command in an image with the project mounted; return its exit code (`jupyter image run`)."""
        from .run import run

        project = self.manager.projects.get(actor, project_id)
        image = self.manager.images.get(actor, image_id).image
        readiness.brought(self.manager, actor, image)
        launch = self.plan(
            self.engine_info(),
            image=readiness.held(self.manager, actor, image),
            report=_report(image),
            folder=Path(project.path),
            kernel_id=str(uuid.uuid4()),
            cwd=cwd,
            notebook="",
            settings=project.run_settings,
            arguments=(),
            argv=command,
            env={},
            labels=(project.id, image.id),
            role="run",
        )
        return run(self.manager, launch, streams)

    def remembered(self, actor: Actor, notebook: str) -> dict[str, Any] | None:
        """Return what a notebook's file says of the image it last ran in (R49); None when nothing."""
        try:
            content = json.loads(Path(notebook).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return read_memory(content)


def _report(image: Image) -> Report:
    if image.report is None:
        raise KernelStartError(f"The image {image.spec} was never checked; run `jupyter image check {image.spec}`.")
    return image.report


def _moment(text: str) -> datetime:
    """Read the engine's time, which has nanoseconds."""
    head, _, tail = text.rstrip("Z").partition(".")
    try:
        return datetime.fromisoformat(f"{head}.{tail[:6]:0<6}" if tail else head).replace(tzinfo=timezone.utc)
    except ValueError:
        return datetime.fromtimestamp(0, timezone.utc)
