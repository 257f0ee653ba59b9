"""Bad input, by REST and by the command line on the same data: each says what to do, and changes nothing."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jupyter_image_manager.cli.main import run
from jupyter_image_manager.models import ImageState, Report

from ..requirements.test_foreign import archive_of
from .test_images import add

pytestmark = pytest.mark.engine

BUILD = "projects/{project}/builds"
SETTINGS = "projects/{project}"
NOWHERE = "sha256:" + "0" * 64
ACTIVE = "projects/{project}/active-image"
GOOD = "FROM jim-test/debian:12\nRUN true\n"


@dataclass(frozen=True)
class Case:
    """What is asked for in two ways, and what both must say."""

    method: str
    route: str
    body: Any
    words: tuple[str, ...]
    says: str
    status: int = 400
    code: int = 1
    files: dict[str, str] = field(default_factory=dict)


def builds(says: str, body: dict[str, Any], *words: str, status: int = 400, **files: str) -> Case:
    return Case("POST", BUILD, {"name": "geo", **body}, ("build", "geo", *words), says, status, files=files)


def named(name: str, says: str) -> Case:
    return Case("POST", BUILD, {"name": name, "dockerfile_text": GOOD}, ("build", name, "-f", "Good"), says)


def memory(value: str, says: str) -> Case:
    body = {"run_settings": {"memory": value}}
    return Case("PATCH", SETTINGS, body, ("project", "set", f"memory={value}"), says)


def folder(path: str, says: str, status: int = 400) -> Case:
    words = ("project", "create", f"{{root}}/{path}")
    return Case("POST", "projects", {"path": path}, words, says, status)


CASES = {
    "no Dockerfile": builds("There is no Dockerfile", {}),
    "a Dockerfile that is not there": builds("Absent", {"dockerfile_path": "Absent"}, "-f", "Absent"),
    "an empty Dockerfile": builds("empty", {}, Dockerfile="# nothing yet\n"),
    "a syntax error": builds("Line 1", {}, Dockerfile="FROM\n"),
    "an unknown instruction": builds("Line 2", {}, Dockerfile="FROM x\nRUNN y\n"),
    "COPY of a missing file": builds("data.csv", {}, Dockerfile=GOOD + "COPY data.csv /\n"),
    "a context that is a file": builds("file", {"context": "Dockerfile"}, "--context", "Dockerfile", Dockerfile=GOOD),
    "a context that leaves": Case(
        "POST", BUILD, {"name": "geo", "context": ".."}, ("build", "geo", "--context", ".."), "context", code=2
    ),
    "a context with a pipe": builds("pipe", {"context": "pipes"}, "--context", "pipes", Dockerfile=GOOD),
    "a context with a socket": builds("socket", {"context": "sockets"}, "--context", "sockets", Dockerfile=GOOD),
    "capital letters": named("Geo", "capital letters"),
    "spaces": named("my geo", "spaces"),
    "slashes": named("my/geo", "slash"),
    "300 letters": named("a" * 300, "longer than 128"),
    "1 MB of memory": memory("1m", "too small"),
    "10 TB of memory": memory("10t", "memory"),
    "lots of memory": memory("lots", "'lots'"),
    "a GPU where there is none": Case(
        "PATCH", SETTINGS, {"run_settings": {"gpus": "all"}}, ("project", "set", "gpus=all"), "GPU"
    ),
    "an image that is not there": Case(
        "PUT", ACTIVE, {"image_id": "0" * 32}, ("activate", "geo:9"), "image", status=404
    ),
    "a folder that is not there": folder("nowhere", "There is no folder"),
    "a project that is a file": Case(
        "POST",
        "projects",
        {"path": "science/Good"},
        ("project", "create", "{root}/science/Good"),
        "a project is a folder",
    ),
    "a project inside a project": Case(
        "POST",
        "projects",
        {"path": "science/inner"},
        ("project", "create", "{root}/science/inner"),
        "lies in",
        status=409,
    ),
    "a project twice": Case(
        "POST", "projects", {"path": "science"}, ("project", "create", "{root}/science"), "already", status=409
    ),
}


@pytest.fixture
def science(project: Any, jp_root_dir: Path) -> Path:
    """Give the project's folder, with what the cases need."""
    found = jp_root_dir / "science"
    (found / "Good").write_text(GOOD)
    for name in ("inner", "pipes", "sockets"):
        (found / name).mkdir()
    os.mkfifo(found / "pipes" / "pipe")
    (found / ".dockerignore").write_text("pipes\nsockets\n")
    return found


