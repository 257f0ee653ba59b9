"""Builds by the real engine, by each of its builders."""

from __future__ import annotations

import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_image_manager.engine.connection import Connection
from jupyter_image_manager.errors import (
    BuildFailed,
    EngineUnavailable,
    ImageManagerError,
    ImageNotFound,
    InvalidDockerfile,
    InvalidRequest,
)

from .conftest import Bench, context, texts

pytestmark = pytest.mark.engine


def test_steps_lines_and_image(builder: Bench) -> None:
    progress = builder.build(
        f"FROM {builder.base}\nCOPY data /data\n"
        "RUN cat /data; printf 'a\\rb\\rthe last\\n'; echo oops >&2\nRUN printf 'no end'\nRUN echo two\n",
        files={"data": "ä first\nsecond\n".encode()},
        no_cache=True,
    )
    steps = [p for p in progress if p.kind == "step"]
    assert [p.step for p in steps] == list(range(1, len(steps) + 1))
    assert steps[0].text.startswith("FROM") and all(p.steps >= p.step for p in steps)
    assert sorted(texts(progress)) == sorted(["ä first", "second", "the last", "oops", "no end", "two"])
    assert progress[-1].kind == "image"
    image = builder.engine.inspect_image(progress[-1].image_id)
    assert image.tags == (builder.spec().tag,)
    assert image.labels.items() >= builder.labels.items()
    assert image.id == progress[-1].image_id


def test_a_second_build_is_cached(builder: Bench) -> None:
    text = f"FROM {builder.base}\nRUN echo {builder.installation}\n"
    first, second = builder.build(text), builder.build(text)
    assert texts(first) == [builder.installation]
    assert texts(second) == [] and any(p.kind == "cached" for p in second)


def test_stages(builder: Bench) -> None:
    progress = builder.build(
        f"FROM {builder.base} AS one\nRUN echo made > /made\nFROM {builder.base}\nCOPY --from=one /made /made\n"
        "RUN cat /made\n",
        no_cache=True,
    )
    assert texts(progress) == ["made"]
    numbers = [p.step for p in progress if p.kind == "step"]
    assert numbers == sorted(set(numbers))


def test_output_that_looks_like_the_builders_own_words(builder: Bench) -> None:
    """What a step prints is a line, whatever it says; no container of others pays for it."""
    victim = builder.start("sleep", "60")
    said = [
        "Successfully built 0123456789ab",
        "Successfully built pandas",
        "Step 9/9 : RUN false",
        f" ---> Running in {victim[:12]}",
        f"Removing intermediate container {victim[:12]}",
        f" ---> Removed intermediate container {victim[:12]}",
        "#3 DONE 0.1s",
        '{"vertexes": []}',
    ]
    script = "; ".join(f"echo '{line}'" for line in said)
    progress = builder.build(f"FROM {builder.base}\nRUN {script}\nRUN echo end\n", no_cache=True)
    assert texts(progress) == [*said, "end"]
    with pytest.raises(BuildFailed):
        builder.build(f"FROM {builder.base}\nRUN {script}; exit 1\n", no_cache=True)
    state = builder.engine.inspect(victim)
    assert state is not None and state.running


@pytest.mark.parametrize(
    ("dockerfile", "kind", "words", "exit_code"),
    [
        ("FROM {base}\nRUN echo x; exit 3\n", BuildFailed, "RUN echo x; exit 3` failed with exit code 3", 3),
        ("FROM {base}\nRUN exit 137\n", BuildFailed, "want of memory", 137),
        ("FROM {base}\nCOPY nothing /x\n", BuildFailed, "context has no such file", None),
        ("FROM {base}\nCOPY one\n", InvalidDockerfile, "Line 2", None),
        ("FROM nowhere.invalid/no/such:1\n", ImageManagerError, "nowhere.invalid/no/such", None),
    ],
)
def test_failures_name_the_instruction(
    builder: Bench, dockerfile: str, kind: type[ImageManagerError], words: str, exit_code: int | None
) -> None:
    with pytest.raises(kind) as caught:
        builder.build(dockerfile.format(base=builder.base), no_cache=True)
    assert words in caught.value.message
    assert caught.value.details["exit_code"] == exit_code
    with pytest.raises(ImageNotFound):
        builder.engine.inspect_image(builder.spec().tag)


