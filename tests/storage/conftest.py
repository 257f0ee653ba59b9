"""Images in an engine of the tests' own, whose disk is theirs alone and which may be cleaned up."""

from __future__ import annotations

import io
import os
import secrets
import shutil
import tarfile
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest
from traitlets.config import Config

from jupyter_image_manager.engine.port import LABEL, BuildSpec
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, Image, ImageState, Project, Storage

from ..chaos.own_engine import OwnEngine
from ..engine.conftest import context
from ..store.values import a_recipe, an_image

MEGABYTE = 1 << 20
ACTOR = Actor("tester")


class Yard:
    """A service on an engine that nobody else uses."""

    def __init__(self, engine: OwnEngine, folder: Path) -> None:
        self.own = engine
        (folder / "root" / "project").mkdir(parents=True)
        config: dict[str, Any] = {"DockerEngine": {"host": engine.address}}
        config["ImageManager"] = {"data_dir": str(folder / "data"), "root_dir": str(folder / "root")}
        self.manager = ImageManager(config=Config(config))
        self.project = self.manager.projects.create(ACTOR, str(folder / "root" / "project"))

    def build(self, *layers: int, base: str = "scratch", files: int = 1, labels: dict[str, str] | None = None) -> str:
        """Build an image of layers of so many random bytes, each in some files; return its id."""
        context = io.BytesIO()
        lines = [f"FROM {base}"]
        with tarfile.open(fileobj=context, mode="w") as tar:
            for number, size in enumerate(layers):
                for file in range(files):
                    content = os.urandom(size // files)
                    entry = tarfile.TarInfo(f"{number}/{file}")
                    entry.size = len(content)
                    tar.addfile(entry, io.BytesIO(content))
                lines.append(f"COPY {number} /{secrets.token_hex(4)}")
            text = "\n".join(lines).encode()
            entry = tarfile.TarInfo("Dockerfile")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
        context.seek(0)
        with self.own.client() as client:
            said = list(client.build(fileobj=context, custom_context=True, labels=labels or {}, decode=True, rm=True))
        (id,) = [line["aux"]["ID"] for line in said if "aux" in line]
        return str(id)

    def build_by_buildkit(self, size: int) -> str:
        """Build an image of one layer of random bytes, as our own builds do."""
        sent = context("FROM scratch\nCOPY content /\n", content=os.urandom(size))
        spec = BuildSpec(tag=f"jim-test/{uuid.uuid4().hex[:8]}:1", dockerfile="Dockerfile", labels={}, build_args={})
        id = [each.image_id for each in self.manager.engine.build(spec, sent)][-1]
        self.manager.engine.tag(id, "kept:1")
        self.manager.engine.remove_image(spec.tag)
        return id

    def add(self, engine_image: str, name: str = "geo", **values: Any) -> Image:
        """Say that an image of the engine is one of the project's, kept under its tag."""
        recipe = a_recipe()
        reference = f"jupyter-image-manager/test/{name}:{uuid.uuid4().hex[:8]}"
        self.manager.engine.tag(engine_image, reference)
        self.manager.engine.remove_image("kept:1")
        image = an_image(
            self.project.id,
            recipe,
            name=name,
            state=ImageState.READY,
            storage=Storage.LOCAL,
            engine_image=engine_image,
            digest=engine_image,
            reference=reference,
            size=self.manager.engine.inspect_image(engine_image).size,
            optimized=True,
            architecture="amd64",
        )
        return self.manager.store.add_image(replace(image, **values), recipe)

    def used(self) -> int:
        """Return the bytes that are used on the engine's disk."""
        found = os.statvfs(self.own.disk.path)
        return (found.f_blocks - found.f_bfree) * found.f_frsize

    def held(self) -> set[str]:
        return set(self.manager.engine.image_tags())

    def clear(self) -> None:
        """Remove everything from the engine."""
        with self.own.client() as client:
            for container in client.containers(all=True):
                client.remove_container(container["Id"], force=True)
            while found := client.images(quiet=True):
                for image in found:
                    try:
                        client.remove_image(image, force=True)
                    except docker.errors.APIError:
                        continue  # gone with another one, or others are made from it and go first
        self.manager.close()


@pytest.fixture(scope="module")
def own_engine() -> Iterator[OwnEngine]:
    place = Path("/tmp", f"jim-{secrets.token_hex(4)}")  # short: a socket lies in it
    place.mkdir()
    engine = OwnEngine(place, 600)
    try:
        engine.start()
        yield engine
    finally:
        engine.remove()
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def yard(own_engine: OwnEngine, tmp_path: Path) -> Iterator[Yard]:
    yard = Yard(own_engine, tmp_path)
    yield yard
    yard.clear()


@pytest.fixture
def place(yard: Yard) -> Project:
    return yard.project


__all__ = ["ACTOR", "LABEL", "MEGABYTE", "Yard"]
