from __future__ import annotations

import os
import signal
import threading
import uuid
from pathlib import Path

import pytest

from jupyter_image_manager.errors import (
    Conflict,
    ImageManagerError,
    InvalidDockerfile,
    InvalidReference,
    InvalidRequest,
    NeedsConfirmation,
    NotAllowed,
)
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import BuildState, ImageState, SourceKind
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


def test_a_build_becomes_an_active_image(builder: Builder, folder: Path, usable: str) -> None:
    said = uuid.uuid4().hex  # so that no earlier build has it in the cache
    (folder / "data.txt").write_text(said + "\n")
    (folder / "Dockerfile").write_text(
        usable + "USER root\nCOPY data.txt /data.txt\nRUN cat /data.txt; echo oops >&2\nUSER jupyter\n"
    )
    build = builder.build(activate=True)
    assert build.state is BuildState.SUCCEEDED, (build.failure, builder.text(build))
    image = builder.image(build)
    assert image.state is ImageState.READY and image.report.ok and image.digest.startswith("sha256:")
    assert image.python_version.startswith("3.11") and image.size > 0
    assert builder.manager.projects.get(builder.actor, builder.project.id).active_image_id == image.id
    lines = builder.builds.log(builder.actor, build.id)
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert len([line for line in lines if line.text == said]) == 1
    assert build.log_lines == len(lines)
    assert [line.text for line in builder.builds.log(builder.actor, build.id, search=said.upper())] == [said]
    recipe = builder.manager.images.recipe(builder.actor, image.id)
    assert recipe.kind is SourceKind.DOCKERFILE and recipe.context_stored and recipe.context_digest
    assert recipe.dockerfile_path == "Dockerfile"

    # Next year: the project folder has nothing of it any more.
    (folder / "data.txt").unlink()
    (folder / "Dockerfile").unlink()
    again = builder.build(from_image=image.id, no_cache=True)
    assert again.state is BuildState.SUCCEEDED, builder.text(again)
    assert said in builder.text(again)
    assert builder.image(again).version == 2
    assert again.estimate and again.estimate > 0


def test_an_image_that_lacks_something_says_what_and_is_mended(builder: Builder) -> None:
    build = builder.build("FROM jim-test/python:3.11\n")
    assert build.state is BuildState.FAILED and build.failure.code == "image_unusable"
    image = builder.image(build)
    assert image.state is ImageState.UNUSABLE
    assert any("jupyter" in line for line in build.failure.lines)
    fixed = builder.wait(builder.builds.fix(builder.actor, image.id))
    assert fixed.state is BuildState.SUCCEEDED, builder.text(fixed)
    assert builder.image(fixed).version == 2
    check = builder.wait(builder.builds.check(builder.actor, fixed.image_id))
    assert check.state is BuildState.SUCCEEDED and builder.image(fixed).report.ok, builder.text(check)
    assert builder.image(build).state is ImageState.UNUSABLE
    at_once = builder.build("FROM jim-test/python:3.11\nLABEL a=b\n", fix=True)
    assert at_once.state is BuildState.SUCCEEDED, builder.text(at_once)


@pytest.mark.parametrize("_base", ["classic", "buildkit"], indirect=True)
@pytest.mark.parametrize(
    ("dockerfile", "instruction", "words"),
    [
        (
            "FROM jim-test/debian:12\nRUN echo before; echo E: Unable to locate package nosuch >&2; exit 100\n",
            "RUN",
            "no package nosuch",
        ),
        ("FROM jim-test/debian:12\nCOPY nothing.txt /\n", "COPY", "not in the context"),
        ("FROM jim-test/nosuch:1\n", "FROM", "jim-test/nosuch"),
        ("FROM jim-test/debian:12\nRUN nosuchcommand\n", "RUN", "not there"),
    ],
)
def test_a_failure_says_the_decisive_things(builder: Builder, dockerfile: str, instruction: str, words: str) -> None:
    build = builder.build(dockerfile)
    assert build.state is BuildState.FAILED
    assert build.failure.instruction.startswith(instruction), build.failure
    assert words in f"{build.failure.message} {build.failure.hint} {build.failure.lines}", build.failure
    assert builder.image(build).state is ImageState.FAILED
    assert builder.left() == []


