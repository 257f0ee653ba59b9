"""Images of the real engine."""

from __future__ import annotations

import io
import tarfile

import pytest

from jupyter_image_manager.engine.connection import Connection
from jupyter_image_manager.errors import Conflict, ImageManagerError, ImageNotFound, InvalidRequest

from .conftest import Bench

pytestmark = pytest.mark.engine


def test_what_is_known_of_the_engine(bench: Bench) -> None:
    info = bench.engine.info()
    assert info.id and info.version and info.cpus and info.memory and info.root_dir
    assert info.kind == "docker" and not info.remote and info.architecture in ("amd64", "arm64")
    assert info.builder in ("classic", "buildkit") and info.builder_reason
    assert bench.engine.info() is info and bench.engine.info(refresh=True) == info
    disk = bench.engine.disk()
    assert disk.free and disk.total and disk.free <= disk.total
    assert bench.engine.describe()["limits"]["memory"] is True


def test_tags_labels_and_removal(bench: Bench) -> None:
    engine = bench.engine
    image = bench.build(f"FROM {bench.base}\nENV A=b=c\nUSER 1000\nWORKDIR /tmp\nRUN echo x > x\n")[-1].image_id
    assert [found.id for found in engine.list_images(bench.labels)] == [image]
    assert [found.id for found in engine.list_images({next(iter(bench.labels)): ""}) if found.id == image] == [image]
    found = engine.inspect_image(image)
    assert (found.user, found.working_dir, found.env["A"]) == ("1000", "/tmp", "b=c")
    assert found.architecture == engine.info().architecture and found.os == "linux" and found.size > 1 << 20
    layers = engine.layers(image)
    assert any("echo x" in layer.created_by and layer.size for layer in layers[-3:])
    other = f"jim-test/other-{bench.installation}:2"
    engine.tag(image, other)
    engine.tag(image, other)
    engine.remove_image(bench.spec().tag)
    engine.remove_image(bench.spec().tag)
    assert engine.inspect_image(other).tags == (other,)
    container = engine.create(bench.container("true", image=image))
    with pytest.raises(Conflict, match="in use"):
        engine.remove_image(image)
    engine.remove(container)
    engine.remove_image(image, force=True)
    engine.remove_image(image, force=True)
    with pytest.raises(ImageNotFound):
        engine.inspect_image(image)


def test_import_of_a_file_system(bench: Bench) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("etc/hello")
        member.size = 5
        tar.addfile(member, io.BytesIO(b"hello"))
    buffer.seek(0)
    reference = f"jim-test/tiny-{bench.installation}:1"
    image = bench.engine.import_filesystem(buffer, reference, env={"LANG": "C.UTF-8"})
    try:
        found = bench.engine.inspect_image(reference)
        assert found.id == image and found.env["LANG"] == "C.UTF-8" and found.size == 5
        assert b"hello" in b"".join(bench.engine.copy_out(image, "/etc/hello"))
    finally:
        bench.engine.remove_image(reference)


def test_load_what_was_saved(bench: Bench) -> None:
    image = bench.build(f"FROM {bench.base}\nRUN echo {bench.installation} > /x\n")[-1].image_id
    client = Connection(bench.engine.address, 60).client(stream=True)
    saved = b"".join(client.get_image(bench.spec().tag))
    untagged = b"".join(client.get_image(image))
    bench.engine.remove_image(image, force=True)
    assert bench.engine.load(io.BytesIO(saved)) == (image,)
    bench.engine.remove_image(image, force=True)
    assert bench.engine.load(io.BytesIO(untagged)) == (image,)


@pytest.mark.parametrize("data", [b"", b"no archive at all" * 100])
def test_load_of_something_else(bench: Bench, data: bytes) -> None:
    with pytest.raises(InvalidRequest, match="docker save"):
        bench.engine.load(io.BytesIO(data))


def test_a_pull_that_cannot_be(bench: Bench) -> None:
    with pytest.raises(ImageManagerError, match=r"nowhere\.invalid/no/such"):
        list(bench.engine.pull("nowhere.invalid/no/such:1"))
