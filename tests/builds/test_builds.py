"""Builds from end to end: real processes, the real engine."""

from __future__ import annotations

import uuid
from pathlib import Path

import docker
import pytest
from traitlets.config import Config

from jupyter_image_manager.errors import ImageManagerError, NeedsConfirmation
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import BuildState, ImageState, SourceKind, Storage
from jupyter_image_manager.processes import ProcessIdentity

from .conftest import Builder

pytestmark = pytest.mark.engine


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
    assert (image.spec, image.storage, image.optimized) == ("geo:1", Storage.LOCAL, True)
    assert image.digest == image.engine_image == builder.manager.engine.inspect_image(image.reference).id
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
    images = builder.manager.images
    assert images.recipe(builder.actor, again.image_id).kind is SourceKind.DUPLICATE
    assert images.diff(builder.actor, image.id, again.image_id).added == ()

    # Going back is activating, and deleting frees what nobody shares.
    images.activate(builder.actor, builder.project.id, again.image_id)
    images.undo_activation(builder.actor, builder.project.id)
    assert builder.manager.projects.get(builder.actor, builder.project.id).active_image_id == image.id
    with pytest.raises(ImageManagerError, match="active"):
        images.delete(builder.actor, image.id, confirm=True)
    with pytest.raises(NeedsConfirmation):
        images.delete(builder.actor, again.image_id)
    images.delete(builder.actor, again.image_id, confirm=True)
    images.usable(builder.manager.store.image(image.id))


def test_an_image_that_lacks_something_says_what_and_is_mended(builder: Builder) -> None:
    build = builder.build("FROM jim-test/python:3.11\n")
    assert build.state is BuildState.FAILED and build.failure.code == "image_unusable"
    image = builder.image(build)
    assert image.state is ImageState.UNUSABLE
    assert any("jupyter" in line for line in build.failure.lines)
    with pytest.raises(ImageManagerError, match="--fix"):
        builder.manager.images.activate(builder.actor, builder.project.id, image.id)
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
        ("FROM jim-test/debian:12\nCOPY --from=jim-test/debian:12 /nothing /x\n", "COPY", "not there; check its path"),
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


@pytest.mark.parametrize("_base", ["classic", "buildkit"], indirect=True)
def test_a_silent_step_after_quick_ones_is_the_one_that_is_told(builder: Builder) -> None:
    quick = "".join(f"ENV NUMBER={number}\n" for number in range(5))
    build = builder.submit(f"FROM jim-test/debian:12\n{quick}RUN sleep 300 # {uuid.uuid4().hex}\n")
    build = builder.wait(build, lambda now: now.done or now.instruction.startswith("RUN sleep"))
    assert build.step == build.steps, build.failure
    builder.builds.cancel(builder.actor, build.id)
    assert builder.wait(build).state is BuildState.CANCELLED


def test_another_process_sees_it_all_and_it_outlives_who_asked_for_it(builder: Builder, manager_config, actor) -> None:
    build = builder.submit(
        f"FROM jim-test/debian:12\nRUN : {uuid.uuid4().hex}; for i in 1 2 3 4 5; do echo line $i; sleep 0.2; done\n"
    )
    builder.manager.close()
    other = ImageManager(config=manager_config)
    try:
        lines = list(other.builds.follow(actor, build.id))
        assert other.builds.get(actor, build.id).done
        assert [line.number for line in lines] == list(range(1, len(lines) + 1))
        assert lines[0].text.startswith("geo:1: asked for by")
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


def test_a_template_takes_files_of_the_project_and_no_others(builder: Builder, folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "grid.csv").write_text(uuid.uuid4().hex)
    (folder / "settings.toml").write_text("x = 1")
    with (folder / "huge").open("wb") as file:
        file.truncate(3 << 30)  # above the limit, were it sent
    files = ["data", "settings.toml:/etc/settings.toml"]
    build = builder.build(template={"name": "minimal", "python": "3.11", "files": files})
    assert build.state is BuildState.SUCCEEDED, (build.failure, builder.text(build))
    recipe = builder.manager.images.recipe(builder.actor, build.image_id)
    assert (recipe.kind, recipe.context_files, recipe.context_stored) == (SourceKind.TEMPLATE, 2, True)
    (folder / "data" / "grid.csv").unlink()
    again = builder.build(from_image=build.image_id)
    assert again.state is BuildState.SUCCEEDED, (again.failure, builder.text(again))


def test_many_lines_come_each_once_and_in_order(builder: Builder) -> None:
    build = builder.build(f"FROM jim-test/debian:12\nRUN : {uuid.uuid4().hex}; seq 1 20000\n")
    numbers = [line for line in builder.text(build).splitlines() if line.isdigit()]
    assert numbers == [str(n) for n in range(1, 20_001)]


def test_the_administrators_settings_reach_each_run_and_stay_nowhere(builder: Builder, tmp_path: Path) -> None:
    authority = tmp_path / "company.crt"
    authority.write_text("the company's own authority\n")
    settings = {
        "from_server_environment": False,
        "proxies": {"HTTPS_PROXY": "http://company-proxy.invalid:3128"},
        "environment": {"PIP_INDEX_URL": "https://company-mirror.invalid/simple"},
        "ca_bundle": str(authority),
    }
    for name, value in settings.items():
        setattr(builder.manager.builds.settings, name, value)
    builder.manager.config["BuildSettings"] = Config(settings)
    text = (
        "FROM jim-test/python:3.11\nRUN useradd -m -u 1000 jupyter\n"
        "RUN echo index=$PIP_INDEX_URL proxy=$https_proxy && cat $PIP_CERT\n"
        "USER jupyter\nRUN echo as jupyter: $PIP_INDEX_URL && \\\n    cat $SSL_CERT_FILE\n"
        'RUN ["python3", "-c", "print(1)"]\n'
    )
    build = builder.build(text, no_cache=True)
    assert build.state is BuildState.SUCCEEDED, (build.failure, builder.text(build).splitlines())
    lines = builder.text(build).splitlines()
    assert "index=https://company-mirror.invalid/simple proxy=http://company-proxy.invalid:3128" in lines
    assert "as jupyter: https://company-mirror.invalid/simple" in lines
    assert lines.count("the company's own authority") == 2
    image = builder.image(build)
    saved = b"".join(docker.APIClient(timeout=60).get_image(image.engine_image))
    for trace in (b"company-mirror.invalid", b"company-proxy.invalid", b"company's own authority"):
        assert trace not in saved
    assert builder.manager.images.recipe(builder.actor, image.id).dockerfile == text


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
