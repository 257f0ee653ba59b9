from __future__ import annotations

import io
import tarfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from jupyter_image_manager.engine.docker_engine import DockerEngine
from jupyter_image_manager.engine.port import LABEL, BuildProgress, BuildSpec, ContainerSpec
from tests.conftest import clean


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


@pytest.fixture(params=["classic", "buildkit"])
def builder(request: pytest.FixtureRequest, bench_with: Callable[..., Bench]) -> Bench:
    """Each of the two builders."""
    return bench_with(builder=request.param)


def texts(progress: list[BuildProgress], stream: str | None = None) -> list[str]:
    return [p.text for p in progress if p.kind == "line" and stream in (None, p.stream)]