def test_a_context_that_breaks_is_not_the_engines_fault(builder: Bench) -> None:
    def broken() -> Iterator[bytes]:
        yield context(f"FROM {builder.base}\n")[0][:512]
        raise InvalidRequest("The file x vanished.")

    with pytest.raises(InvalidRequest, match="vanished"):
        list(builder.engine.build(builder.spec(), broken()))


def test_cancel_from_another_thread(builder: Bench) -> None:
    mark = f"sleep 6{int(builder.installation[:6], 16)}"
    run = builder.engine.build(builder.spec(no_cache=True), context(f"FROM {builder.base}\nRUN echo started; {mark}\n"))
    before = {container["Id"] for container in containers(builder)}
    lines: list[str] = []

    def follow() -> None:
        for progress in run:
            lines.extend(texts([progress]))
            if progress.text == "started":
                threading.Thread(target=run.cancel).start()

    with pytest.raises(BuildFailed, match="cancelled"):
        follow()
    run.cancel()
    assert lines == ["started"]
    left = [c for c in containers(builder) if c["Id"] not in before and mark in c["Command"]]
    assert left == []
    assert not running(mark)
    with pytest.raises(ImageNotFound):
        builder.engine.inspect_image(builder.spec().tag)


def containers(bench: Bench) -> list[dict[str, str]]:
    client = Connection(bench.engine.address, 20).client()
    found: list[dict[str, str]] = client.containers(all=True)
    return found


def running(mark: str) -> bool:
    """Whether a step's process still runs, after it had time to end."""
    import time

    for _ in range(50):
        found = False
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = path.read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            found = found or (mark in command and "pytest" not in command)
        if not found:
            return False
        time.sleep(0.2)
    return True


def test_cancel_before_and_during_the_context(builder: Bench) -> None:
    run = builder.engine.build(builder.spec(), context(f"FROM {builder.base}\n"))
    run.cancel()
    with pytest.raises(BuildFailed, match="cancelled"):
        list(run)

    def endless() -> Iterator[bytes]:
        run2.cancel()
        while True:
            yield bytes(1 << 20)

    run2 = builder.engine.build(builder.spec(), endless())
    with pytest.raises(BuildFailed, match="cancelled"):
        list(run2)


