"""Projects with an active image, made in the engine once a session, and kernels started in them as clients do."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from jupyter_image_manager.engine.port import LABEL
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, Image, ImageState, Project, Recipe, SourceKind, Storage, utcnow
from jupyter_image_manager.requirements import Checker
from jupyter_image_manager.requirements.policy import judge
from machine import bases

from ..conftest import clean
from ..science import build, kept_base

ACTOR = Actor("tester")


class Laboratory:
    """One installation with its own data folder; what it makes in the engine is removed when it is closed."""

    def __init__(self, manager: ImageManager) -> None:
        self.manager = manager
        self._made: dict[str, str] = {}

    def engine_image(self, dockerfile: str) -> str:
        """Build once for each text; return the engine's id."""
        if dockerfile not in self._made:
            mine = {f"{LABEL}.installation": self.manager.store.installation_id()}
            tag = f"jim-test/kernels:{uuid.uuid4().hex[:12]}"
            self._made[dockerfile] = build(self.manager.engine, dockerfile, tag, mine)
        return self._made[dockerfile]

    def base(self, python: str, slow: str) -> str:
        """Return a base that took long to make; it stays in the engine for the next run of the tests."""
        return kept_base(self.manager.engine, python, slow)

    def dockerfile(self, python: str = "3.11", *, own: bool = False, slow: str = "", more: str = "") -> str:
        """An image as users have it: with ipykernel (`own`) or without."""
        slow += "RUN pip install -q --no-cache-dir ipykernel\n" if own else ""
        return (
            f"FROM {self.base(python, slow) if slow else bases.base_image(python)}\nUSER root\n"
            "RUN id -u jupyter || (userdel -r $(id -nu 1000); useradd -m -u 1000 -s /bin/bash jupyter)\n"
            f"{more}USER jupyter\n"
        )

    def project(self, folder: Path, dockerfile: str = "", *, uid: int | None = 1000, **run_settings: Any) -> Project:
        """Make the folder a project with an active image."""
        folder.mkdir(parents=True, exist_ok=True)
        if uid is not None and os.getuid() == 0:
            os.chown(folder, uid, uid)
        manager = self.manager
        project = manager.projects.create(ACTOR, str(folder))
        if run_settings:
            manager.projects.update(ACTOR, project.id, run_settings=run_settings)
        return self.activate(project, dockerfile or self.dockerfile())

    def activate(self, project: Project, dockerfile: str | None) -> Project:
        """Make an image of the Dockerfile the active one; None: none."""
        manager = self.manager
        if dockerfile is None:
            return manager.images.activate(ACTOR, project.id, None)
        held = self.engine_image(dockerfile)
        checker = Checker(parent=manager, manager=manager)
        facts = checker.look(held)
        report = checker.report(facts, judge(facts, checker.versions), held)
        assert report.ok, report
        recipe = Recipe(uuid.uuid4().hex, SourceKind.DOCKERFILE, dockerfile=dockerfile, digest=uuid.uuid4().hex)
        image = manager.store.add_image(
            Image(
                id=uuid.uuid4().hex,
                project_id=project.id,
                name="env",
                version=0,
                state=ImageState.BUILDING,
                storage=Storage.LOCAL,
                recipe_id=recipe.id,
                created=utcnow(),
                created_by="tester",
                architecture=report.architecture,
            ),
            recipe,
        )
        manager.store.set_image(
            image.id,
            state=ImageState.READY,
            engine_image=held,
            digest=held,
            report=report,
            python_version=report.python_version,
        )
        manager.kernels.prepare_image(held, report)  # as the check of a build does
        return manager.images.activate(ACTOR, project.id, image.id)

    def close(self) -> None:
        clean(self.manager.engine, self.manager.store.installation_id())
        self.manager.close()


class Kernel:
    """A kernel with a client, as a notebook has it."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client

    def run(self, code: str, timeout: float = 60, **options: Any) -> tuple[str, str]:
        """Run a cell; return its status, and all that it put out."""
        said: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                said.append(content["text"])
            elif message["msg_type"] in ("execute_result", "display_data"):
                said.append(content["data"].get("text/plain", ""))
            elif message["msg_type"] == "error":
                said.append(f"{content['ename']}: {content['evalue']}")

        options.setdefault("allow_stdin", False)
        reply = self.client.execute_interactive(code, timeout=timeout, output_hook=hear, **options)
        return reply["content"]["status"], "".join(said)

    def value(self, code: str) -> str:
        """Run a cell that must go well; return what it put out."""
        status, said = self.run(code)
        assert status == "ok", said
        return said.strip()

    @property
    def provisioner(self) -> Any:
        return self.manager.provisioner

    def restart(self, *, now: bool = False) -> None:
        self.manager.restart_kernel(now=now)
        self.client.wait_for_ready(timeout=60)

    def wait_for_text(self, request: str, text: str) -> None:
        """Wait until the running cell has printed something."""
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") == request and text in message["content"].get("text", ""):
                return

    def wait_for_idle(self, request: str) -> None:
        """Wait until a cell is over, which some kernels say well after their reply to it."""
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            ended = message["content"].get("execution_state") == "idle"
            if ended and message["parent_header"].get("msg_id") == request:
                return

    def reply_to(self, request: str) -> dict[str, Any]:
        while True:
            message: dict[str, Any] = self.client.get_shell_msg(timeout=60)
            if message["parent_header"].get("msg_id") == request:
                return message["content"]


@contextmanager
def kernel(cwd: Path, notebook: str = "", name: str = "python3") -> Iterator[Kernel]:
    """Start a kernel by its kernelspec, as a server does."""
    manager = KernelManager(kernel_name=name)
    env = {**os.environ, **({"JPY_SESSION_NAME": notebook} if notebook else {})}
    manager.start_kernel(cwd=str(cwd), env=env)
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        client.context.destroy(linger=0)
        manager.shutdown_kernel(now=True)
        manager.context.destroy(linger=0)


def until(true: Callable[[], bool]) -> None:
    """Wait until something has become true; the test's own time limit ends it."""
    while not true():
        time.sleep(0.05)
