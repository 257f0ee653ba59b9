from __future__ import annotations

import io
import subprocess
import tarfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from jupyter_image_manager.engine import buildkit
from jupyter_image_manager.engine.docker_engine import DockerEngine
from jupyter_image_manager.engine.port import LABEL, BuildProgress, BuildSpec, ContainerSpec
from tests.conftest import MACHINE, clean


def context(dockerfile: str, **files: bytes) -> list[bytes]:
    """Return the tar of a context as blocks."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in {"Dockerfile": dockerfile.encode(), **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return [buffer.getvalue()]


@dataclass
class Bench:
    """An engine, and labels by which all that a test makes is found again."""

    engine: DockerEngine
    installation: str
    base: str

    @property
    def labels(self) -> dict[str, str]:
        return {f"{LABEL}.installation": self.installation}

    def spec(self, **changes: object) -> BuildSpec:
        made = BuildSpec(
            tag=f"jim-test/built-{self.installation}:1", dockerfile="Dockerfile", labels=self.labels, build_args={}
        )
        return replace(made, **changes)

    def build(
        self, dockerfile: str, *, files: dict[str, bytes] | None = None, **changes: object
    ) -> list[BuildProgress]:
        spec = self.spec(**changes)
        sent = self.engine.adapt(dockerfile, spec)
        return list(self.engine.build(spec, context(sent, **(files or {}))))

    def container(self, *command: str, **changes: object) -> ContainerSpec:
        made = ContainerSpec(image=self.base, command=command, name="", labels=self.labels, network="none")
        return replace(made, **changes)

    def start(self, *command: str, **changes: object) -> str:
        container = self.engine.create(self.container(*command, **changes))
        self.engine.start(container)
        return container


@pytest.fixture
def bench_with(base_image: Callable[[str], str]) -> Iterator[Callable[..., Bench]]:
    base = base_image("3.11")
    made: list[Bench] = []

    def make(**traits: object) -> Bench:
        made.append(Bench(DockerEngine(**traits), uuid.uuid4().hex[:12], base))
        return made[-1]

    yield make
    for bench in made:
        clean(bench.engine, bench.installation)
        bench.engine.close()


@pytest.fixture
def bench(bench_with: Callable[..., Bench]) -> Bench:
    return bench_with()


def docker_cli() -> str | None:
    """Return the folder of a Docker CLI with a BuildKit client inside; newer ones have none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buildkit, "PLUGINS", ())
        patch.setattr(buildkit.shutil, "which", lambda _: None)
        found = buildkit.find_client()
    return str(Path(found.command[0]).parent) if found else None


CLIENTS = ["docker-buildx", *(["docker-cli"] if docker_cli() else [])]
"""Programs that drive BuildKit here."""


@pytest.fixture(scope="session")
def buildx() -> str:
    """Return the folder of docker-buildx; it is fetched where the distribution has none."""
    said = subprocess.run([MACHINE / "buildx"], stdout=subprocess.PIPE, text=True, check=True)
    return said.stdout.strip()


@pytest.fixture
def bench_of(bench_with: Callable[..., Bench], buildx: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Bench]:
    """Build with one of the builders, and one of the programs that drive it, as on a machine that has no other."""

    def make(builder: str) -> Bench:
        if builder == "classic":
            return bench_with(builder=builder)
        monkeypatch.setattr(buildkit, "PLUGINS", ())
        monkeypatch.setenv("PATH", buildx if builder == "docker-buildx" else docker_cli() or "")
        bench = bench_with(builder="buildkit")
        assert ("docker-buildx" in bench.engine.info().builder_reason) == (builder == "docker-buildx")
        return bench

    return make


@pytest.fixture(params=["classic", *CLIENTS])
def builder(request: pytest.FixtureRequest, bench_of: Callable[[str], Bench]) -> Bench:
    """Each of the builders, with each of the programs that drive it."""
    return bench_of(request.param)


@pytest.fixture(params=CLIENTS)
def by_buildkit(request: pytest.FixtureRequest, bench_of: Callable[[str], Bench]) -> Bench:
    """BuildKit, with each of the programs that drive it."""
    return bench_of(request.param)


def texts(progress: list[BuildProgress], stream: str | None = None) -> list[str]:
    return [p.text for p in progress if p.kind == "line" and stream in (None, p.stream)]
