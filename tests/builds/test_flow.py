"""Builds from end to end: real processes, the real engine."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from traitlets.config import Config

from jupyter_image_manager.engine.port import LABEL
from jupyter_image_manager.errors import (
    Conflict,
    ImageManagerError,
    InvalidDockerfile,
    InvalidReference,
    InvalidRequest,
    NeedsConfirmation,
    NotAllowed,
    QuotaExceeded,
)
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import (
    Actor,
    Build,
    BuildRequest,
    BuildState,
    ImageState,
    Project,
    SourceKind,
    Storage,
)
from jupyter_image_manager.processes import ProcessIdentity

pytestmark = pytest.mark.engine

# Each run of the tests builds anew: what the engine remembers of an earlier one would print nothing.
USER = f"RUN useradd -m -u 1000 jupyter && : {uuid.uuid4().hex}\n"


@pytest.fixture
def base(base_image: Callable[[str], str]) -> str:
    return base_image("3.11")


class Bench:
    """A project and short words for what tests do with it."""

    def __init__(self, manager: ImageManager, actor: Actor, project: Project) -> None:
        self.manager, self.actor, self.project = manager, actor, project
        self.folder = Path(project.path)

    def submit(self, name: str, text: str | None = None, **more: object) -> Build:
        return self.manager.builds.submit(
            self.actor, self.project.id, BuildRequest(name=name, dockerfile_text=text, **more)
        )

    def end(self, build: Build) -> Build:
        list(self.manager.builds.follow(self.actor, build.id))
        return self.manager.builds.get(self.actor, build.id)

    def lines(self, build: Build) -> list[str]:
        return [line.text for line in self.manager.builds.log(self.actor, build.id)]

    def image(self, build: Build):
        return self.manager.images.get(self.actor, build.image_id).image

    def until(self, build: Build, condition: Callable[[Build], bool]) -> Build:
        while not condition(now := self.manager.builds.get(self.actor, build.id)):
            assert not now.done, (now, self.lines(build))
            time.sleep(0.05)
        return now


@pytest.fixture
def bench(manager: ImageManager, actor: Actor, project: Project) -> Bench:
    return Bench(manager, actor, project)


def test_a_dockerfile_of_the_project_becomes_a_ready_active_image(bench: Bench, base: str) -> None:
    (bench.folder / "Dockerfile").write_text(f"FROM {base}\n{USER}COPY data.txt /opt/data.txt\nRUN echo 'built here'\n")
    (bench.folder / "data.txt").write_text("data")
    build = bench.end(bench.submit("geo", activate=True))
    assert build.state is BuildState.SUCCEEDED, (build.failure, bench.lines(build))
    image = bench.image(build)
    assert (image.spec, image.state, image.storage, image.optimized) == ("geo:1", ImageState.READY, Storage.LOCAL, True)
    assert image.digest == image.engine_image == bench.manager.engine.inspect_image(image.reference).id
    assert image.python_version.startswith("3.11.")
    assert image.report.ok
    assert bench.manager.projects.get(bench.actor, bench.project.id).active_image_id == image.id
    assert "built here" in bench.lines(build)
    recipe = bench.manager.images.recipe(bench.actor, image.id)
    assert recipe.context_stored
    assert recipe.context_digest.startswith("sha256:")
    with pytest.raises(ImageManagerError, match="active"):
        bench.manager.images.delete(bench.actor, image.id, confirm=True)

    # A year later the folder is empty, and the recipe is enough.
    (bench.folder / "Dockerfile").unlink()
    (bench.folder / "data.txt").unlink()
    again = bench.end(
        bench.manager.builds.submit(bench.actor, bench.project.id, BuildRequest(name="geo", from_image=image.id))
    )
    assert again.state is BuildState.SUCCEEDED, (again.failure, bench.lines(again))
    assert bench.image(again).spec == "geo:2"
    assert bench.manager.images.recipe(bench.actor, again.image_id).kind is SourceKind.DUPLICATE
    assert bench.manager.images.diff(bench.actor, image.id, again.image_id).added == ()

    # Going back is activating, and deleting frees what nobody shares.
    bench.manager.images.activate(bench.actor, bench.project.id, again.image_id)
    bench.manager.images.undo_activation(bench.actor, bench.project.id)
    assert bench.manager.projects.get(bench.actor, bench.project.id).active_image_id == image.id
    with pytest.raises(NeedsConfirmation):
        bench.manager.images.delete(bench.actor, again.image_id)
    bench.manager.images.delete(bench.actor, again.image_id, confirm=True)
    bench.manager.images.usable(bench.manager.store.image(image.id))


def test_a_failing_instruction_is_named_with_its_lines_and_changes_nothing(bench: Bench, base: str) -> None:
    good = bench.end(bench.submit("geo", f"FROM {base}\n{USER}", activate=True))
    build = bench.end(
        bench.submit(
            "geo", f"FROM {base}\nRUN echo 'ERROR: No matching distribution found for gdal==9.1' >&2; exit 7\n"
        )
    )
    assert build.state is BuildState.FAILED
    assert build.failure.exit_code == 7
    assert build.failure.step == 2
    assert build.failure.instruction.startswith("RUN echo")
    assert any("gdal==9.1" in line for line in build.failure.lines)
    assert "gdal==9.1" in build.failure.hint
    assert bench.image(build).state is ImageState.FAILED
    assert bench.manager.projects.get(bench.actor, bench.project.id).active_image_id == good.image_id
    assert bench.manager.images.find(bench.actor, bench.project.id, "geo").image.version == 1
    again = bench.end(bench.manager.builds.retry(bench.actor, build.id))
    assert (again.state, again.attempt) == (BuildState.FAILED, 2)
    labels = {f"{LABEL}.image": build.image_id}
    assert bench.manager.engine.list_images(labels) == []


def test_an_image_that_lacks_its_user_says_so_and_is_mended(bench: Bench, base: str) -> None:
    build = bench.end(bench.submit("bare", f"FROM {base}\n"))
    image = bench.image(build)
    assert (build.state, image.state) == (BuildState.FAILED, ImageState.UNUSABLE)
    with pytest.raises(ImageManagerError, match="--fix"):
        bench.manager.images.activate(bench.actor, bench.project.id, image.id)
    mended = bench.end(bench.manager.builds.fix(bench.actor, image.id))
    assert mended.state is BuildState.SUCCEEDED, (mended.failure, bench.lines(mended))
    assert bench.image(mended).spec == "bare:2"
    at_once = bench.end(bench.submit("bare", f"FROM {base}\nLABEL other=1\n", fix=True))
    assert at_once.state is BuildState.SUCCEEDED, (at_once.failure, bench.lines(at_once))
    assert bench.image(at_once).spec == "bare:3"


def test_an_existing_reference_and_an_archive_are_taken_in(bench: Bench, base: str, tmp_path: Path) -> None:
    build = bench.end(
        bench.manager.builds.submit(bench.actor, bench.project.id, BuildRequest(name="taken", reference=base, fix=True))
    )
    assert build.state is BuildState.SUCCEEDED, (build.failure, bench.lines(build))
    archive = tmp_path / "image.tar"
    with archive.open("wb") as file:
        for chunk in __import__("docker").APIClient(timeout=60).get_image(bench.image(build).reference):
            file.write(chunk)
    loaded = bench.end(
        bench.manager.builds.submit(bench.actor, bench.project.id, BuildRequest(name="loaded", archive=str(archive)))
    )
    assert loaded.state is BuildState.SUCCEEDED, (loaded.failure, bench.lines(loaded))
    archive.write_bytes(b"this is no archive")
    with pytest.raises(InvalidRequest, match="archive"):
        bench.manager.builds.submit(bench.actor, bench.project.id, BuildRequest(name="broken", archive=str(archive)))


def test_secrets_reach_the_build_and_stay_nowhere(bench: Bench, base: str) -> None:
    secret = b"hunter2-" + os.urandom(8).hex().encode()
    text = (
        f"FROM {base}\n{USER}"
        "RUN --mount=type=secret,id=token grep -q hunter2 /run/secrets/token && cat /run/secrets/token\n"
    )
    build = bench.submit("private", text, secrets={"token": secret})
    worker = ProcessIdentity.parse(build.worker)
    seen = b""
    while not bench.manager.builds.get(bench.actor, build.id).done:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                seen += (process / "cmdline").read_bytes()
                if process.name == str(worker.pid):
                    seen += (process / "environ").read_bytes()
            except OSError:
                continue
        time.sleep(0.1)
    build = bench.end(build)
    assert build.state is BuildState.SUCCEEDED, (build.failure, bench.lines(build))
    assert secret not in seen
    assert "[secret]" in "\n".join(bench.lines(build))
    image = bench.image(build)
    stored = b"".join(path.read_bytes() for path in Path(bench.manager.data_dir).rglob("*") if path.is_file())
    assert secret not in stored, "the store, the logs and the stored contexts know nothing of it"
    saved = b"".join(__import__("docker").APIClient(timeout=60).get_image(image.engine_image))
    assert secret not in saved, "neither do the layers and the history"
    with pytest.raises(InvalidRequest, match="token"):
        bench.manager.builds.submit(bench.actor, bench.project.id, BuildRequest(name="private", from_image=image.id))


def test_the_same_recipe_at_the_same_instant_is_one_build_and_another_is_another(bench: Bench, base: str) -> None:
    text = f"FROM {base}\n{USER}RUN sleep 1.5\n"
    builds: list[Build] = []
    threads = [
        threading.Thread(target=lambda: builds.append(bench.submit("same", text, no_cache=True))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other = bench.submit("same", text + "RUN true\n")
    assert len({build.id for build in builds}) == 1
    assert max(build.joined for build in builds) == 3
    assert bench.image(other).spec == "same:2"
    assert bench.end(builds[0]).state is BuildState.SUCCEEDED
    assert bench.end(other).state is BuildState.SUCCEEDED


def test_a_queued_build_waits_its_turn_and_can_be_cancelled(manager_config: Config, bench: Bench, base: str) -> None:
    bench.manager.builds.settings.max_parallel = 1
    bench.manager.config["BuildSettings"]["max_parallel"] = 1
    first = bench.submit("first", f"FROM {base}\n{USER}RUN sleep 30\n", no_cache=True)
    bench.until(first, lambda b: b.state is BuildState.BUILDING)
    second = bench.submit("second", f"FROM {base}\n{USER}")
    assert bench.until(second, lambda b: b.heartbeat is not None).state is BuildState.QUEUED
    bench.manager.builds.cancel(bench.actor, second.id)
    assert bench.end(second).state is BuildState.CANCELLED
    bench.until(first, lambda b: any("sleep" in line for line in bench.lines(b)))
    bench.manager.builds.cancel(bench.actor, first.id)
    ended = bench.end(first)
    assert ended.state is BuildState.CANCELLED
    assert "nothing else has changed" in ended.failure.message
    assert bench.image(first).state is ImageState.FAILED


@pytest.mark.parametrize("moment", ["queued", "building", "checking"])
def test_a_killed_worker_is_found_and_the_build_can_be_retried(bench: Bench, base: str, moment: str) -> None:
    text = f"FROM {base}\n{USER}RUN echo before && sleep 2\n"
    build = bench.submit("killed", text, no_cache=True)
    if moment != "queued":
        bench.until(build, lambda b: b.state.value == moment)
    now = bench.manager.store.build(build.id)
    os.kill(ProcessIdentity.parse(now.worker).pid, signal.SIGKILL)
    ended = bench.end(build)
    assert ended.state is BuildState.INTERRUPTED
    assert bench.image(build).state is ImageState.FAILED
    assert any("interrupted" in line for line in bench.lines(build))
    again = bench.end(bench.manager.builds.retry(bench.actor, build.id))
    assert again.state is BuildState.SUCCEEDED, (again.failure, bench.lines(again))
    bench.manager.kernels.reap()
    left = bench.manager.engine.list_containers({f"{LABEL}.installation": bench.manager.store.installation_id()})
    assert left == []


def test_a_build_outlives_the_service_that_asked_for_it(manager_config: Config, bench: Bench, base: str) -> None:
    build = bench.submit("lasting", f"FROM {base}\n{USER}RUN echo still here\n")
    bench.manager.close()
    with_new = ImageManager(config=manager_config)
    lines = [line.text for line in with_new.builds.follow(bench.actor, build.id)]
    assert with_new.builds.get(bench.actor, build.id).state is BuildState.SUCCEEDED
    assert lines[0].startswith("lasting:1: asked for by")
    assert "still here" in lines
    with_new.close()


def test_many_lines_come_each_once_and_in_order(bench: Bench, base: str) -> None:
    build = bench.end(bench.submit("lines", f"FROM {base}\n{USER}RUN seq 1 20000\n", no_cache=True))
    assert build.state is BuildState.SUCCEEDED, build.failure
    assert [text for text in bench.lines(build) if text.isdigit()] == [str(n) for n in range(1, 20_001)]


def test_the_administrators_settings_reach_each_run_and_stay_nowhere(bench: Bench, base: str, tmp_path: Path) -> None:
    authority = tmp_path / "company.crt"
    authority.write_text("the company's own authority\n")
    settings = {
        "from_server_environment": False,
        "proxies": {"HTTPS_PROXY": "http://company-proxy.invalid:3128"},
        "environment": {"PIP_INDEX_URL": "https://company-mirror.invalid/simple"},
        "ca_bundle": str(authority),
    }
    for name, value in settings.items():
        setattr(bench.manager.builds.settings, name, value)
    bench.manager.config["BuildSettings"] = Config(settings)
    text = (
        f"FROM {base}\n{USER}"
        "RUN echo index=$PIP_INDEX_URL proxy=$https_proxy && cat $PIP_CERT\n"
        "USER jupyter\nRUN echo as jupyter: $PIP_INDEX_URL && \\\n    cat $SSL_CERT_FILE\n"
        'RUN ["python3", "-c", "print(1)"]\n'
    )
    build = bench.end(bench.submit("company", text, no_cache=True))
    assert build.state is BuildState.SUCCEEDED, (build.failure, bench.lines(build))
    lines = bench.lines(build)
    assert "index=https://company-mirror.invalid/simple proxy=http://company-proxy.invalid:3128" in lines
    assert "as jupyter: https://company-mirror.invalid/simple" in lines
    assert lines.count("the company's own authority") == 2
    image = bench.image(build)
    saved = b"".join(__import__("docker").APIClient(timeout=60).get_image(image.engine_image))
    for trace in (b"company-mirror.invalid", b"company-proxy.invalid", b"company's own authority"):
        assert trace not in saved
    assert bench.manager.images.recipe(bench.actor, image.id).dockerfile == text


@pytest.mark.parametrize(
    ("request_", "kind", "word"),
    [
        ({"name": "x"}, InvalidDockerfile, "There is no Dockerfile"),
        ({"name": "x", "dockerfile_text": ""}, InvalidDockerfile, "empty"),
        ({"name": "x", "dockerfile_text": "FROM a\nRUNN x"}, InvalidDockerfile, "Line 2"),
        ({"name": "x", "dockerfile_text": "RUN x"}, InvalidDockerfile, "FROM"),
        ({"name": "x", "dockerfile_path": "../Dockerfile"}, InvalidRequest, "outside"),
        ({"name": "x", "dockerfile_path": "folder"}, InvalidDockerfile, "no file"),
        ({"name": "x", "dockerfile_path": "binary"}, InvalidDockerfile, "UTF-8"),
        ({"name": "Capital", "dockerfile_text": "FROM a"}, InvalidReference, "capital"),
        ({"name": "with space", "dockerfile_text": "FROM a"}, InvalidReference, "spaces"),
        ({"name": "a/b", "dockerfile_text": "FROM a"}, InvalidReference, "slash"),
        ({"name": "x" * 300, "dockerfile_text": "FROM a"}, InvalidReference, "longer"),
        ({"name": "x", "reference": "--privileged"}, InvalidReference, "reference"),
        ({"name": "x", "reference": "a", "dockerfile_text": "FROM a"}, InvalidRequest, "one source"),
        ({"name": "x", "archive": "/nowhere.tar"}, InvalidRequest, "no archive"),
        ({"name": "x", "dockerfile_text": "FROM a", "context": "folder/../.."}, InvalidRequest, "leaves"),
        ({"name": "x", "dockerfile_text": "FROM a", "context": "binary"}, InvalidRequest, "file"),
        ({"name": "x", "template": {"name": "nonsense"}}, InvalidRequest, "template"),
        ({"name": "x", "dockerfile_text": "FROM a", "storage": Storage.REGISTRY}, InvalidRequest, "registry"),
    ],
)
def test_bad_input_is_refused_before_anything_changes(
    bench: Bench, request_: dict[str, object], kind: type[Exception], word: str
) -> None:
    (bench.folder / "folder").mkdir()
    (bench.folder / "binary").write_bytes(b"\xff\xfe\x00")
    before = bench.manager.store.last_change()
    with pytest.raises(kind, match=word):
        bench.manager.builds.submit(bench.actor, bench.project.id, BuildRequest(**request_))
    assert bench.manager.store.last_change() == before
    assert bench.manager.store.images(bench.project.id) == []


def test_an_unknown_base_and_a_missing_file_say_what_to_do(bench: Bench, base: str) -> None:
    unknown = bench.end(bench.submit("unknown", "FROM no-such-registry.invalid/base:1\n"))
    assert unknown.state is BuildState.FAILED
    assert unknown.failure.message
    missing = bench.end(bench.submit("missing", f"FROM {base}\nCOPY nothing.txt /x\n"))
    assert missing.state is BuildState.FAILED
    assert "COPY nothing.txt" in missing.failure.instruction or "nothing.txt" in " ".join(missing.failure.lines)


def test_quotas_and_bases_of_the_administrator_hold(bench: Bench, base: str) -> None:
    bench.manager.policy.allowed_bases = ["docker.io/library/*"]
    with pytest.raises(NotAllowed, match="allowed"):
        bench.submit("x", f"FROM {base}\n")
    bench.manager.policy.allowed_bases = ["*"]
    assert bench.end(bench.submit("x", f"FROM {base}\n{USER}")).state is BuildState.SUCCEEDED
    bench.manager.policy.max_images = 1
    with pytest.raises(QuotaExceeded, match="1 of 1"):
        bench.submit("y", f"FROM {base}\n{USER}")


def test_a_big_context_must_be_confirmed(bench: Bench, base: str) -> None:
    bench.manager.builds.settings.context_limit = 1000
    (bench.folder / "big.bin").write_bytes(bytes(5000))
    with pytest.raises(NeedsConfirmation, match=r"big\.bin"):
        bench.submit("x", f"FROM {base}\n")
    with pytest.raises(Conflict):
        bench.manager.builds.fix(
            bench.actor, bench.image(bench.end(bench.submit("x", f"FROM {base}\n{USER}", confirm_context=True))).id
        )


def test_memory_stays_flat_while_a_gibibyte_is_sent(bench: Bench, base: str) -> None:
    with (bench.folder / "big.bin").open("wb") as big:
        big.truncate(1 << 30)
    build = bench.submit("big", f"FROM {base}\n{USER}", confirm_context=True)
    most = 0
    while not (now := bench.manager.builds.get(bench.actor, build.id)).done:
        status = Path(f"/proc/{ProcessIdentity.parse(now.worker).pid}/status")
        try:
            high = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        except OSError:
            high = []
        if high:
            most = max(most, int(high[0].split()[1]) // 1024)
        time.sleep(0.1)
    assert bench.end(build).state is BuildState.SUCCEEDED, bench.lines(build)
    assert 0 < most <= 120
    recipe = bench.manager.images.recipe(bench.actor, build.image_id)
    assert not recipe.context_stored
    assert recipe.context_digest.startswith("sha256:")
    kept = [
        path for path in Path(bench.manager.data_dir).rglob("*") if path.is_file() and path.stat().st_size > 50 << 20
    ]
    assert kept == []
    assert replace(recipe) == recipe
