"""Deaths between two writes, and what builds left in an engine that was away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jupyter_image_manager.builds.recovery import tag_of
from jupyter_image_manager.errors import ImageNotFound
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, BuildState, Image, ImageState, Project, utcnow
from machine import bases

from ..store.values import a_build, a_recipe, an_image

pytestmark = pytest.mark.engine
LONG_AGO = utcnow() - timedelta(minutes=5)


def add(manager: ImageManager, project: Project, **values: object) -> Image:
    recipe = a_recipe()
    return manager.store.add_image(an_image(project.id, recipe, **values), recipe)


def state(manager: ImageManager, image: Image) -> ImageState:
    return manager.store.image(image.id).state


def test_an_image_without_a_build_is_not_built_for_ever(manager: ImageManager, project: Project, actor: Actor) -> None:
    """Its submission died after the image and before the build."""
    lost, young = add(manager, project, created=LONG_AGO), add(manager, project)
    built = add(manager, project, created=LONG_AGO)
    manager.store.add_build(a_build(built, heartbeat=utcnow()))
    manager.builds.recover()
    assert [state(manager, image) for image in (lost, young, built)] == [
        ImageState.FAILED,
        ImageState.BUILDING,
        ImageState.BUILDING,
    ]
    manager.images.delete(actor, lost.id)


def test_a_retry_that_dies_before_its_process_is_there_ends(manager: ImageManager, project: Project) -> None:
    image = add(manager, project, state=ImageState.FAILED)
    build = manager.store.add_build(a_build(image, state=BuildState.FAILED))
    manager.store.restart_build(build.id, heartbeat=LONG_AGO)
    (ended,) = manager.builds.recover()
    assert (ended.id, ended.state, ended.attempt) == (build.id, BuildState.INTERRUPTED, 2)
    assert state(manager, image) is ImageState.FAILED


def test_what_a_build_left_while_the_engine_was_away_goes_later(manager: ImageManager, project: Project) -> None:
    image = add(manager, project, state=ImageState.FAILED)
    tag, engine = tag_of(project, image), manager.engine
    base = engine.inspect_image(bases.reference("python:3.11"))
    engine.tag(base.id, tag)
    manager.store.set_image(image.id, reference=tag)
    build = manager.store.add_build(a_build(image, state=BuildState.FAILED, finished=utcnow()))

    assert manager.builds.tidy() == 0, "the engine may yet name what it was building: this is looked after once more"
    with pytest.raises(ImageNotFound):
        engine.inspect_image(tag)
    assert engine.inspect_image(base.id).id == base.id

    engine.tag(base.id, tag)
    manager.store.restart_build(build.id)
    assert manager.builds.tidy() == 0
    assert engine.inspect_image(tag).id == base.id, "it is being built again"

    manager.store.set_build(build.id, state=BuildState.FAILED, finished=LONG_AGO)
    assert manager.builds.tidy() == 1
    with pytest.raises(ImageNotFound):
        engine.inspect_image(tag)
    assert manager.store.image(image.id).reference == ""
    assert manager.builds.tidy() == 0
