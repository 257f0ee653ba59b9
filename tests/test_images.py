"""What may be done with images while the engine is down: look at them, and nothing that would need it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from jupyter_image_manager.errors import (
    Conflict,
    EngineUnavailable,
    ImageInUse,
    ImageNotFound,
    ImageUnusable,
    InvalidReference,
    InvalidRequest,
    QuotaExceeded,
)
from jupyter_image_manager.images import SERVER_ENVIRONMENT
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, Image, ImageState, Layer, Package, Project, Report

from .store.values import a_recipe, an_image

ADA = Actor("ada")


class AbsentEngine:
    """An engine that is not there, whatever it is asked."""

    def close(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        def refuse(*arguments: Any, **named: Any) -> None:
            raise EngineUnavailable("The engine does not answer; start it.")

        return refuse


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ImageManager]:
    manager = ImageManager(data_dir=str(tmp_path / "data"), root_dir=str(tmp_path))
    manager.__dict__["engine"] = AbsentEngine()
    yield manager
    manager.close()


@pytest.fixture
def project(manager: ImageManager, tmp_path: Path) -> Project:
    (tmp_path / "work").mkdir()
    return manager.projects.create(ADA, str(tmp_path / "work"))


def make(manager: ImageManager, project: Project, *, state: ImageState = ImageState.READY, **values: Any) -> Image:
    recipe = a_recipe()
    image = manager.store.add_image(an_image(project.id, recipe, **values), recipe)
    content = {"digest": "sha256:1", "engine_image": "sha256:1"} if state is ImageState.READY else {}
    return manager.store.set_image(image.id, state=state, **content)


def test_images_are_listed_newest_first_and_filtered(manager: ImageManager, project: Project) -> None:
    one, two = make(manager, project), make(manager, project, name="other", state=ImageState.FAILED)
    manager.store.activate_image(project.id, one.id)
    found = manager.images.list(ADA, project.id)
    assert [(s.image.spec, s.active, s.project) for s in found] == [
        ("other:1", False, "work"),
        ("analysis:1", True, "work"),
    ]
    assert [s.image.id for s in manager.images.list(ADA, project.id, state=ImageState.FAILED)] == [two.id]
    assert [s.image.id for s in manager.images.list(ADA, project.id, search="ANA")] == [one.id]


def test_images_are_found_by_what_people_type(manager: ImageManager, project: Project) -> None:
    one, two = make(manager, project), make(manager, project)
    make(manager, project, state=ImageState.FAILED)
    named_like_an_id = make(manager, project, name="facade")
    find = manager.images.find
    assert find(ADA, project.id, "analysis").image.id == two.id
    assert find(ADA, project.id, "analysis:1").image.id == one.id
    assert find(ADA, project.id, one.id).image.id == one.id
    assert find(ADA, project.id, one.id[:8]).image.id == one.id
    assert find(ADA, project.id, "facade").image.id == named_like_an_id.id


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("analysis:9", r"There is no analysis:9; there are: analysis:1\."),
        ("analisis", "did you mean analysis"),
        ("zzz", "there are: analysis"),
        ("zzz:3", "has no image 'zzz'"),
        ("0123456789", "has no image"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(manager: ImageManager, project: Project, text: str, why: str) -> None:
    make(manager, project)
    with pytest.raises(ImageNotFound, match=why):
        manager.images.find(ADA, project.id, text)


def test_names_that_cannot_be_are_refused(manager: ImageManager, project: Project) -> None:
    for text in ("", "A", "a b", "-v", "a:latest", "x" * 300):
        with pytest.raises(InvalidReference):
            manager.images.find(ADA, project.id, text)


def test_a_name_without_a_ready_version_is_said(manager: ImageManager, project: Project) -> None:
    make(manager, project, state=ImageState.FAILED)
    with pytest.raises(ImageNotFound, match=r"no ready version.*is failed"):
        manager.images.find(ADA, project.id, "analysis")


def test_words_about_an_image_change_and_have_limits(manager: ImageManager, project: Project) -> None:
    image = make(manager, project)
    summary = manager.images.update(ADA, image.id, description="Für alle", labels={"team": "климат"})
    assert summary.image == replace(image, description="Für alle", labels={"team": "климат"})
    for wrong in (
        {"description": "x" * 3000},
        {"labels": {"a": "x" * 300}},
        {"labels": {"a": 1}},
        {"description": "\ud800"},
    ):
        with pytest.raises(InvalidRequest):
            manager.images.update(ADA, image.id, **wrong)
    assert manager.images.get(ADA, image.id).image == summary.image


@pytest.mark.parametrize("state", [s for s in ImageState if s not in (ImageState.READY, ImageState.MISSING)])
def test_an_image_that_cannot_run_kernels_is_not_activated(
    manager: ImageManager, project: Project, state: ImageState
) -> None:
    image = make(manager, project, state=state)
    with pytest.raises(ImageUnusable, match="jupyter image"):
        manager.images.activate(ADA, project.id, image.id)
    assert manager.store.project(project.id).active_image_id is None


def test_an_image_of_another_project_is_not_activated(manager: ImageManager, project: Project, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = manager.projects.create(ADA, str(tmp_path / "other"))
    with pytest.raises(ImageUnusable, match="belongs to another project"):
        manager.images.activate(ADA, other.id, make(manager, project).id)
    with pytest.raises(ImageNotFound):
        manager.images.activate(ADA, project.id, "0" * 32)


def test_the_way_back_needs_no_engine(manager: ImageManager, project: Project) -> None:
    image = make(manager, project)
    with pytest.raises(EngineUnavailable):
        manager.images.activate(ADA, project.id, image.id)
    manager.store.activate_image(project.id, image.id)
    back = manager.images.activate(ADA, project.id, "server-environment")
    assert (back.active_image_id, back.previous_image_id) == (None, image.id)
    with pytest.raises(EngineUnavailable):
        manager.images.undo_activation(ADA, project.id)
    manager.images.delete(ADA, make(manager, project, state=ImageState.FAILED).id)
    assert manager.store.project(project.id) == back


def test_there_is_nothing_to_undo_before_anything_was_active(manager: ImageManager, project: Project) -> None:
    with pytest.raises(Conflict, match="Nothing was active before"):
        manager.images.undo_activation(ADA, project.id)


def test_with_the_engine_down_nothing_that_it_holds_is_deleted(manager: ImageManager, project: Project) -> None:
    image = make(manager, project)
    with pytest.raises(EngineUnavailable):
        manager.images.delete(ADA, image.id, confirm=True)
    assert manager.store.image(image.id) == image


def test_what_was_never_built_goes_without_engine_and_confirmation(manager: ImageManager, project: Project) -> None:
    failed = make(manager, project, state=ImageState.FAILED)
    preview = manager.images.deletion(ADA, failed.id)
    assert (preview.allowed, preview.final, preview.frees) == (True, False, 0)
    manager.images.delete(ADA, failed.id)
    assert manager.store.image(failed.id) is None
    assert manager.store.recipe(failed.recipe_id) is not None
    building = make(manager, project, state=ImageState.BUILDING)
    with pytest.raises(ImageInUse, match="being built"):
        manager.images.delete(ADA, building.id, confirm=True)


def test_packages_are_compared(manager: ImageManager, project: Project) -> None:
    def having(*packages: Package) -> str:
        image = make(manager, project)
        return manager.store.set_image(image.id, report=Report(ok=True, packages=packages)).id

    old = having(Package("numpy", "1.0"), Package("Typing_Extensions", "2.0"), Package("scipy", "1.1"))
    new = having(Package("numpy", "2.0"), Package("typing-extensions", "2.0"), Package("xarray", "1.0"))
    found = manager.images.diff(ADA, old, new)
    assert found.added == (Package("xarray", "1.0"),)
    assert found.removed == (Package("scipy", "1.1"),)
    assert found.changed == (("numpy", "1.0", "2.0"),)
    with pytest.raises(Conflict, match="jupyter image check analysis:3"):
        manager.images.packages(ADA, make(manager, project).id)


def test_the_server_environment_is_compared_as_an_image_is(manager: ImageManager, project: Project) -> None:
    image = make(manager, project)
    manager.store.set_image(image.id, report=Report(ok=True, packages=(Package("traitlets", "0.1"),)))
    here = version("traitlets")
    assert Package("traitlets", here) in manager.images.packages(ADA, SERVER_ENVIRONMENT)
    found = manager.images.diff(ADA, SERVER_ENVIRONMENT, image.id)
    assert found.changed == (("traitlets", here, "0.1"),)
    assert "docker" in {package.name for package in found.removed}


def test_a_layer_is_shared_as_long_as_all_below_it_are(manager: ImageManager, project: Project) -> None:
    def having(*layers: Layer, state: ImageState = ImageState.READY) -> Image:
        return manager.store.set_image(make(manager, project, state=state).id, report=Report(ok=True, layers=layers))

    base, packages, mine = Layer("FROM", 100), Layer("RUN pip install numpy", 50), Layer("COPY . .", 7)
    image = having(base, packages, mine)
    having(base, packages)
    having(base, Layer("RUN true", 0), mine)
    having(base, packages, mine, state=ImageState.FAILED)  # not in the engine: it shares nothing
    found = manager.images.layers(ADA, image.id)
    assert [(layer.size, layer.shared_with) for layer in found] == [
        (100, ("analysis:3", "analysis:2")),
        (50, ("analysis:2",)),
        (7, ()),
    ]
    assert manager.images.layers(ADA, make(manager, project).id) == ()


def test_quotas_name_use_and_limit(manager: ImageManager, project: Project) -> None:
    manager.store.set_image(make(manager, project).id, size=3_000_000_000)
    manager.images.check_quota(project)
    manager.policy.max_images = 1
    with pytest.raises(QuotaExceeded, match="has 1 of 1 images"):
        manager.images.check_quota(project)
    manager.policy.max_images = 2
    manager.images.check_quota(project)
    manager.policy.max_bytes = 2_000_000_000
    with pytest.raises(QuotaExceeded, match=r"take 3.0 of 2.0 GB"):
        manager.images.check_quota(project)
    use = manager.images.usage(ADA, project.id)
    assert (use["images"], use["bytes"], use["max_images"], use["disk_free"]) == (1, 3_000_000_000, 2, None)


def test_the_server_environment_is_the_first_of_the_system_images(manager: ImageManager, project: Project) -> None:
    make(manager, project)
    manager.policy.system_images = ["python:3.11", "-v"]
    first, *others = manager.images.system_images(ADA)
    assert first["id"] == "server-environment"
    assert [(o["name"], o["state"]) for o in others] == [("python:3.11", "missing"), ("-v", "missing")]
    assert "does not answer" in others[0]["warnings"][0]
    assert "no image reference" in others[1]["warnings"][0]
