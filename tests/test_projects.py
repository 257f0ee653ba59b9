"""Which project a notebook belongs to, and where projects go."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_image_manager.errors import Conflict, InvalidRequest, ProjectNotFound
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor
from jupyter_image_manager.projects import ProjectService

from .store.values import a_recipe, an_image

ADA = Actor("ada")


@pytest.fixture
def projects(tmp_path: Path) -> Iterator[ProjectService]:
    (tmp_path / "root").mkdir()
    manager = ImageManager(data_dir=str(tmp_path / "data"), root_dir=str(tmp_path / "root"))
    yield manager.projects
    manager.close()


@pytest.fixture
def root(projects: ProjectService) -> Path:
    return projects.root


def folder(root: Path, *parts: str) -> Path:
    path = root.joinpath(*parts)
    path.mkdir(parents=True)
    return path


def test_a_notebook_belongs_to_the_nearest_project(projects: ProjectService, root: Path) -> None:
    inner = folder(root, "climate", "models", "deep")
    outer = projects.create(ADA, str(root / "climate"))
    assert projects.enclosing(ADA, str(inner / "a.ipynb")) == outer
    nested = projects.create(ADA, str(root / "climate" / "models"), "Models", nested=True)
    assert projects.enclosing(ADA, str(inner)) == nested
    assert projects.enclosing(ADA, str(root / "climate" / "x.ipynb")) == outer
    assert projects.enclosing(ADA, str(root)) is None
    with pytest.raises(ProjectNotFound, match="jupyter image project create"):
        projects.require(ADA, str(root / "elsewhere"))
    assert projects.list(ADA) == [nested, outer]


def test_a_project_inside_a_project_is_refused_unless_meant(projects: ProjectService, root: Path) -> None:
    inner = folder(root, "climate", "models")
    projects.create(ADA, str(root / "climate"))
    with pytest.raises(Conflict, match="lies in the project 'climate'"):
        projects.create(ADA, str(inner))
    assert len(projects.list(ADA)) == 1


def test_the_default_project_is_made_on_demand_and_others_may_lie_in_it(projects: ProjectService, root: Path) -> None:
    inner = folder(root, "climate")
    default = projects.ensure_default(ADA)
    assert default.is_default
    assert default.active_image_id is None
    assert projects.ensure_default(ADA) == default
    assert projects.enclosing(ADA, str(inner)) == default
    own = projects.create(ADA, str(inner))
    assert not own.is_default
    assert projects.enclosing(ADA, str(inner)) == own


def test_symlinks_lead_to_one_project(projects: ProjectService, root: Path) -> None:
    real = folder(root, "real one")
    (root / "link").symlink_to(real)
    project = projects.create(ADA, str(root / "link"))
    assert project.path == str(real)
    assert projects.enclosing(ADA, str(root / "link" / "a.ipynb")) == project
    with pytest.raises(Conflict, match="already a project"):
        projects.create(ADA, str(real))


def test_a_link_that_leads_out_of_the_root_is_no_way_out(projects: ProjectService, root: Path, tmp_path: Path) -> None:
    outside = folder(tmp_path, "outside")
    (root / "link").symlink_to(outside)
    with pytest.raises(InvalidRequest, match="lies outside"):
        projects.create(ADA, str(root / "link"))
    with pytest.raises(InvalidRequest, match="lies outside"):
        projects.create(ADA, str(root / ".." / "outside"))


def test_a_loop_of_links_is_said(projects: ProjectService, root: Path) -> None:
    (root / "loop").symlink_to(root / "loop")
    with pytest.raises(InvalidRequest, match="can be followed"):
        projects.create(ADA, str(root / "loop"))
    with pytest.raises(InvalidRequest, match="can be followed"):
        projects.enclosing(ADA, str(root / "loop" / "a.ipynb"))


def test_a_folder_whose_name_is_no_text_is_refused(projects: ProjectService, root: Path) -> None:
    name = os.fsdecode(os.fsencode(str(root)) + b"/\xff\xfe")
    Path(name).mkdir()
    with pytest.raises(InvalidRequest, match="no text"):
        projects.create(ADA, name, "name")
    assert projects.enclosing(ADA, name) is None
    assert projects.list(ADA) == []


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("relative", "absolute"),
        ("", "absolute"),
        ("{root}/none", "no folder"),
        ("{root}/file", "is a file"),
        ("{root}/\0", "absolute"),
    ],
)
def test_what_cannot_be_a_project(projects: ProjectService, root: Path, path: str, why: str) -> None:
    (root / "file").write_text("")
    with pytest.raises(InvalidRequest, match=why):
        projects.create(ADA, path.format(root=root))
    assert projects.list(ADA) == []


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "x" * 201, "a\x00b"])
def test_bad_names(projects: ProjectService, root: Path, name: str) -> None:
    folder(root, "a")
    with pytest.raises(InvalidRequest, match="project's name"):
        projects.create(ADA, str(root / "a"), name)


def test_strange_but_good_folders(projects: ProjectService, root: Path) -> None:
    for name in ("проект один 日本", "-rf", "a'b\"c", "%s%%", "x" * 200):
        project = projects.create(ADA, str(folder(root, name)))
        assert projects.enclosing(ADA, str(root / name / "n.ipynb")) == project


def test_a_renamed_folder_is_found_again(projects: ProjectService, root: Path) -> None:
    before = folder(root, "before")
    project = projects.create(ADA, str(before))
    before.rename(root / "after")
    assert not projects.get(ADA, project.id).found
    found = projects.enclosing(ADA, str(root / "after" / "a.ipynb"))
    assert found == replace(project, path=str(root / "after"))
    assert projects.get(ADA, project.id).found
    with pytest.raises(Conflict, match="already"):
        projects.create(ADA, str(root / "after"))


def test_a_project_whose_parent_was_moved_is_found_again(projects: ProjectService, root: Path) -> None:
    project = projects.create(ADA, str(folder(root, "year", "climate")))
    (root / "year").rename(root / "archive")
    found = projects.enclosing(ADA, str(root / "archive" / "climate"))
    assert found is not None
    assert found.id == project.id


def test_a_copy_is_not_the_project(projects: ProjectService, root: Path) -> None:
    project = projects.create(ADA, str(folder(root, "a")))
    copy = folder(root, "copy")
    assert projects.enclosing(ADA, str(copy)) is None
    assert projects.get(ADA, project.id).path == str(root / "a")


def test_a_removed_folder_is_said_and_may_be_named_anew(projects: ProjectService, root: Path) -> None:
    project = projects.create(ADA, str(folder(root, "a")))
    (root / "a").rmdir()
    assert [p.found for p in projects.list(ADA)] == [False]
    other = folder(root, "b")
    moved = projects.relocate(ADA, project.id, str(other))
    assert (moved.path, moved.found) == (str(other), True)
    with pytest.raises(Conflict, match="already the project"):
        projects.relocate(ADA, projects.create(ADA, str(folder(root, "c"))).id, str(other))


def test_names_change_and_unknown_projects_are_not_found(projects: ProjectService, root: Path) -> None:
    project = projects.create(ADA, str(folder(root, "a")))
    assert projects.update(ADA, project.id, name="  New   name ").name == "New name"
    assert projects.update(ADA, project.id).name == "New name"
    for call in (projects.get, projects.update, projects.delete):
        with pytest.raises(ProjectNotFound):
            call(ADA, "0" * 32)


def test_a_project_without_images_is_forgotten_and_its_files_stay(projects: ProjectService, root: Path) -> None:
    project = projects.create(ADA, str(folder(root, "a")))
    (root / "a" / "file").write_text("mine")
    projects.delete(ADA, project.id)
    assert projects.list(ADA) == []
    assert (root / "a" / "file").read_text() == "mine"


def test_a_project_with_images_is_deleted_only_with_them(projects: ProjectService, root: Path) -> None:
    project = projects.create(ADA, str(folder(root, "a")))
    recipe = a_recipe()
    projects.manager.store.add_image(an_image(project.id, recipe), recipe)
    with pytest.raises(Conflict, match="has 1 images"):
        projects.delete(ADA, project.id)
    assert projects.list(ADA) == [project]
