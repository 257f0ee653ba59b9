"""Metering through restarts, gaps and clocks that go back; the month's report; quotas and their warnings."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from jupyter_image_manager.accounting.hours import HOUR
from jupyter_image_manager.cli.main import run
from jupyter_image_manager.errors import CommunityNotFound, InvalidRequest, ProjectNotFound, QuotaExceeded
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, Image, ImageState, Layer, Project, RegistryState, Storage

from ..store.values import a_recipe, an_image

ACTOR = Actor("ada")
NOON = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
GB = 1_000_000_000
BASE, ONE, TWO = Layer("FROM", 2 * GB, "sha256:base"), Layer("RUN", GB, "sha256:1"), Layer("RUN", 3 * GB, "sha256:2")


class Office:
    """A service whose engine is away, and whose clock is ours."""

    def __init__(self, folder: Path, **traits: Any) -> None:
        for name in ("a", "b"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.config = Config(
            {
                "ImageManager": {"data_dir": str(folder / "data"), "root_dir": str(folder)},
                "DockerEngine": {"host": f"unix://{folder}/no-engine"},
                "Accounting": {"prices": {"registry": 0.1, "optimized": 2.0}, "currency": "EUR"},
            }
        )
        self.config.merge(Config(traits))
        self.now = NOON
        self.manager = self.restarted()
        self.project = self.manager.projects.create(ACTOR, str(folder / "a"), "A")
        self.other = self.manager.projects.create(ACTOR, str(folder / "b"), "B")

    def restarted(self) -> ImageManager:
        """Give a service as another process has it."""
        manager = ImageManager(config=self.config)
        manager.accounting.clock = lambda: self.now
        return manager

    def add(self, name: str, *layers: Layer, project: Project | None = None, **values: Any) -> Image:
        """Say that there is an image of these layers; its copy is said to be in the engine."""
        recipe = a_recipe()
        defaults: dict[str, Any] = {
            "name": name,
            "state": ImageState.READY,
            "engine_image": f"sha256:{name}",
            "digest": f"sha256:{name}",
            "size": sum(layer.size for layer in layers),
            "optimized": True,
            "created": self.now - timedelta(days=9),
        }
        image = an_image((project or self.project).id, recipe, **(defaults | values))
        self.manager.accounting.contents.remember({image.engine_image: layers})
        return self.manager.store.add_image(image, recipe)

    def in_registry(self, name: str, size: int, **values: Any) -> Image:
        return self.add(
            name,
            ONE,
            storage=Storage.REGISTRY,
            optimized=False,
            engine_image="",
            repository=f"registry/team/{name}",
            registry_state=RegistryState.PRESENT,
            registry_size=size,
            **values,
        )

    def hours(self) -> dict[tuple[int, str, str], int]:
        """Return what is metered: hours since noon, name and storage, with GB."""
        store = self.manager.store
        names = {image.id: image.name for p in store.projects() for image in store.images(p.id)}
        found = store.usage_hours(NOON - 9999 * HOUR, NOON + 9999 * HOUR)
        return {
            ((each.hour - NOON) // HOUR, names.get(each.image_id, "gone"), each.storage): each.bytes // GB
            for each in found
        }


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.manager.close()


# Meter
def test_shared_layers_are_metered_once(office: Office) -> None:
    office.add("one", BASE, ONE)
    office.add("two", BASE, TWO, project=office.other)
    office.in_registry("far", 5 * GB)
    assert office.manager.accounting.meter() == 3
    assert office.hours() == {(0, "one", "optimized"): 2, (0, "two", "optimized"): 4, (0, "far", "registry"): 5}


def test_an_hour_is_metered_once_by_whomever(office: Office) -> None:
    office.add("one", BASE)
    others = [office.restarted() for _ in range(4)]
    threads = [threading.Thread(target=each.accounting.meter) for each in [office.manager, *others]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    office.now += timedelta(minutes=59)
    assert office.restarted().accounting.meter() == 0
    assert office.hours() == {(0, "one", "optimized"): 2}
    for each in others:
        each.close()


def test_hours_without_a_process_are_filled_in(office: Office) -> None:
    kept = office.add("kept", BASE)
    gone = office.add("gone", ONE)
    office.manager.accounting.meter()
    office.now += 2 * HOUR
    office.add("made", TWO, created=office.now)
    office.manager.store.delete_image(gone.id)  # the changes say when: at the real clock's hour, long before
    office.now += 2 * HOUR
    manager = office.restarted()
    manager.accounting.meter()
    manager.close()
    found = office.hours()
    assert {hour for hour, name, _ in found if name == "kept"} == {0, 1, 2, 3, 4}
    assert {hour for hour, name, _ in found if name == "made"} == {2, 3, 4}
    assert kept.name == "kept"


def test_a_clock_that_goes_back_counts_nothing_twice_and_goes_on(office: Office) -> None:
    office.add("one", BASE)
    for step in (0, 1, 2, 0, 1, 2, 3):
        office.now = NOON + step * HOUR
        office.manager.accounting.meter()
    assert office.hours() == {(hour, "one", "optimized"): 2 for hour in range(4)}


def test_a_clock_that_came_from_the_future_meters_on(office: Office) -> None:
    office.add("one", BASE)
    office.now = NOON + 5000 * HOUR
    office.manager.accounting.meter()
    office.now = NOON
    office.manager.accounting.meter()
    assert {hour for hour, _, _ in office.hours()} == {0, 5000}
    assert office.manager.accounting.report(ACTOR).images[0].gb_hours == pytest.approx(2)


# Report
def test_the_month_in_hours_and_money(office: Office) -> None:
    one = office.add("one", BASE, ONE)
    office.add("two", BASE, TWO, project=office.other)
    office.in_registry("far", 5 * GB)
    for step in range(3):
        office.now = NOON + step * HOUR
        office.manager.accounting.meter()
    office.manager.store.activate_image(office.project.id, one.id)
    report = office.manager.accounting.report(ACTOR)
    rows = {(row.spec, row.storage): row for row in report.images}
    row = rows["one:1", "optimized"]
    assert (row.bytes, row.unique, row.shared, row.counted) == (3 * GB, GB, 2 * GB, 2 * GB)
    assert (row.gb_hours, row.active, row.deleted) == (pytest.approx(6), True, False)
    assert row.cost == pytest.approx(6 / 720 * 2.0)
    assert rows["far:1", "registry"].cost == pytest.approx(15 / 720 * 0.1)
    storages = {total.name: total for total in report.storages}
    assert (storages["optimized"].bytes, storages["registry"].bytes) == (6 * GB, 5 * GB)
    projects = {total.name: total for total in report.projects}
    assert (projects["A"].bytes, projects["A"].images) == (8 * GB, 2)
    assert projects["B"].bytes == 5 * GB, "what a project would hold by itself"
    assert sum(total.gb_hours for total in report.projects) == pytest.approx(3 * 11)
    assert (report.currency, report.metered) == ("EUR", NOON + 2 * HOUR)
    assert report.deletable is None, "whether kernels run is not known"

    mine = office.manager.accounting.report(ACTOR, project_id=office.project.id)
    assert {row.spec for row in mine.images} == {"one:1", "far:1"}
    community = office.manager.communities.of(office.project)
    assert len(office.manager.accounting.report(ACTOR, community_id=community.id).images) == 3
    before = office.manager.accounting.report(ACTOR, month="2026-10")
    assert (before.metered, sum(row.gb_hours for row in before.images)) == (None, 0)


def test_the_hours_of_what_is_deleted_stay(office: Office) -> None:
    image = office.add("one", BASE)
    office.manager.accounting.meter()
    office.manager.store.delete_image(image.id)
    (row,) = office.manager.accounting.report(ACTOR).images
    assert (row.image_id, row.deleted, row.bytes, row.gb_hours) == (image.id, True, 0, pytest.approx(2))


def test_what_is_gone_from_its_registry_is_not_paid_for_there(office: Office) -> None:
    office.in_registry("far", 5 * GB)
    lost = office.in_registry("lost", 5 * GB)
    office.manager.store.set_image(lost.id, registry_state=RegistryState.MISSING)
    assert {row.spec for row in office.manager.accounting.report(ACTOR).images} == {"far:1"}


def test_history_has_a_row_a_day_project_and_storage(office: Office) -> None:
    office.add("one", BASE)
    for step in range(30):
        office.now = NOON + step * HOUR
        office.manager.accounting.meter()
    days = office.manager.accounting.history(ACTOR, days=3)
    assert [(day.day, day.project, day.storage, day.bytes) for day in days] == [
        ("2026-11-24", "A", "optimized", 2 * GB),
        ("2026-11-25", "A", "optimized", 2 * GB),
    ]
    assert office.manager.accounting.history(ACTOR, project_id=office.other.id) == []


def test_what_is_asked_wrongly_is_refused(office: Office) -> None:
    with pytest.raises(InvalidRequest):
        office.manager.accounting.report(ACTOR, month="soon")
    with pytest.raises(ProjectNotFound):
        office.manager.accounting.report(ACTOR, project_id="x")
    with pytest.raises(CommunityNotFound):
        office.manager.accounting.report(ACTOR, community_id="x")


def test_the_command_line_prints_rows_for_a_spreadsheet(
    office: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    office.add("one", BASE)
    office.manager.store.close()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{office.folder}/no-engine")
    place = f"--ImageManager.data_dir={office.folder}/data"
    assert run(["usage", "--all", "--csv", place]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["project"], row["spec"], row["storage"], row["bytes"]) == ("A", "one:1", "optimized", str(2 * GB))
    assert run(["usage", "--all", place]) == 0
    shown = capsys.readouterr().out
    assert "one:1" in shown
    assert "optimized" in shown


# Quotas
def test_a_quota_is_warned_of_before_it_is_reached(tmp_path: Path) -> None:
    office = Office(tmp_path, ImagePolicy={"max_bytes": 10 * GB, "max_images": 10})
    manager, project = office.manager, office.project
    office.add("one", BASE, TWO)
    usage = manager.images.usage(ACTOR, project.id)
    assert (usage["optimized_bytes"], usage["warnings"]) == (5 * GB, [])
    office.add("two", BASE, Layer("RUN", 4 * GB, "sha256:4"))
    office.in_registry("far", 50 * GB)
    (said,) = manager.images.usage(ACTOR, project.id)["warnings"]
    assert "take 9.0 of 10.0 GB" in said
    assert "more than 90%" in said
    manager.images.check_quota(project)
    office.add("three", BASE, ONE)
    (said,) = manager.images.usage(ACTOR, project.id)["warnings"]
    assert "no more can be built" in said
    with pytest.raises(QuotaExceeded, match=r"take 10.0 of 10.0 GB"):
        manager.images.check_quota(project)
    manager.close()


def test_a_community_has_quotas_of_its_own(tmp_path: Path) -> None:
    office = Office(tmp_path, ImagePolicy={"max_community_images": 2, "max_community_bytes": 9 * GB})
    office.add("one", BASE)
    office.manager.images.check_quota(office.project)
    office.add("two", BASE, project=office.other)
    with pytest.raises(QuotaExceeded, match=r"The community 'ada' has 2 of 2 images"):
        office.manager.images.check_quota(office.project)
    office.manager.close()
