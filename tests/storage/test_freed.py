"""What we say that is freed, against what the disk of the engine really got back: within two percent."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from jupyter_image_manager.engine import buildkit
from jupyter_image_manager.models import Storage

from ..engine.conftest import buildx  # noqa: F401  # a fixture
from .conftest import ACTOR, MEGABYTE, Yard

pytestmark = pytest.mark.engine


def test_what_is_said_to_be_freed_is_freed(yard: Yard) -> None:
    base = yard.build(20 * MEGABYTE)
    yard.manager.engine.tag(base, "base:1")
    first = yard.build(8 * MEGABYTE, 3 * MEGABYTE, base="base:1", files=8)
    yard.manager.engine.tag(first, "first:1")
    second = yard.build(12 * MEGABYTE, base="first:1", files=16)
    third = yard.build(5 * MEGABYTE, base="base:1")
    images = [yard.add(id, name) for id, name in ((second, "second"), (third, "third"), (first, "first"))]
    images.append(yard.add(base, "base"))
    for name in ("base:1", "first:1"):
        yard.manager.engine.remove_image(name)
    yard.manager.storage.keep()
    report = yard.manager.accounting.report(ACTOR, project_id=yard.project.id)
    together = next(total.bytes for total in report.storages if total.name == "optimized")
    assert together == sum(row.counted for row in report.images) == 48 * MEGABYTE
    before, said = yard.used(), 0
    for image, frees in zip(images, (12, 5, 11, 20), strict=True):
        start = yard.used()
        preview = yard.manager.images.deletion(ACTOR, image.id)
        assert preview.frees == frees * MEGABYTE
        yard.manager.images.delete(ACTOR, image.id, confirm=True)
        said += preview.frees
        assert start - yard.used() == pytest.approx(preview.frees, rel=0.02), image.spec
    assert said == together
    assert before - yard.used() == pytest.approx(said, rel=0.02)


def test_deleting_an_image_from_which_another_is_made_frees_nothing_and_says_so(yard: Yard) -> None:
    base = yard.add(yard.build(3 * MEGABYTE), "base")
    child = yard.add(yard.build(MEGABYTE, base=base.reference), "child")
    assert yard.manager.images.deletion(ACTOR, base.id).frees == 0
    yard.manager.images.delete(ACTOR, base.id, confirm=True)
    assert yard.manager.images.deletion(ACTOR, child.id).frees == 4 * MEGABYTE
    before = yard.used()
    yard.manager.images.delete(ACTOR, child.id, confirm=True)
    assert before - yard.used() == pytest.approx(4 * MEGABYTE, rel=0.02)


def test_what_others_have_too_is_not_said_to_be_freed(yard: Yard) -> None:
    base = yard.build(6 * MEGABYTE)
    yard.manager.engine.tag(base, "theirs:1")
    image = yard.add(yard.build(MEGABYTE, base="theirs:1"))
    (row,) = yard.manager.accounting.report(ACTOR).images
    assert (row.bytes, row.unique, row.shared) == (7 * MEGABYTE, MEGABYTE, 6 * MEGABYTE)
    assert yard.manager.images.deletion(ACTOR, image.id).frees == MEGABYTE


def test_the_three_that_are_named_free_what_is_said(yard: Yard) -> None:
    base = yard.build(4 * MEGABYTE)
    yard.manager.engine.tag(base, "base:1")
    pair = [yard.add(yard.build(MEGABYTE, base="base:1"), name) for name in ("a", "b")]
    single = yard.add(yard.build(5 * MEGABYTE), "c")
    active = yard.add(yard.build(9 * MEGABYTE), "active")
    small = yard.add(yard.build(2 * MEGABYTE), "small")
    yard.manager.store.activate_image(yard.project.id, active.id)
    yard.manager.engine.remove_image("base:1")
    found = yard.manager.accounting.report(ACTOR).deletable
    assert found is not None
    assert (set(found.image_ids), found.frees) == ({single.id, *(each.id for each in pair)}, 11 * MEGABYTE)
    before = yard.used()
    for id in found.image_ids:
        yard.manager.images.delete(ACTOR, id, confirm=True)
    assert before - yard.used() == pytest.approx(found.frees, rel=0.02)
    assert yard.held() == {active.engine_image, small.engine_image}


def test_a_prune_frees_what_it_says(yard: Yard) -> None:
    base = yard.build(4 * MEGABYTE)
    yard.manager.engine.tag(base, "base:1")
    old = [yard.add(yard.build(MEGABYTE, base="base:1"), name) for name in ("a", "b")]
    yard.manager.engine.remove_image("base:1")
    active = yard.add(yard.build(2 * MEGABYTE), "active")
    yard.manager.store.activate_image(yard.project.id, active.id)
    cached = yard.add(yard.build(3 * MEGABYTE), "cached", storage=Storage.REGISTRY, optimized=False)
    prune = yard.manager.storage.prune
    assert prune(ACTOR).items == (), "all of it is young"
    found = prune(ACTOR, older_than=timedelta(0))
    assert [(item.kind, item.image_id) for item in found.items] == [("image", each.id) for each in old]
    assert found.frees == 6 * MEGABYTE == sum(item.frees for item in found.items)
    before = yard.used()
    done = prune(ACTOR, older_than=timedelta(0), confirm=True)
    assert (done.done, done.failed, done.frees) == (True, (), found.frees)
    assert before - yard.used() == pytest.approx(found.frees, rel=0.02)
    assert yard.held() == {active.engine_image, cached.engine_image}, (
        "whether a registry has the cached one is not known"
    )


def test_the_builders_cache_gives_back_what_an_image_leaves_there(
    yard: Yard,
    buildx: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(buildkit, "PLUGINS", ())
    monkeypatch.setenv("PATH", f"{buildx}{os.pathsep}{os.environ['PATH']}")
    yard.manager.engine.builder = "buildkit"
    one = yard.add(yard.build_by_buildkit(5 * MEGABYTE), "one")
    other = yard.add(yard.build_by_buildkit(3 * MEGABYTE), "other")
    before = yard.used()
    preview = yard.manager.images.deletion(ACTOR, one.id)
    yard.manager.images.delete(ACTOR, one.id, confirm=True)
    assert preview.frees == 5 * MEGABYTE
    # What BuildKit writes down of its cache is not what the image held: some kB.
    assert before - yard.used() == pytest.approx(preview.frees, rel=0.02)
    assert yard.held() == {other.engine_image}
    with yard.own.client() as client:
        kept = [each["Size"] // MEGABYTE for each in client.df()["BuildCache"] if each["Shared"]]
    assert kept == [3], "of the other one nothing was given back"
