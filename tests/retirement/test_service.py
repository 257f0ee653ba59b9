"""Retirements over a store of many images, with the date as we say it; no engine is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from jupyter_image_manager.cli.main import run
from jupyter_image_manager.errors import ImageUnusable, InvalidRequest, NeedsConfirmation, NotAllowed, NotFound
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, Community, Image, ImageState, Project
from jupyter_image_manager.processes import ProcessIdentity
from jupyter_image_manager.watcher import Watcher, schema_of

from ..store.values import a_recipe, an_image
from ..test_images import AbsentEngine

ADA = Actor("ada")
UTC = timezone.utc
SEED = ("2025-12-03", "2026-01-31")
OLD, NEW = datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 12, 24, tzinfo=UTC)


class Calendar:
    """The date, as the test says it."""

    def __init__(self) -> None:
        self.now = datetime(2025, 12, 3, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def configured() -> list[dict[str, str]]:
    return []


@pytest.fixture
def manager(tmp_path: Path, configured: list[dict[str, str]]) -> Iterator[ImageManager]:
    config = Config({"ImagePolicy": {"retirements": configured}})
    manager = ImageManager(data_dir=str(tmp_path / "data"), root_dir=str(tmp_path), config=config)
    manager.__dict__["engine"] = AbsentEngine()
    yield manager
    manager.close()


@pytest.fixture
def calendar(manager: ImageManager) -> Calendar:
    manager.retirements.clock = calendar = Calendar()
    return calendar


@pytest.fixture
def project(manager: ImageManager, tmp_path: Path) -> Project:
    (tmp_path / "work").mkdir()
    return manager.projects.create(ADA, str(tmp_path / "work"))


def make(
    manager: ImageManager, project: Project, name: str, created: datetime, dockerfile: str = "", **values: Any
) -> Image:
    recipe = a_recipe()
    if dockerfile:
        recipe = replace(recipe, dockerfile=dockerfile, template={"name": "scientific"})
    image = an_image(project.id, recipe, name=name, created=created, state=ImageState.READY, **values)
    return manager.store.add_image(image, recipe)


def warnings(manager: ImageManager, image: Image) -> str:
    return " ".join(manager.images.get(ADA, image.id).warnings)


def test_the_seeds_calendar_from_the_declaration_to_the_stop(
    manager: ImageManager, calendar: Calendar, project: Project
) -> None:
    old, new = make(manager, project, "old", OLD), make(manager, project, "new", NEW)
    manager.store.activate_image(project.id, old.id)
    told: list[tuple[str, Any]] = []
    watcher = Watcher(manager, told.extend, after=manager.last_change(ADA))
    found = manager.retirements.declare(ADA, *SEED, message="The base has no updates")
    watcher.look()
    assert [(schema, event["action"], event["id"]) for schema, event in told] == [
        (schema_of("retirement"), "created", found.retirement.id)
    ]
    assert [(hit.spec, hit.active_in) for hit in found.images] == [("old:1", (project.name,))]
    assert found.days_left == 59

    calendar.now = datetime(2026, 1, 30, 12, tzinfo=UTC)
    assert "stops working on 2026-01-31, in 1 day" in warnings(manager, old)
    assert "migrate" not in warnings(manager, new)
    (listed,) = [each for each in manager.images.list(ADA, project.id) if each.image.id == old.id]
    assert listed.as_json()["retirement"]["days_left"] == 1
    manager.retirements.refuse(old)  # still works

    calendar.now = datetime(2026, 1, 31, tzinfo=UTC)
    assert "is retired" in warnings(manager, old)
    assert manager.images.get(ADA, old.id).image.state is ImageState.READY
    for refused in (lambda: manager.images.usable(old), lambda: manager.images.activate(ADA, project.id, old.id)):
        with pytest.raises(ImageUnusable, match="jupyter image migrate old:1") as error:
            refused()
        assert error.value.details["retirement_id"] == found.retirement.id
    manager.retirements.refuse(new)

    manager.retirements.withdraw(ADA, found.retirement.id)
    manager.retirements.refuse(old)
    with pytest.raises(NotFound):
        manager.retirements.withdraw(ADA, found.retirement.id)


def test_what_stops_at_once_or_is_yet_to_be_made_must_be_confirmed(
    manager: ImageManager, calendar: Calendar, project: Project
) -> None:
    make(manager, project, "old", OLD)
    for dates in (("2025-12-03", "2025-12-03"), ("2026-01-01", "2026-01-31")):
        with pytest.raises(NeedsConfirmation) as error:
            manager.retirements.declare(ADA, *dates)
        assert error.value.details == {"images": 1}
    assert manager.retirements.list(ADA) == []
    manager.retirements.declare(ADA, "2026-01-01", "2025-12-03", confirm=True)
    assert len(manager.retirements.list(ADA)) == 1


def test_recipes_are_looked_at_where_a_rule_says_so(
    manager: ImageManager, calendar: Calendar, project: Project, tmp_path: Path
) -> None:
    image = make(manager, project, "geo", OLD, "ARG V=3.8\nFROM python:${V} AS one\nFROM one\n", python_version="3.8.1")
    manager.store.add_community(Community("c" * 32, "Geology", "ada", OLD))
    manager.store.set_project(project.id, community_id="c" * 32)
    for selector in (
        {"base": "python:3.8"},
        {"template": "scientific"},
        {"project": str(tmp_path / "work")},
        {"project": project.id},
        {"community": "Geology"},
        {"python": "<3.9", "base": "docker.io/library/python:*"},
    ):
        found = manager.retirements.preview(ADA, *SEED, selector=selector)
        assert [hit.image_id for hit in found.images] == [image.id], selector
    for selector in ({"base": "one"}, {"template": "minimal"}, {"storage": "registry"}):
        assert not manager.retirements.preview(ADA, *SEED, selector=selector).images, selector
    own = manager.communities.of(manager.store.set_project(project.id, community_id=""))
    assert own.personal
    assert manager.retirements.preview(ADA, *SEED, selector={"community": own.name}).images
    assert not manager.retirements.preview(ADA, *SEED, selector={"community": "Geology"}).images
    for unknown in ({"project": "Moon"}, {"community": "Botany"}):
        with pytest.raises(InvalidRequest):
            manager.retirements.preview(ADA, *SEED, selector=unknown)


@pytest.mark.parametrize("configured", [[{"created_before": SEED[0], "stops": SEED[1], "message": "Old"}]])
def test_what_the_configuration_declares_counts_and_cannot_be_withdrawn(
    manager: ImageManager, calendar: Calendar, project: Project
) -> None:
    old = make(manager, project, "old", OLD)
    calendar.now = datetime(2026, 2, 1, tzinfo=UTC)
    with pytest.raises(ImageUnusable):
        manager.images.usable(old)
    (rule,) = manager.retirements.list(ADA)
    with pytest.raises(NotAllowed):
        manager.retirements.withdraw(ADA, rule.id)


def test_what_is_still_retired_is_deleted_later_unless_it_is_used(
    manager: ImageManager, calendar: Calendar, project: Project
) -> None:
    idle, active, published, young = (
        make(manager, project, name, created)
        for name, created in (("idle", OLD), ("active", OLD), ("published", OLD), ("young", NEW))
    )
    manager.store.activate_image(project.id, active.id)
    manager.store.add_community(Community("c" * 32, "Geology", "ada", OLD))
    manager.store.publish(published.id, "c" * 32, "ada")
    manager.retirements.declare(ADA, *SEED, delete_after="90d")
    calendar.now = datetime(2026, 1, 31, tzinfo=UTC) + timedelta(days=90, seconds=-1)
    assert manager.retirements.sweep() == []
    calendar.now += timedelta(seconds=1)
    manager.store.lease("retire", "another process", 60)
    assert manager.retirements.sweep() == []
    manager.store.give_back("retire", "another process")
    assert manager.retirements.sweep() == ["idle:1"]
    assert manager.store.image(idle.id) is None
    assert all(manager.store.image(each.id) for each in (active, published, young))
    assert manager.store.lease("retire", str(ProcessIdentity.of(1)), 1)  # it was given back


def test_the_command_line_declares_lists_and_withdraws(
    manager: ImageManager, project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(manager, project, "old", OLD)
    where = [f"--ImageManager.data_dir={manager.data_dir}", f"--ImageManager.root_dir={tmp_path}"]
    dates = ["--created-before", "2025-12-03", "--stop", "2999-01-31"]

    def say(*words: str) -> str:
        assert run(["retire", *words, *where]) == 0
        return capsys.readouterr().out

    assert "1 image would stop working on 2999-01-31" in say(*dates, "--dry-run")
    assert "No images retire" in say("--list")
    found = json.loads(say(*dates, "--also-delete-after", "90d", "--project", project.path, "--json"))
    assert found["declared"]
    assert found["retirement"]["selector"] == {"project": project.id}
    assert [hit["spec"] for hit in found["images"]] == ["old:1"]
    assert found["retirement"]["delete_after"] == "2999-05-01T00:00:00.000Z"
    assert found["retirement"]["id"][:12] in say("--list")
    assert run(["retire", "--created-before", "2025-12-03", "--stop", "2026-01-31", *where]) == 1
    assert "--yes" in capsys.readouterr().err
    assert run(["retire", *where]) == run(["retire", "--stop", "2026-01-31", *where]) == 2
    say("--withdraw", found["retirement"]["id"][:12])
    assert json.loads(say("--list", "--json")) == []
