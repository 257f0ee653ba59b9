"""Cached copies go from the real engine when nobody needs them, and come again from the registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_image_manager.engine.port import LABEL, ContainerSpec
from jupyter_image_manager.models import BuildState

from ..kernels.laboratory import ACTOR, until
from .conftest import Harbour

pytestmark = pytest.mark.engine


def test_a_cached_copy_goes_when_nobody_needs_it_and_is_pulled_again(
    harbour: Harbour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, store, engine = harbour.manager.storage, harbour.manager.store, harbour.engine
    _, image = harbour.known(tmp_path / "one")
    _, same = harbour.project(tmp_path / "two", like=image)
    harbour.pulls.wait(ACTOR, harbour.ensure(image).id)
    everybody = {each.id for each in (image, same)} | set(store.images_of_engine(image.engine_image))
    assert image.id not in storage.evict()  # it has just come

    monkeypatch.setattr(storage, "cache_ttl", 0.0)
    assert store.lease("evict", "another server", 60)
    assert storage.evict() == []
    store.give_back("evict", "another server")

    used = ContainerSpec(  # by another installation
        image=image.engine_image,
        command=("true",),
        name=f"jim-test-{image.id[:12]}",
        labels={f"{LABEL}.installation": "another", f"{LABEL}.role": "kernel"},
    )
    container = engine.create(used)
    try:
        assert image.id not in storage.evict() and harbour.held(image)
    finally:
        engine.remove(container)

    store.set_image(same.id, optimized=True)  # for the sake of one it stays for all
    assert image.id not in storage.evict() and harbour.held(image)
    store.set_image(same.id, optimized=False)

    assert set(storage.evict()) == everybody
    assert not harbour.held(image) and image.engine_image not in engine.image_tags()
    assert storage.evict() == []
    harbour.manager.images.usable(harbour.now(image))  # it is not missing: it comes again
    check = harbour.manager.builds.check(ACTOR, image.id)
    until(lambda: harbour.manager.builds.get(ACTOR, check.id).done)
    assert harbour.manager.builds.get(ACTOR, check.id).state is BuildState.SUCCEEDED
    assert harbour.held(image)
