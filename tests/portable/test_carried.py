"""What archives of ours carry, and what lock files hold; no engine is asked."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_image_manager.builds import archive
from jupyter_image_manager.errors import InvalidRequest, NotFound
from jupyter_image_manager.models import ImageState, Package, Recipe, Report, SourceKind
from jupyter_image_manager.portable import carried, lock

from ..store.values import a_recipe, an_image

SAVED = b"what the engine saved"
CONTEXT = b"a tar of some files" * 1000
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def an_archive(path: Path, recipe: Recipe, context: Path | None = None) -> Path:
    """As an export writes it, with one file in place of an engine's archive."""
    image = an_image("p", recipe, name="geo", version=3, state=ImageState.READY, engine_image="sha256:" + "a" * 64)
    image = replace(image, report=Report(ok=True, packages=(Package("numpy", "2.0"),)))
    saved = io.BytesIO()
    with tarfile.open(fileobj=saved, mode="w") as tar:
        info = tarfile.TarInfo("manifest.json")
        info.size = len(SAVED)
        tar.addfile(info, io.BytesIO(SAVED))
    path.write_bytes(b"".join(carried.head(image, recipe, context)) + saved.getvalue())
    return path


def a_context(folder: Path) -> tuple[Path, str]:
    path = folder / "context.tar.gz"
    path.write_bytes(gzip.compress(CONTEXT))
    return path, "sha256:" + hashlib.sha256(CONTEXT).hexdigest()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS, args=st.dictionaries(TEXTS, TEXTS, max_size=3), stored=st.booleans())
def test_a_recipe_arrives_as_it_left_with_its_context(
    tmp_path: Path, text: str, args: dict[str, str], stored: bool
) -> None:
    context, digest = a_context(tmp_path)
    recipe = a_recipe(
        kind=SourceKind.TEMPLATE, dockerfile=text, build_args=args, template={"name": text}, parent_image_id="x" * 32
    )
    recipe = replace(recipe, context_digest=digest, context_stored=True) if stored else recipe
    path = an_archive(tmp_path / "geo.tar", recipe, context if stored else None)
    found = carried.read(path)
    assert found is not None
    assert (found.name, found.version) == ("geo", 3)
    assert found.recipe == replace(recipe, parent_image_id=None, context_stored=False)
    kept = tmp_path / "kept"
    assert carried.unpack_context(path, found.recipe, kept, 1 << 20) is stored
    if stored:
        assert gzip.decompress((kept / f"{digest[7:]}.tar.gz").read_bytes()) == CONTEXT
        assert [each.name for each in kept.iterdir()] == [f"{digest[7:]}.tar.gz"]
    # Others see an ordinary archive with files that they do not know.
    assert archive.survey(path, 1 << 30, lambda: None) > len(SAVED)
    with tarfile.open(path) as tar:
        assert tar.extractfile("manifest.json").read() == SAVED


def test_an_archive_of_others_carries_nothing(tmp_path: Path) -> None:
    path = tmp_path / "other.tar"
    with tarfile.open(path, "w") as tar:
        tar.addfile(tarfile.TarInfo("manifest.json"))
    assert carried.read(path) is None


@pytest.mark.parametrize(
    "about",
    [
        b"no json",
        b"[]",
        b"{}",
        b'{"format": 2}',
        b'{"format": 1, "recipe": {"kind": "dockerfile"}}',
        b'{"format": 1, "recipe": {"id": "x", "kind": "odd"}}',
        b'{"format": 1, "recipe": {"id": "x", "kind": "dockerfile", "dockerfile": 3}, "name": "a", "description": "",'
        b' "engine_image": "", "version": 1, "python_version": "", "created": "2026-01-01T00:00:00Z"}',
    ],
)
def test_a_damaged_description_is_refused(tmp_path: Path, about: bytes) -> None:
    path = tmp_path / "geo.tar"
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo(carried.ABOUT)
        info.size = len(about)
        tar.addfile(info, io.BytesIO(about))
    with pytest.raises(InvalidRequest):
        carried.read(path)


def test_another_context_than_the_recipes_is_refused_and_not_kept(tmp_path: Path) -> None:
    context, digest = a_context(tmp_path)
    kept = tmp_path / "kept"
    for wanted, limit in (("sha256:" + "0" * 64, 1 << 20), (digest, 10)):
        path = an_archive(tmp_path / "geo.tar", a_recipe(context_digest=wanted, context_stored=True), context)
        found = carried.read(path)
        with pytest.raises(InvalidRequest):
            carried.unpack_context(path, found.recipe, kept, limit)
        assert [*kept.iterdir()] == []


# The lock file
def a_lock() -> lock.Lock:
    recipe = a_recipe(dockerfile_path="docker/Dockerfile", build_args={"V": "1"}, digest="sha256:" + "b" * 64)
    image = an_image("p", recipe, name="geo", version=3, digest="sha256:" + "a" * 64)
    image = replace(
        image,
        repository="registry.example:5000/team/science/geo",
        report=Report(ok=True, packages=(Package("numpy", "2.0"), Package("Cython", "3.0"))),
    )
    return lock.of(image, recipe)


def test_a_lock_file_is_read_as_it_was_written_and_rewritten_only_when_it_changes(tmp_path: Path) -> None:
    path = lock.write(tmp_path, a_lock())
    assert lock.read(tmp_path) == a_lock()
    assert list(json.loads(path.read_text())["packages"]) == ["Cython", "numpy"]
    before = path.stat()
    lock.write(tmp_path, a_lock())
    assert path.stat().st_ino == before.st_ino
    lock.write(tmp_path, replace(a_lock(), version=4))
    assert lock.read(tmp_path).version == 4
    assert [each.name for each in tmp_path.iterdir()] == ["image.lock"]


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"digest": "latest"},
        {"name": "../x"},
        {"version": "3"},
        {"repository": "--option"},
        {"packages": {"numpy": 2}},
        {"dockerfile": ["x"]},
        {"template": "x"},
        {"build_args": {"a": None}},
    ],
)
def test_a_lock_file_that_cannot_be_meant_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = lock.write(tmp_path, a_lock())
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InvalidRequest):
        lock.read(tmp_path)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | TEXTS, lambda x: st.lists(x) | st.dictionaries(TEXTS, x))
)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_is_a_lock_file_or_refused(tmp_path: Path, said: object) -> None:
    (tmp_path / "image.lock").write_text(json.dumps(said))
    with pytest.raises(InvalidRequest):
        lock.read(tmp_path)


def test_without_a_lock_file_it_is_said_who_writes_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="jupyter image lock"):
        lock.read(tmp_path)