@pytest.fixture
def shell(
    science: Path,
    data_dir: Path,
    jp_root_dir: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """Run a command in the project's folder, on the server's data; return its exit code and what it said."""
    monkeypatch.chdir(science)
    common = (
        "--project",
        str(science),
        f"--ImageManager.data_dir={data_dir}",
        f"--ImageManager.root_dir={jp_root_dir}",
    )

    async def command(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = await asyncio.to_thread(run, (*words, *common))
        said = capsys.readouterr()
        return code, said.out, "".join(line for line in said.err.splitlines(True) if not line.startswith("["))

    return command


def state(manager: Any, folder: Path) -> Any:
    """Return all that bad input could have changed."""
    store = manager.store
    projects = store.projects()
    images = [store.images(project.id) for project in projects]
    return projects, images, store.builds(), store.last_change(), sorted(map(str, folder.rglob("*")))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_it_says_what_to_do_and_changes_nothing(
    case: Case, call: Any, shell: Any, manager: Any, project: Any, science: Path, jp_root_dir: Path
) -> None:
    for name, content in case.files.items():
        (science / name).write_text(content)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("sockets/s.sock")  # relative: a socket's path must be short
        before = state(manager, science)
        code, refused = await call(case.method, case.route.format(project=project["id"]), case.body)
        assert code == case.status, refused
        assert case.says in refused["message"]
        exit_code, out, err = await shell(*(word.format(root=jp_root_dir) for word in case.words))
        assert (exit_code, out) == (case.code, ""), err
        assert case.says in err
        assert err.count("\n") == 1, err
        for message in (refused["message"], err.strip()):
            assert message.endswith((".", "?", "…")), message
            assert len(message) > 30, "it should say what to do"
        assert state(manager, science) == before


async def test_images_that_cannot_be_activated_or_deleted(
    call: Any, shell: Any, manager: Any, project: Any, base_image: Callable[[str], str]
) -> None:
    engine, report = manager.engine, Report(ok=True)
    held = engine.inspect_image(base_image("3.11")).id
    foreign = engine.load(archive_of("arm64", {"etc/made": uuid.uuid4().bytes}))[0]
    try:
        ready = {"state": ImageState.READY, "report": report}
        active = add(manager, project["id"], "active", engine_image=held, **ready)
        images = {
            "failed": (add(manager, project["id"], "failed", state=ImageState.FAILED), "retry failed:1"),
            "arm": (add(manager, project["id"], "arm", engine_image=foreign, **ready), "made for arm64"),
            "gone": (
                add(manager, project["id"], "gone", engine_image="sha256:" + "0" * 64, **ready),
                "--from-image gone:1",
            ),
        }
        assert (await shell("activate", "active:1"))[0] == 0
        for name, (image, says) in images.items():
            code, refused = await call("PUT", ACTIVE.format(project=project["id"]), {"image_id": image.id})
            assert (code, refused["code"]) == (409, "image_unusable")
            assert says in refused["message"]
            exit_code, out, err = await shell("activate", f"{name}:1")
            assert (exit_code, out) == (1, "")
            assert says in err
        code, refused = await call("DELETE", f"images/{active.id}", confirm="true")
        assert (code, refused["code"]) == (409, "image_in_use")
        exit_code, out, err = await shell("delete", "active:1", "--yes")
        assert (exit_code, out) == (1, "")
        for said in (refused["message"], err):
            assert "active in the project 'Science'" in said
            assert "Change that first" in said
        deleted = images["failed"][0]
        assert (await shell("delete", "failed:1", "--yes"))[0] == 0
        assert (await call("PUT", ACTIVE.format(project=project["id"]), {"image_id": deleted.id}))[0] == 404
        exit_code, _, err = await shell("activate", "failed:1")
        assert exit_code == 1
        assert "has no image 'failed'" in err
        assert manager.store.project(project["id"]).active_image_id == active.id
    finally:
        engine.remove_image(foreign, force=True)


async def test_a_project_folder_that_is_moved_renamed_or_removed(
    call: Any, shell: Any, manager: Any, project: Any, science: Path, jp_root_dir: Path
) -> None:
    (jp_root_dir / "archive").mkdir()
    moved = jp_root_dir / "archive" / "наука"
    await asyncio.to_thread(science.rename, moved)
    # A folder that is there is found again by whoever looks into it.
    code, found = await call("GET", "projects", path="archive/наука/a.ipynb")
    assert (code, found["id"], found["path"], found["found"]) == (200, project["id"], str(moved), True)
    gone = jp_root_dir.parent / "taken away"
    await asyncio.to_thread(moved.rename, gone)
    before = manager.store.projects(), manager.store.builds()
    _, shown = await call("GET", f"projects/{project['id']}")
    assert not shown["found"]
    (warning,) = shown["warnings"]
    cure = f"jupyter image project relocate {project['id'][:8]} DIR"
    assert cure in warning
    exit_code, out, err = await shell("project", "list", "--project", str(jp_root_dir))
    assert exit_code == 0
    assert "not there" in out
    assert cure in err
    image = add(manager, project["id"], state=ImageState.READY, engine_image="sha256:1", report=Report(ok=True))
    for method, route, body in (
        ("POST", BUILD.format(project=project["id"]), {"name": "geo", "dockerfile_text": GOOD}),
        ("GET", f"projects/{project['id']}/context", None),
    ):
        code, refused = await call(method, route, body)
        assert code in (400, 409), route
        assert str(moved) in refused["message"], refused
    assert (manager.store.projects(), manager.store.builds()) == before
    assert manager.store.image(image.id) == image
    (jp_root_dir / "back").mkdir()
    words = ("project", "relocate", project["id"][:8], str(jp_root_dir / "back"), "--project", str(jp_root_dir))
    assert (await shell(*words))[0] == 0
    _, shown = await call("GET", f"projects/{project['id']}")
    assert (shown["found"], shown["jupyter_path"], shown["warnings"]) == (True, "back", [])
    await asyncio.to_thread(gone.rename, science)  # the old folder comes back, and is an ordinary one
    assert (await call("GET", "projects", path="science")) == (200, None)


FAILING = {
    "a failing RUN": ("FROM jim-test/debian:12\nRUN echo 'E: no such thing'; exit 3\n", "exit code 3"),
    "an unknown base": ("FROM jim-test/nosuch:1\nRUN true\n", "jim-test/nosuch"),
    "an unreachable registry": ("FROM nowhere.invalid/no/such:1\nRUN true\n", "nowhere.invalid"),
    "an unknown package": (
        "FROM jim-test/python:3.11\nRUN pip install --no-index no-such-package\n",
        "no-such-package",
    ),
    "requirements that contradict": (
        "FROM jim-test/python:3.11\nRUN printf 'pip==1.0\\npip==2.0\\n' > r.txt && pip install -r r.txt\n",
        "contradict",
    ),
}


async def test_what_only_the_build_can_find_is_said_by_it(
    call: Any, shell: Any, manager: Any, project: Any, base_image: Callable[[str], str]
) -> None:
    """All under one name at the same instant: each gets a version of its own."""
    base_image("3.11")
    route = BUILD.format(project=project["id"])
    bodies = [{"name": "geo", "dockerfile_text": text} for text, _ in FAILING.values()]
    submitted = await asyncio.gather(*(call("POST", route, body) for body in bodies))
    assert [code for code, _ in submitted] == [202] * len(FAILING)
    specs = set()
    for (name, (_, says)), (_, build) in zip(FAILING.items(), submitted, strict=True):
        while build["finished"] is None:
            await asyncio.sleep(0.3)
            _, build = await call("GET", f"builds/{build['id']}")
        why = build["failure"]
        assert build["state"] == "failed", name
        assert says in f"{why['message']} {why['hint']}", (name, why)
        assert why["message"].endswith("."), name
        _, image = await call("GET", f"images/{build['image_id']}")
        specs.add(image["spec"])
        assert image["state"] == "failed"
    assert specs == {f"geo:{number}" for number in range(1, len(FAILING) + 1)}
    failed = next(iter(specs))
    exit_code, _, err = await shell("retry", failed)
    assert exit_code == 1
    assert "step" in err or "FROM" in err
    assert (await shell("list"))[1].count("failed") == len(FAILING)
