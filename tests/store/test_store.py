"""What is written comes back as it was; what must not change does not."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_image_manager.errors import Conflict, ImageInUse, ImageNotFound, InvalidRequest, ProjectNotFound
from jupyter_image_manager.kernels import active
from jupyter_image_manager.models import (
    BuildFailure,
    BuildState,
    CheckItem,
    GpuRequest,
    Image,
    ImageState,
    Layer,
    Mount,
    Package,
    Project,
    Report,
    RunSettings,
    Storage,
    utcnow,
)
from jupyter_image_manager.store import Store

from .values import a_build, a_project, a_recipe, an_image


def make_image(store: Store, project: Project, **values: object) -> Image:
    recipe = a_recipe()
    return store.add_image(an_image(project.id, recipe, **values), recipe)


def ready_image(store: Store, project: Project, **values: object) -> Image:
    image = make_image(store, project, **values)
    return store.set_image(image.id, state=ImageState.READY, digest="sha256:1", engine_image="sha256:1")


def test_the_package_is_imported_without_sqlalchemy() -> None:
    code = "import sys, jupyter_image_manager.store; sys.exit('sqlalchemy' in sys.modules or 'alembic' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_open_store_needs_no_alembic(store: Store) -> None:
    store.installation_id()
    code = (
        "import sys; from pathlib import Path; from jupyter_image_manager.store import Store;"
        f"Store(directory=Path({str(store.directory)!r})).projects(); sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_data_folder_is_private(store: Store) -> None:
    store.projects()
    assert store.directory.stat().st_mode & 0o777 == 0o700


def test_the_installation_keeps_its_id(store: Store) -> None:
    first = store.installation_id()
    store.close()
    assert Store(directory=store.directory).installation_id() == first


def test_a_project_comes_back_whole(store: Store, tmp_path: Path) -> None:
    settings = RunSettings(
        memory=8 << 30,
        cpus=1.5,
        gpus=GpuRequest("ids", 0, ("0", "1"), True),
        environment={"Имя": "значение"},
        secrets={"TOKEN": "env:TOKEN"},
        mounts=(Mount("/data", "/data", False),),
    )
    project = a_project(tmp_path / "проект один", run_settings=settings, folder_id="8:15", is_default=True)
    store.add_project(project)
    assert store.project(project.id) == project
    assert store.project_at(project.path) == project
    assert store.project_by_folder("8:15") == project
    assert store.projects() == [project]


def test_one_folder_is_one_project(store: Store, project: Project, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="already a project"):
        store.add_project(a_project(project.path))
    other = store.add_project(a_project(tmp_path / "other"))
    with pytest.raises(Conflict, match="already a project"):
        store.set_project(other.id, path=project.path)
    assert len(store.projects()) == 2


def test_a_change_of_one_value_leaves_the_others(store: Store, project: Project) -> None:
    store.set_project(project.id, name="renamed")
    store.set_project(project.id, run_settings=RunSettings(cpus=2.0))
    assert store.project(project.id) == replace(project, name="renamed", run_settings=RunSettings(cpus=2.0))


def test_a_project_that_was_deleted_is_not_changed(store: Store, project: Project) -> None:
    store.delete_project(project.id)
    store.delete_project(project.id)
    with pytest.raises(ProjectNotFound):
        store.set_project(project.id, name="x")


def test_a_project_with_images_is_not_forgotten(store: Store, project: Project) -> None:
    make_image(store, project)
    with pytest.raises(Conflict, match="1 images"):
        store.delete_project(project.id)


def test_no_image_is_added_to_a_project_that_was_deleted(store: Store, project: Project) -> None:
    store.delete_project(project.id)
    with pytest.raises(ProjectNotFound):
        make_image(store, project)
    assert store.images(project.id) == []


def test_activation_remembers_what_was(store: Store, project: Project) -> None:
    one, two = ready_image(store, project), ready_image(store, project)
    store.activate_image(project.id, one.id)
    found = store.activate_image(project.id, two.id)
    assert (found.active_image_id, found.previous_image_id) == (two.id, one.id)
    assert store.activate_image(project.id, two.id) == found
    entries = active.read(store.directory)
    assert entries is not None
    assert [(e.project_id, e.image_id) for e in entries] == [(project.id, two.id)]


def test_the_active_image_is_not_deleted_and_a_deleted_one_not_activated(store: Store, project: Project) -> None:
    image = ready_image(store, project)
    store.activate_image(project.id, image.id)
    with pytest.raises(ImageInUse, match="active in the project"):
        store.delete_image(image.id)
    store.activate_image(project.id, None)
    store.delete_image(image.id)
    with pytest.raises(ImageNotFound):
        store.activate_image(project.id, image.id)


def test_an_image_comes_back_whole(store: Store, project: Project) -> None:
    report = Report(
        ok=False,
        items=(CheckItem("pip", "pip", False, True, "absent", ("RUN apt-get install python3-pip",), 0.5),),
        packages=(Package("numpy", "2.0"),),
        kernelspecs={"ir": {"argv": ["R"], "language": "R"}},
        layers=(Layer("FROM x", 10),),
        checked=utcnow(),
    )
    recipe = a_recipe(build_args={"A": "1"}, secrets=("token",), template={"name": "scientific", "apt": ["git"]})
    image = store.add_image(an_image(project.id, recipe, labels={"for": "люди"}, report=report), recipe)
    assert image.version == 1
    kept = store.image(image.id)
    assert kept is not None
    assert kept.report is not None
    assert kept.report.packages == report.packages
    assert kept.report.items == report.items
    assert store.recipe(recipe.id) == recipe
    (listed,) = store.images(project.id)
    assert listed == replace(kept, report=None)
    assert store.images(project.id, with_report=True) == [kept]


def test_versions_are_counted_by_name_and_never_come_again(store: Store, project: Project) -> None:
    assert [make_image(store, project).version for _ in range(3)] == [1, 2, 3]
    assert make_image(store, project, name="other").version == 1
    last = store.images_named(project.id, "analysis")[0]
    store.delete_image(last.id)
    assert make_image(store, project).version == 4
    for image in store.images_named(project.id, "analysis"):
        store.delete_image(image.id)
    assert make_image(store, project).version == 5


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "sha256:2"},
        {"engine_image": "sha256:2"},
        {"version": 9},
        {"name": "b"},
        {"recipe_id": "x"},
        {"created": utcnow()},
        {"state": ImageState.BUILDING},
        {"state": ImageState.FAILED},
    ],
    ids=lambda change: "=".join(map(str, next(iter(change.items()))))[:20],
)
def test_a_ready_image_does_not_change(store: Store, project: Project, change: dict[str, object]) -> None:
    image = ready_image(store, project)
    with pytest.raises(Conflict):
        store.set_image(image.id, **change)
    assert store.image(image.id) == image


def test_words_and_whereabouts_of_a_ready_image_may_change(store: Store, project: Project) -> None:
    image = ready_image(store, project)
    changed = store.set_image(image.id, description="d", labels={"a": "b"}, state=ImageState.MISSING, size=5)
    assert changed == replace(image, description="d", labels={"a": "b"}, state=ImageState.MISSING, size=5)
    with pytest.raises(Conflict):
        store.set_image(image.id, digest="sha256:2")
    assert store.set_image(image.id, state=ImageState.READY).state is ImageState.READY


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE recipes SET content = '{}'",
        "UPDATE images SET digest = 'sha256:2'",
        "UPDATE images SET engine_image = 'sha256:2'",
        "UPDATE images SET name = 'b'",
        "UPDATE images SET version = 2",
        "UPDATE images SET project_id = 'p'",
        "UPDATE images SET state = 'building'",
        "DELETE FROM recipes",
    ],
)
def test_the_database_refuses_it_too(store: Store, project: Project, statement: str) -> None:
    image = ready_image(store, project)
    store.close()
    raw = sqlite3.connect(store.directory / "store.sqlite")
    raw.execute("PRAGMA foreign_keys=ON")
    with pytest.raises(sqlite3.IntegrityError, match=r"immutable|FOREIGN KEY"):
        raw.execute(statement)
    raw.close()
    assert store.image(image.id) == image


def test_lists_are_paged_searched_and_filtered(store: Store, project: Project) -> None:
    made = [make_image(store, project, name=f"n{i}", description="Описание" if i == 3 else "") for i in range(7)]
    newest_first = [image.id for image in reversed(made)]
    first = store.images(project.id, limit=3)
    rest = store.images(project.id, after=first[-1].id)
    assert [image.id for image in first + rest] == newest_first
    assert [image.name for image in store.images(project.id, search="оПИС")] == ["n3"]
    assert store.images(project.id, search="%") == []
    store.set_image(made[0].id, state=ImageState.READY)
    assert [image.id for image in store.images(project.id, state=ImageState.READY)] == [made[0].id]
    with pytest.raises(InvalidRequest):
        store.images(project.id, after="nothing")


def test_ids_are_found_by_their_beginning(store: Store, project: Project) -> None:
    image = make_image(store, project)
    assert store.find_image_ids(image.id[:8]) == [image.id]
    assert store.find_image_ids("%") == []


def test_a_build_ends_once_and_is_queued_again_by_a_retry(store: Store, project: Project) -> None:
    image = make_image(store, project)
    build = store.add_build(a_build(image))
    assert store.image(image.id).last_build_id == build.id
    assert store.claim_slot(build.id, 1)
    assert not store.claim_slot(build.id, 1)
    failure = BuildFailure("It failed.", lines=("a", "b"), exit_code=2)
    ended = store.set_build(build.id, state=BuildState.FAILED, failure=failure, finished=utcnow())
    assert ended.failure == failure
    with pytest.raises(Conflict):
        store.set_build(build.id, state=BuildState.SUCCEEDED)
    with pytest.raises(Conflict):
        store.set_build(build.id, step=3)
    again = store.restart_build(build.id)
    assert (again.state, again.attempt, again.failure, again.finished) == (BuildState.QUEUED, 2, None, None)
    with pytest.raises(Conflict):
        store.restart_build(build.id)


def test_slots_are_given_in_order(store: Store, project: Project) -> None:
    builds = [store.add_build(a_build(make_image(store, project), worker="w")) for _ in range(3)]
    assert not store.claim_slot(builds[1].id, 1)
    assert store.claim_slot(builds[0].id, 1)
    assert not store.claim_slot(builds[1].id, 1)
    store.set_build(builds[0].id, state=BuildState.CANCELLED)
    assert store.claim_slot(builds[1].id, 1)
    assert [b.id for b in store.builds(active=True)] == [builds[2].id, builds[1].id]
    assert [b.id for b in store.builds(active=False)] == [builds[0].id]


def test_a_build_of_the_same_recipe_is_found_while_it_runs(store: Store, project: Project) -> None:
    recipe = a_recipe(digest="sha256:same")
    image = store.add_image(an_image(project.id, recipe), recipe)
    build = store.add_build(a_build(image))
    assert store.active_build_of(project.id, "analysis", "sha256:same", Storage.LOCAL) == build
    assert store.active_build_of(project.id, "analysis", "sha256:same", Storage.REGISTRY) is None
    assert store.active_build_of(project.id, "other", "sha256:same", Storage.LOCAL) is None
    store.set_build(build.id, state=BuildState.CANCELLED)
    assert store.active_build_of(project.id, "analysis", "sha256:same", Storage.LOCAL) is None


def test_changes_are_numbered_in_order(store: Store, project: Project) -> None:
    start = store.last_change()
    image = make_image(store, project)
    store.note_change("kernel", "k", project.id, "died", {"reason": "out_of_memory"})
    store.delete_image(image.id)
    found = store.changes(start)
    assert [(c.noun, c.action) for c in found] == [("image", "created"), ("kernel", "died"), ("image", "deleted")]
    assert [c.sequence for c in found] == [start + 1, start + 2, start + 3]
    assert found[1].data == {"reason": "out_of_memory"}
    assert store.last_change() == start + 3
    assert store.changes(start, limit=1) == found[:1]


def test_what_is_refused_leaves_no_change(store: Store, project: Project) -> None:
    image = ready_image(store, project)
    before = store.last_change()
    with pytest.raises(Conflict):
        store.set_image(image.id, digest="sha256:2")
    assert store.last_change() == before