def test_many_lines_come_once_and_in_order(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(builder="classic")
    progress = bench.build(f"FROM {bench.base}\nRUN python3 -c 'for i in range(50000): print(i)'\n", no_cache=True)
    assert texts(progress) == [str(i) for i in range(50000)]


def test_what_only_buildkit_knows(bench_with: Callable[..., Bench]) -> None:
    classic = bench_with(builder="classic")
    with pytest.raises(BuildFailed, match=r"needs BuildKit.*docker-buildx"):
        classic.build(f"FROM {classic.base}\nRUN --mount=type=tmpfs,target=/t true\n")
    with pytest.raises(InvalidRequest, match="docker-buildx"):
        classic.build(f"FROM {classic.base}\n", secrets={"a": b"b"})
    auto = bench_with()
    assert auto.build(f"FROM {auto.base}\nRUN --mount=type=tmpfs,target=/t true\n", needs_buildkit=True)


def test_a_front_end_that_cannot_be_fetched(by_buildkit: Bench) -> None:
    bench = by_buildkit
    with pytest.raises(BuildFailed, match="# syntax="):
        bench.build(f"# syntax=nowhere.invalid/docker/dockerfile:1\nFROM {bench.base}\nRUN true\n")


def test_another_platform_is_refused(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(builder="classic")
    with pytest.raises(BuildFailed, match="arm64"):
        bench.build(f"FROM {bench.base}\nRUN true\n", platform="linux/arm64")


def test_the_classic_builder_says_what_it_cannot(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(builder="classic")
    progress = bench.build(f"FROM {bench.base}\nRUN echo $PIP_INDEX_URL $https_proxy\n", environment=SETTINGS)
    assert "docker-buildx" in texts(progress, "meta")[0]
    assert texts(progress, "out") == [SETTINGS["https_proxy"]]
    assert b"s3cret-pw" not in everything(bench)[0]


SETTINGS = {"PIP_INDEX_URL": "https://user:s3cret-pw@mirror.invalid/it's", "https_proxy": "http://u:s3cret-pw@p:1"}


def test_settings_reach_each_run_and_leave_no_trace(by_buildkit: Bench, tmp_path: Path) -> None:
    """With an engine that mounts secrets as variables, those three that no shell reads have them too."""
    bench = by_buildkit
    bundle = tmp_path / "ca.crt"
    bundle.write_text("CERTIFICATE-OF-THE-COMPANY\n")
    say = "import os; print('{}', os.environ.get('PIP_INDEX_URL'))"
    dockerfile = (
        f"FROM {bench.base} AS one\n"
        f'RUN ["python3", "-c", "{say.format("early")}"]\n'
        "RUN echo shell $PIP_INDEX_URL $https_proxy; cat $PIP_CERT\n"
        "RUN \\\n  # a comment\n  --mount=type=tmpfs,target=/t \\\n  echo continued \\\n\n    $PIP_INDEX_URL\n"
        f'RUN ["python3", "-c", "{say.format("exec")}"]\n'
        "RUN [ -e /nothing ] || echo brackets $PIP_INDEX_URL\n"
        "USER 1000\nRUN echo user $PIP_INDEX_URL; head -c 11 $SSL_CERT_FILE; touch /tmp/mine\n"
        f"FROM {bench.base}\n"
        f'SHELL ["python3", "-c"]\nRUN {say.format("python")}\nRUN ["python3", "-c", "{say.format("alone")}"]\n'
        'SHELL ["/bin/bash", "-ec"]\nRUN echo bash $PIP_INDEX_URL\n'
        "ONBUILD RUN echo later\nCOPY --from=one /tmp/mine /mine\n"
    )
    progress = bench.build(dockerfile, environment=SETTINGS, ca_bundle=str(bundle), no_cache=True)
    url, said = SETTINGS["PIP_INDEX_URL"], texts(progress)
    assert f"shell {url} {SETTINGS['https_proxy']}" in said
    for word in ("continued", "exec", "brackets", "user", "bash"):
        assert f"{word} {url}" in said
    everywhere = bench.engine.info().api_version >= "1.48"
    for word in ("early", "python", "alone"):
        assert f"{word} {url if everywhere else None}" in said
    assert said.count("CERTIFICATE-OF-THE-COMPANY") == 1 and "CERTIFICATE" in said
    shown = [p.text for p in progress if p.kind == "step"]
    assert f'RUN ["python3", "-c", "{say.format("exec")}"]' in shown
    assert f"RUN echo bash {'****' if everywhere else '$PIP_INDEX_URL'}" in shown
    assert not any("jupyter-image-manager" in text for text in shown)
    found, names = everything(bench)
    for trace in (b"s3cret-pw", b"mirror.invalid", b"CERTIFICATE-OF", b"jupyter-image-manager.environment\0"):
        assert trace not in found
    assert not any("jupyter-image-manager" in layer.created_by for layer in bench.engine.layers(bench.spec().tag))
    assert names == {"mine"}


def everything(bench: Bench) -> tuple[bytes, set[str]]:
    """Return all that the engine keeps of the image: configuration, history, newest layers; and what is in the last."""
    tag = bench.spec().tag
    client = Connection(bench.engine.address, 60).client(stream=True)
    found = [json.dumps(answer).encode() for answer in (client.inspect_image(tag), client.history(tag))]
    names: set[str] = set()
    with tarfile.open(fileobj=io.BytesIO(b"".join(client.get_image(tag)))) as tar:

        def read(name: str) -> bytes:
            member = tar.extractfile(name)
            assert member is not None
            return member.read()

        manifest = json.loads(read("manifest.json"))[0]
        found += [read(name) for name in (manifest["Config"], *manifest["Layers"][-4:])]
        with tarfile.open(fileobj=io.BytesIO(found[-1])) as layer:
            names = set(layer.getnames())
    return b"".join(found), names


def test_secrets_reach_only_their_mount(by_buildkit: Bench) -> None:
    bench = by_buildkit
    progress = bench.build(
        f"FROM {bench.base}\nRUN --mount=type=secret,id=token cp /run/secrets/token /dev/shm/t && wc -c < /dev/shm/t\n",
        secrets={"token": b"s3cret-pw"},
        no_cache=True,
    )
    assert texts(progress) == ["9"]
    assert b"s3cret-pw" not in everything(bench)[0]


def test_no_client_for_buildkit(bench_with: Callable[..., Bench], monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("jupyter_image_manager.engine.buildkit.PLUGINS", ())
    auto = bench_with()
    assert auto.engine.info().builder == "classic"
    assert "docker-buildx" in auto.engine.info().builder_reason
    assert auto.engine.describe()["settings_reach_run"] is False
    with pytest.raises(EngineUnavailable, match="docker-buildx"):
        bench_with(builder="buildkit").engine.info()
