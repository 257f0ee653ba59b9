"""Optimized copies survive the engine's own clean-up; and nothing piles up, nor is anything of others touched."""

from __future__ import annotations

import pytest

from jupyter_image_manager.engine.port import LABEL
from jupyter_image_manager.models import ImageState, Storage
from jupyter_image_manager.storage import holding

from .conftest import ACTOR, MEGABYTE, Yard

pytestmark = pytest.mark.engine
ALL = {"dangling": False}
"""What ``docker image prune --all`` asks the engine for."""


def containers(yard: Yard) -> list[str]:
    with yard.own.client() as client:
        return [found["Names"][0] for found in client.containers(all=True)]


def test_a_copy_survives_a_prune_of_all_images_and_others_do_not(yard: Yard) -> None:
    kept, cached, foreign = (yard.build(MEGABYTE) for _ in range(3))
    image = yard.add(kept)
    yard.add(cached, "cached", storage=Storage.REGISTRY, optimized=False)
    yard.manager.engine.tag(foreign, "theirs:1")
    assert yard.manager.storage.keep() == 1
    with yard.own.client() as client:
        client.prune_images(filters=ALL)
    assert yard.held() == {kept}
    assert yard.manager.images.get(ACTOR, image.id).image.state is ImageState.READY
    assert yard.manager.engine.image_tags()[kept] == (image.reference,)


def test_without_what_holds_it_a_prune_takes_a_copy(yard: Yard) -> None:
    yard.manager.storage.protect_copies = False
    yard.add(yard.build(MEGABYTE))
    assert yard.manager.storage.keep() == 0
    with yard.own.client() as client:
        client.prune_images(filters=ALL)
    assert yard.held() == set()


def test_one_container_holds_a_copy_however_often_it_is_asked_for(yard: Yard) -> None:
    image, storage = yard.add(yard.build(MEGABYTE)), yard.manager.storage
    for _ in range(3):
        storage.hold(image)
        storage.keep()
    assert len(containers(yard)) == 1
    assert yard.manager.kernels.list(ACTOR) == []
    assert yard.manager.kernels.reap() == 0
    assert len(containers(yard)) == 1, "whoever reaps dead kernels leaves it"
    storage.release(image)
    assert containers(yard) == []


def test_a_prune_of_containers_takes_what_holds_and_the_next_look_gives_it_back(yard: Yard) -> None:
    image = yard.add(yard.build(MEGABYTE))
    yard.manager.storage.keep()
    with yard.own.client() as client:
        client.prune_containers()
        assert containers(yard) == []
        assert yard.manager.storage.keep() == 1
        client.prune_images(filters=ALL)
    assert yard.held() == {image.engine_image}


def test_the_label_lets_a_prune_of_the_whole_system_spare_it(yard: Yard) -> None:
    image = yard.add(yard.build(MEGABYTE))
    yard.manager.storage.keep()
    with yard.own.client() as client:  # docker system prune --all --filter label!=…
        client.prune_containers(filters={"label!": [f"{LABEL}.role"]})
        client.prune_images(filters=ALL)
    assert yard.held() == {image.engine_image}


def test_a_tag_that_a_prune_took_comes_back(yard: Yard) -> None:
    image = yard.add(yard.build(MEGABYTE))
    yard.manager.storage.keep()
    yard.manager.engine.tag(image.engine_image, "theirs:1")
    with yard.own.client() as client:
        client.remove_image(image.reference)
    yard.manager.storage.keep()
    assert set(yard.manager.engine.image_tags()[image.engine_image]) == {image.reference, "theirs:1"}


def test_what_holds_an_image_that_is_none_any_more_goes(yard: Yard) -> None:
    image = yard.add(yard.build(MEGABYTE), storage=Storage.REGISTRY)
    yard.manager.storage.keep()
    yard.manager.store.set_image(image.id, optimized=False)
    with yard.own.client() as client:
        client.create_container(image.engine_image, ["true"], name="theirs")
        client.create_container(
            image.engine_image, ["true"], name="other", labels={f"{LABEL}.role": holding.ROLE, f"{LABEL}.image": "x"}
        )
    assert yard.manager.storage.keep() == 1
    assert sorted(containers(yard)) == ["/other", "/theirs"], "of others, and of other installations"


def test_deleting_an_image_takes_what_holds_it(yard: Yard) -> None:
    image = yard.add(yard.build(MEGABYTE))
    other = yard.add(image.engine_image, "same")
    yard.manager.storage.keep()
    assert len(containers(yard)) == 2
    yard.manager.images.delete(ACTOR, image.id, confirm=True)
    assert yard.held() == {image.engine_image}, "the other one is the same image of the engine"
    yard.manager.images.delete(ACTOR, other.id, confirm=True)
    assert (yard.held(), containers(yard)) == (set(), [])


def test_an_image_whose_tag_is_lost_is_deleted_all_the_same(yard: Yard) -> None:
    image = yard.add(yard.build(MEGABYTE))
    yard.manager.storage.keep()
    yard.manager.engine.tag(image.engine_image, "x:1")
    with yard.own.client() as client:
        client.remove_image(image.reference)
        client.remove_image("x:1", force=True)
    yard.manager.images.delete(ACTOR, image.id, confirm=True)
    assert yard.held() == set()
