"""Images that are taken in: by reference, pinned, or from an archive, kept; and built again from that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from jupyter_image_manager.builds import importing
from jupyter_image_manager.errors import Conflict, ImageNotFound, NotAllowed
from jupyter_image_manager.lifecycle import rebuilding
from jupyter_image_manager.models import BuildState, ImageState, Recipe, SourceKind

from .. import registries
from .conftest import Builder

pytestmark = pytest.mark.engine


@pytest.fixture
def client() -> Iterator[docker.APIClient]:
    client = docker.APIClient(timeout=120)
    yield client
    client.close()


@pytest.fixture
def saved(client: docker.APIClient, tmp_path: Path) -> Path:
    """An archive of an image that lacks its user."""
    path = tmp_path / "saved.tar"
    with path.open("wb") as file:
        file.writelines(client.get_image("jim-test/python:3.11"))
    return path


def recipe_of(builder: Builder, build) -> Recipe:
    return builder.manager.images.recipe(builder.actor, build.image_id)


def warned(builder: Builder, build) -> str:
    return " ".join(builder.manager.images.get(builder.actor, build.image_id).warnings)


def test_a_reference_is_pinned_and_what_is_added_stands_on_the_digest(
    builder: Builder, tmp_path: Path, client: docker.APIClient
) -> None:
    with registries.running(tmp_path) as registry:
        reference = f"{registry.address}/team/base:1"
        pinned = f"{reference}@{registries.push(client, 'jim-test/python:3.11', reference)}"
        try:
            build = builder.build(reference=reference)
            assert builder.image(build).state is ImageState.UNUSABLE, (build.failure, builder.text(build))
            assert recipe_of(builder, build).reference == pinned
            assert f"pinned as {pinned}" in builder.text(build)
            fixed = builder.wait(builder.builds.fix(builder.actor, build.image_id))
            assert fixed.state is BuildState.SUCCEEDED, (fixed.failure, builder.text(fixed))
            assert recipe_of(builder, fixed).dockerfile.startswith(f"FROM {pinned}\n")
            assert not re.search("rebuil|digest", warned(builder, fixed))

            # Next year the engine knows nothing of it, and the tag means another image.
            for image in (build.image_id, fixed.image_id):
                builder.manager.images.delete(builder.actor, image, confirm=True)
            client.remove_image(reference)
            at_once = builder.build(reference=pinned, fix=True)
            assert at_once.state is BuildState.SUCCEEDED, (at_once.failure, builder.text(at_once))
            assert "pulling" in builder.text(at_once)
            assert recipe_of(builder, at_once).dockerfile.startswith(f"FROM {pinned}\n")
        finally:
            for tag in (reference, pinned):
                builder.manager.engine.remove_image(tag)


def test_what_no_registry_has_is_said_to_be_loose(builder: Builder) -> None:
    build = builder.build(reference="jim-test/python:3.11", fix=True)
    assert build.state is BuildState.SUCCEEDED, builder.text(build)
    recipe = recipe_of(builder, build)
    assert (recipe.kind, recipe.reference) == (SourceKind.IMPORT, "docker.io/jim-test/python:3.11")
    assert recipe.dockerfile.startswith("FROM docker.io/jim-test/python:3.11\n")
    assert "has no digest" in builder.text(build) and "has no digest" in warned(builder, build)
    again = builder.build(from_image=build.image_id, no_cache=True)
    assert again.state is BuildState.SUCCEEDED, (again.failure, builder.text(again))
    assert "has no digest" in warned(builder, again)
    builder.manager.policy.allowed_bases = ["docker.io/library/*"]
    with pytest.raises(NotAllowed):
        builder.submit(from_image=build.image_id)


@pytest.mark.parametrize("limit", [1 << 30, 0])
def test_an_archive_is_kept_if_it_is_small_and_can_be_built_again(builder: Builder, saved: Path, limit: int) -> None:
    builder.manager.config.BuildSettings.context_store_limit = limit
    kept = bool(limit)
    build = builder.build(archive=str(saved), name="taken")
    image = builder.image(build)
    assert image.state is ImageState.UNUSABLE, (build.failure, builder.text(build))
    recipe = recipe_of(builder, build)
    assert (recipe.context_stored, recipe.context_size) == (kept, saved.stat().st_size)
    assert ("too big" in builder.text(build), "too big" in warned(builder, build)) == (not kept, not kept)
    again = builder.wait(builder.builds.retry(builder.actor, build.id))
    assert builder.image(again).engine_image == image.engine_image, (again.failure, builder.text(again))

    saved.unlink()
    fixed = builder.wait(builder.builds.fix(builder.actor, build.image_id))
    assert fixed.state is BuildState.SUCCEEDED, (fixed.failure, builder.text(fixed))
    assert recipe_of(builder, fixed).dockerfile.startswith(f"FROM {importing.archive_base(recipe)}\n")
    assert [tag for tag in builder.left() if "/archive:" in tag] == []

    builder.manager.images.delete(builder.actor, build.image_id, confirm=True)
    if kept:
        rebuilt = builder.build(from_image=fixed.image_id, no_cache=True)
        assert rebuilt.state is BuildState.SUCCEEDED, (rebuilt.failure, builder.text(rebuilt))
        assert "from the copy that is kept" in builder.text(rebuilt)
        with pytest.raises(ImageNotFound):
            builder.manager.engine.inspect_image(importing.archive_base(recipe))
    else:
        with pytest.raises(Conflict, match="too big to be kept; import it again"):
            builder.submit(from_image=fixed.image_id)


def test_warnings_say_what_a_later_build_needs() -> None:
    def said(**known: object) -> str:
        return " ".join(rebuilding(Recipe(id="a", **known)))

    assert said(kind=SourceKind.DOCKERFILE, dockerfile="FROM a:1\n") == ""
    assert said(kind=SourceKind.IMPORT, reference="docker.io/a/b:1@sha256:" + "0" * 64) == ""
    assert "docker.io/a/b:1 has no digest" in said(kind=SourceKind.IMPORT, reference="docker.io/a/b:1")
    assert "archive x.tar" in said(kind=SourceKind.ARCHIVE, reference="x.tar", context_digest="sha256:" + "0" * 64)
    own = "FROM jupyter-image-manager/p-1234/geo:1\nRUN x\n"
    assert "geo:1" in said(kind=SourceKind.DUPLICATE, dockerfile=own)
    digest = {"context_digest": "sha256:" + "0" * 64, "context_size": 5_000_000, "context_path": "app"}
    assert "5 MB" in said(kind=SourceKind.DOCKERFILE, dockerfile="FROM a:1\n", **digest)
    assert said(kind=SourceKind.DOCKERFILE, dockerfile="FROM a:1\n", context_stored=True, **digest) == ""
