from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jupyter_events.logger import EventLogger
from traitlets.config import Config

from jupyter_image_manager.app import ImageManagerExtension, choose_provisioner
from jupyter_image_manager.watcher import Periodic, schema_of

from .test_images import add


def extension_of(serverapp: Any) -> ImageManagerExtension:
    found: ImageManagerExtension = next(iter(serverapp.extension_manager.extension_apps["jupyter_image_manager"]))
    return found


async def heard(serverapp: Any, noun: str) -> tuple[list[dict[str, Any]], Any]:
    """Listen to events of a noun; return the list that fills, and a coroutine that waits for one more."""
    events: list[dict[str, Any]] = []
    arrived = asyncio.Event()

    async def listen(logger: EventLogger, schema_id: str, data: dict[str, Any]) -> None:
        events.append(data)
        arrived.set()

    serverapp.event_logger.add_listener(schema_id=schema_of(noun), listener=listen)

    async def one_more() -> dict[str, Any]:
        await asyncio.wait_for(arrived.wait(), 30)
        arrived.clear()
        return events[-1]

    return events, one_more


def test_the_service_is_the_servers(jp_serverapp: Any, manager: Any, data_dir: Path) -> None:
    assert manager.root_dir == str(Path(jp_serverapp.root_dir).resolve())
    assert manager.data_dir == str(data_dir)
    assert jp_serverapp.config.KernelProvisionerFactory.default_provisioner_name == "image-provisioner"
    assert jp_serverapp.kernel_spec_manager.kernel_dirs[-1] == str(data_dir / "kernelspecs")
    assert not data_dir.exists(), "a server without projects must leave nothing behind"


def test_a_users_choice_of_provisioner_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    class Server:
        config = Config({"KernelProvisionerFactory": {"default_provisioner_name": "theirs"}})

    choose_provisioner(Server())
    assert Server.config.KernelProvisionerFactory.default_provisioner_name == "theirs"
    Server.config = Config()
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "theirs")
    choose_provisioner(Server())
    assert "default_provisioner_name" not in Server.config.KernelProvisionerFactory


def test_no_provisioner_is_chosen_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    class Server:
        config = Config()

    monkeypatch.setattr("jupyter_image_manager.app.entry_points", lambda **wanted: ())
    choose_provisioner(Server())
    assert "default_provisioner_name" not in Server.config.KernelProvisionerFactory


async def test_changes_of_anybody_become_events(jp_serverapp: Any, call: Any, jp_root_dir: Path, manager: Any) -> None:
    projects, one_more = await heard(jp_serverapp, "project")
    await jp_serverapp.extension_manager.start_all_extensions()
    (jp_root_dir / "science").mkdir()
    _, project = await call("POST", "projects", {"path": "science"})
    first = await one_more()
    assert (first["action"], first["id"], first["project_id"]) == ("created", project["id"], project["id"])
    kernels, one_more = await heard(jp_serverapp, "kernel")
    why = {"notebook": "science/a.ipynb", "reason": "out_of_memory", "message": "The kernel needed too much."}
    # As another process would: through the store only.
    await asyncio.to_thread(manager.store.note_change, "kernel", "k1", project["id"], "died", why)
    died = await one_more()
    assert {key: died[key] for key in ("action", "kernel_id", "project_id")} == {
        "action": "died",
        "kernel_id": "k1",
        "project_id": project["id"],
    }
    assert {key: died[key] for key in why} == why
    assert died["sequence"] > first["sequence"]
    assert (len(projects), len(kernels)) == (1, 1)


async def test_what_was_before_the_start_is_not_told_again(jp_serverapp: Any, call: Any, project: Any) -> None:
    events, one_more = await heard(jp_serverapp, "project")
    extension = extension_of(jp_serverapp)
    await jp_serverapp.extension_manager.start_all_extensions()
    watching = extension._threads[0]
    await asyncio.to_thread(watching.once)
    await call("PATCH", f"projects/{project['id']}", {"name": "Other"})
    assert (await one_more())["action"] == "updated"
    assert len(events) == 1


async def test_languages_of_active_images_are_seen_by_the_server(
    jp_serverapp: Any, manager: Any, project: Any, call: Any
) -> None:
    from jupyter_image_manager.models import Report

    spec = {"argv": ["R", "-e", "x"], "display_name": "R", "language": "R"}
    image = add(manager, project["id"], report=Report(ok=True, kernelspecs={"ir": spec}))
    manager.store.activate_image(project["id"], image.id)
    await asyncio.to_thread(extension_of(jp_serverapp)._publish_kernelspecs)
    assert "ir" in jp_serverapp.kernel_spec_manager.find_kernel_specs()
    await call("DELETE", f"projects/{project['id']}/active-image")
    await asyncio.to_thread(extension_of(jp_serverapp)._publish_kernelspecs)
    assert "ir" not in jp_serverapp.kernel_spec_manager.find_kernel_specs()


async def test_a_damaged_store_is_said_once_and_the_server_works_on(
    jp_serverapp: Any, jp_fetch: Any, data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from .test_status import damage

    damage(data_dir)
    await jp_serverapp.extension_manager.start_all_extensions()
    extension = extension_of(jp_serverapp)
    for _ in range(3):
        for thread in extension._threads:
            await asyncio.to_thread(thread.once)
    said = [r for r in caplog.records if "telling changes" in r.getMessage() and r.levelno == logging.WARNING]
    assert len(said) == 1
    assert said[0].exc_info is None
    assert "\n" not in said[0].getMessage()
    assert (await jp_fetch("api", "contents")).code == 200


def test_a_fault_ends_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    answers = iter([ValueError("first"), None, ValueError("second")])

    def work() -> None:
        error = next(answers)
        if error:
            raise error

    periodic = Periodic("working", 1, work, logging.getLogger("test"))
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            periodic.once()
    assert [record.getMessage().split(": ", 1)[1] for record in caplog.records] == [
        "working does not work: ValueError: first",
        "working works again.",
        "working does not work: ValueError: second",
    ]


def test_importing_the_extension_loads_neither_store_nor_engine() -> None:
    code = """
import sys, jupyter_image_manager.app, jupyter_image_manager.manager
from jupyter_image_manager.handlers import routes
routes()
print(*sorted({"docker", "sqlalchemy", "alembic"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert done.stdout.strip() == ""