def test_nothing_is_written_for_bad_input(builder: Builder, folder: Path) -> None:
    (folder / "file").write_text("x")
    (folder / "big").mkdir()
    with (folder / "big" / "sparse").open("wb") as file:
        file.truncate(3 << 30)
    (folder / "fifo").mkdir()
    os.mkfifo(folder / "fifo" / "pipe")
    (folder / "out").symlink_to("/etc")
    (folder / "latin").write_bytes(b"FROM \xff")
    (folder / "Empty").write_text("# nothing\n")
    cases = [
        ({}, InvalidDockerfile),
        ({"dockerfile_path": "Empty"}, InvalidDockerfile),
        ({"dockerfile_path": "latin"}, InvalidDockerfile),
        ({"dockerfile_path": "../Dockerfile"}, InvalidRequest),
        ({"dockerfile_path": "out/passwd"}, InvalidRequest),
        ({"dockerfile": "FROM x\nRUNN y\n"}, InvalidDockerfile),
        ({"dockerfile": "RUN y\n"}, InvalidDockerfile),
        ({"dockerfile": ""}, InvalidDockerfile),
        ({"dockerfile": QUICK, "context": "file"}, InvalidRequest),
        ({"dockerfile": QUICK, "context": "none"}, InvalidRequest),
        ({"dockerfile": QUICK, "context": ".."}, InvalidRequest),
        ({"dockerfile": QUICK, "context": "/etc"}, InvalidRequest),
        ({"dockerfile": QUICK, "context": "out"}, InvalidRequest),
        ({"dockerfile": QUICK, "context": "fifo"}, InvalidRequest),
        ({"dockerfile": QUICK, "context": "big"}, NeedsConfirmation),
        ({"dockerfile": QUICK, "template": {"name": "minimal"}}, InvalidRequest),
        ({"template": {"name": "nosuch"}}, ImageManagerError),
        ({"reference": "Not A Reference"}, InvalidReference),
        ({"archive": "/nosuch.tar"}, InvalidRequest),
        ({"archive": str(folder / "file")}, InvalidRequest),
        ({"from_image": "0" * 32}, ImageManagerError),
        ({"dockerfile": QUICK, "name": "Capital"}, InvalidReference),
        ({"dockerfile": QUICK, "name": "a b"}, InvalidReference),
        ({"dockerfile": QUICK, "name": "a/b"}, InvalidReference),
        ({"dockerfile": QUICK, "name": "a" * 300}, InvalidReference),
        ({"dockerfile": QUICK, "build_args": {"a=b": "c"}}, InvalidRequest),
    ]
    for given, kind in cases:
        with pytest.raises(kind) as caught:
            builder.submit(**given)
        message = caught.value.message
        assert message.endswith((".", "?", "…")) and " " in message, message
    assert builder.manager.store.images(builder.project.id) == []
    assert builder.manager.builds.list(builder.actor) == []


def test_bases_out_of_the_list_are_refused(builder: Builder) -> None:
    builder.manager.policy.allowed_bases = ["docker.io/library/python:*"]
    with pytest.raises(NotAllowed):
        builder.submit(QUICK)
    with pytest.raises(NotAllowed):
        builder.submit(reference="jim-test/debian:12")


def test_identical_builds_are_joined_and_others_get_versions_of_their_own(builder: Builder) -> None:
    text = "FROM jim-test/debian:12\nRUN sleep 4\n"
    got, errors = [], []

    def submit(dockerfile: str) -> None:
        try:
            got.append(builder.submit(dockerfile))
        except ImageManagerError as error:
            errors.append(error)

    threads = [threading.Thread(target=submit, args=(d,)) for d in (text, text, text + "RUN echo other\n")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len({build.id for build in got}) == 2
    assert sorted(builder.manager.store.image(i).version for i in {b.image_id for b in got}) == [1, 2]
    assert sum(builder.builds.get(builder.actor, b).joined for b in {b.id for b in got}) == 1
    for build in got:
        builder.builds.cancel(builder.actor, build.id)
        builder.wait(build)


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


def test_another_process_sees_it_all(builder: Builder, manager_config, actor) -> None:
    build = builder.submit(
        f"FROM jim-test/debian:12\nRUN : {uuid.uuid4().hex}; for i in 1 2 3 4 5; do echo line $i; sleep 0.2; done\n"
    )
    other = ImageManager(config=manager_config)
    try:
        lines = list(other.builds.follow(actor, build.id))
        assert [line.number for line in lines] == list(range(1, len(lines) + 1))
        assert [line.text for line in lines if line.text.startswith("line ")] == [f"line {n}" for n in range(1, 6)]
        assert list(other.builds.follow(actor, build.id, after=len(lines) - 1)) == lines[-1:]
    finally:
        other.close()


def test_retry_uses_what_was_sent(builder: Builder, folder: Path) -> None:
    (folder / "requirements.txt").write_text("first")
    build = builder.build("FROM jim-test/debian:12\nCOPY requirements.txt /\nRUN cat /requirements.txt; exit 3\n")
    assert build.state is BuildState.FAILED and build.failure.exit_code == 3
    (folder / "requirements.txt").unlink()
    again = builder.wait(builder.builds.retry(builder.actor, build.id))
    assert again.failure.exit_code == 3, again.failure
    assert builder.text(build).count("first") == 2 or "unchanged since" in builder.text(build)


def test_import_by_reference_and_from_an_archive(builder: Builder, folder: Path, tmp_path: Path) -> None:
    build = builder.build(reference="jim-test/python:3.11")
    assert build.failure.code == "image_unusable"
    assert builder.image(build).engine_image.startswith("sha256:")

    import docker

    client = docker.APIClient()
    with (tmp_path / "saved.tar").open("wb") as file:
        for block in client.get_image("jim-test/python:3.11"):
            file.write(block)
    client.close()
    taken = builder.build(archive=str(tmp_path / "saved.tar"), name="saved", fix=True)
    assert taken.state is BuildState.SUCCEEDED, builder.text(taken)
    with pytest.raises(ImageManagerError):
        builder.builds.retry(builder.actor, taken.id)


def test_a_context_of_a_gibibyte_leaves_the_worker_small(builder: Builder, folder: Path) -> None:
    with (folder / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    build = builder.submit("FROM jim-test/debian:12\nRUN echo RUNNING; sleep 60\n")
    builder.says(build, "RUNNING")
    worker = ProcessIdentity.parse(builder.builds.get(builder.actor, build.id).worker)
    status = Path(f"/proc/{worker.pid}/status").read_text()
    peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    assert peak < 120 << 10, f"{peak} KiB"
    contexts = Path(builder.manager.data_dir) / "contexts"
    assert not contexts.exists() or list(contexts.iterdir()) == []
    assert "too big to keep a copy" in builder.text(build)
    builder.builds.cancel(builder.actor, build.id)
    builder.wait(build)
