"""Builds that wait, are joined, cancelled or killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jupyter_image_manager.errors import Conflict
from jupyter_image_manager.models import Build, BuildState, ImageState
from jupyter_image_manager.processes import ProcessIdentity

from .conftest import Builder

pytestmark = pytest.mark.engine
QUICK = "FROM jim-test/debian:12\nRUN echo hello\n"


@pytest.fixture(autouse=True, params=["auto"])
def _base(base_image, request, manager_config) -> None:
    manager_config.DockerEngine.builder = request.param
    from machine import bases

    bases.ensure("debian:12", "python:3.11")


@pytest.fixture
def usable(builder: Builder) -> str:
    """The text of a Dockerfile whose image passes the check."""
    return builder.builds.render_template({"name": "minimal", "python": "3.11"})


def test_the_same_recipe_at_the_same_instant_is_one_build_and_another_is_another(
    builder: Builder, folder: Path
) -> None:
    """Asked for by threads of one process, as a server has, and by processes of command lines."""
    text = "FROM jim-test/debian:12\nRUN sleep 90\n"
    (folder / "Dockerfile").write_text(text)
    (folder / "Other").write_text(text + "RUN true\n")
    (folder / ".dockerignore").write_text("*\n")
    manager = builder.manager
    program = str(Path(sys.executable).with_name("jupyter-image"))
    settings = [f"--ImageManager.{name}={getattr(manager, name)}" for name in ("data_dir", "root_dir")]
    lines = [
        subprocess.Popen(
            [program, "build", "geo", "-f", file, "--detach", "--json", *settings], cwd=folder, stdout=subprocess.PIPE
        )
        for file in ("Dockerfile", "Dockerfile", "Other", "Other")
    ]
    got: list[Build] = []

    def submit(file: str) -> None:
        got.append(builder.submit(dockerfile_path=file))

    threads = [threading.Thread(target=submit, args=(file,)) for file in ("Dockerfile", "Other", "Dockerfile")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = [json.loads(line.communicate()[0]) for line in lines]
    assert [line.returncode for line in lines] == [0] * 4
    ids = [build.id for build in got] + [answer["build"]["id"] for answer in said]
    assert len(ids) == 7
    builds = {id: builder.builds.get(builder.actor, id) for id in ids}
    assert sorted(build.joined for build in builds.values()) == [2, 3], builds
    assert sorted(builder.image(build).spec for build in builds.values()) == ["geo:1", "geo:2"]
    texts = {manager.images.recipe(builder.actor, build.image_id).dockerfile for build in builds.values()}
    assert texts == {text, text + "RUN true\n"}
    for build in builds.values():
        builder.builds.cancel(builder.actor, build.id)
        assert builder.wait(build).state is BuildState.CANCELLED
    alone = builder.submit(dockerfile_path="Dockerfile")
    assert alone.id not in builds and builder.image(alone).version == 3, "what has ended is joined no more"
    builder.builds.cancel(builder.actor, alone.id)


@pytest.mark.parametrize("signal_name", ["KILL", "cancel"])
@pytest.mark.parametrize(
    ("_base", "point"),
    [
        ("classic", "start"),
        ("classic", "context"),
        ("classic", "RUNNING"),
        ("classic", "checking"),
        ("buildkit", "context"),
        ("buildkit", "RUNNING"),
    ],
    indirect=["_base"],
)
def test_killed_or_cancelled_at_any_point(
    builder: Builder, folder: Path, usable: str, point: str, signal_name: str
) -> None:
    text = "FROM jim-test/debian:12\nRUN echo RUNNING; sleep 60\n"
    if point == "context":
        with (folder / "big").open("wb") as file:
            file.truncate(1 << 30)
    if point == "checking":
        text = usable
    build = builder.submit(text)
    if point in ("RUNNING", "checking"):
        builder.says(build, point)
    elif point == "context":
        builder.wait(build, lambda now: now.state is BuildState.BUILDING)
    if signal_name == "KILL":
        os.kill(ProcessIdentity.parse(builder.builds.get(builder.actor, build.id).worker).pid, signal.SIGKILL)
    else:
        builder.builds.cancel(builder.actor, build.id)
    ended = builder.wait(build)
    assert ended.state is (BuildState.INTERRUPTED if signal_name == "KILL" else BuildState.CANCELLED), builder.text(
        build
    )
    assert ended.failure.message and ended.finished
    assert builder.image(build).state is ImageState.FAILED
    tags = [tag for tag in builder.left() if tag.startswith("jupyter-image-manager/")]
    assert tags == []
    if point == "checking" and signal_name == "KILL":
        again = builder.wait(builder.builds.retry(builder.actor, build.id))
        assert (again.state, again.attempt) == (BuildState.SUCCEEDED, 2), builder.text(again)
    if point == "start":
        again = builder.wait(
            builder.builds.retry(builder.actor, build.id), lambda now: now.state is BuildState.BUILDING
        )
        assert again.attempt == 2
        with pytest.raises(Conflict):
            builder.builds.retry(builder.actor, build.id)
        builder.builds.cancel(builder.actor, build.id)
        assert builder.wait(build).state is BuildState.CANCELLED
        assert builder.image(build).state is ImageState.FAILED


def test_a_queued_build_waits_its_turn_and_can_be_cancelled(builder: Builder) -> None:
    builder.manager.config.BuildSettings.max_parallel = 1
    first = builder.submit("FROM jim-test/debian:12\nRUN sleep 60\n")
    builder.wait(first, lambda now: now.state is BuildState.BUILDING)
    second = builder.submit(QUICK, name="other")
    builder.says(second, "waiting for other builds")
    assert builder.builds.get(builder.actor, second.id).state is BuildState.QUEUED
    builder.builds.cancel(builder.actor, second.id)
    assert builder.wait(second).state is BuildState.CANCELLED
    third = builder.submit(QUICK, name="third")
    builder.says(third, "waiting for other builds")
    # Nobody looks after the first one's death but the build that waits for its place.
    os.kill(ProcessIdentity.parse(builder.builds.get(builder.actor, first.id).worker).pid, signal.SIGKILL)
    limit = threading.Event()
    for _ in range(600):
        if builder.manager.store.build(third.id).done:
            break
        limit.wait(0.2)
    assert builder.manager.store.build(first.id).state is BuildState.INTERRUPTED
    assert "hello" in builder.text(third)
