from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_image_manager.errors import ImageManagerError, InvalidRequest
from jupyter_image_manager.models import Image, ImageState, Retirement, Storage
from jupyter_image_manager.retirement import configured, rules
from jupyter_image_manager.retirement.rules import Subject

UTC = timezone.utc
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def image(created: datetime = datetime(2025, 1, 1, tzinfo=UTC), **more: object) -> Image:
    values = {"storage": Storage.LOCAL, "state": ImageState.READY, "python_version": "3.8.19", **more}
    return Image("i" * 32, "p1", "geo", 3, recipe_id="r", created=created, created_by="ann", **values)


def retirement(**selector: str) -> Retirement:
    """The seed's own: created before 2025-12-03, stop on 2026-01-31."""
    return Retirement(
        "r1",
        created_before=rules.moment("2025-12-03", "created_before"),
        stops=rules.moment("2026-01-31", "stops"),
        created=datetime(2025, 12, 3, tzinfo=UTC),
        created_by="admin",
        selector=selector,
        message="The old base images have no security updates.",
    )


def test_the_calendar_of_the_seed() -> None:
    rule = retirement()
    last, first = datetime(2025, 12, 2, 23, 59, 59, tzinfo=UTC), datetime(2025, 12, 3, tzinfo=UTC)
    assert rules.hits(rule, Subject(image(last)))
    assert not rules.hits(rule, Subject(image(first)))
    assert rules.days_left(rule, datetime(2026, 1, 1, tzinfo=UTC)) == 30
    assert rules.days_left(rule, datetime(2026, 1, 30, 23, 0, tzinfo=UTC)) == 1
    assert not rules.stopped(rule, datetime(2026, 1, 30, 23, 59, 59, tzinfo=UTC))
    assert rules.stopped(rule, datetime(2026, 1, 31, tzinfo=UTC))


def test_the_sentences_say_when_why_and_what_to_do() -> None:
    before = rules.notice(retirement(), image(), datetime(2026, 1, 30, 12, tzinfo=UTC))
    assert (before.stopped, before.days_left) == (False, 1)
    assert before.message == (
        "geo:3 stops working on 2026-01-31, in 1 day, since it was made before 2025-12-03 (The old base images have no "
        "security updates); rebuild it with `jupyter image migrate geo:3`, or activate another image."
    )
    after = rules.notice(retirement(), image(), datetime(2026, 2, 1, tzinfo=UTC))
    assert (after.stopped, after.days_left) == (True, 0)
    assert after.message.startswith("geo:3 is retired: images made before 2025-12-03 stopped working on 2026-01-31")
    assert "jupyter image migrate geo:3" in after.message
    of_server = rules.notice(retirement(), image(system=True), datetime(2026, 2, 1, tzinfo=UTC))
    assert "migrate" not in of_server.message


@given(stops=MOMENTS, now=MOMENTS)
def test_days_are_left_exactly_as_long_as_it_works(stops: datetime, now: datetime) -> None:
    rule = Retirement("r", stops, stops, stops, "a")
    left = rules.days_left(rule, now)
    assert (left == 0) == rules.stopped(rule, now)
    if left:
        assert now + timedelta(days=left) >= stops > now + timedelta(days=left - 1)


@given(created=MOMENTS, before=MOMENTS)
def test_only_older_images_are_reached(created: datetime, before: datetime) -> None:
    assert rules.hits(Retirement("r", before, before, before, "a"), Subject(image(created))) == (created < before)


@given(stops=st.lists(MOMENTS, min_size=1, max_size=5))
def test_what_stops_first_decides(stops: list[datetime]) -> None:
    found = [Retirement(str(n), datetime(2099, 1, 1, tzinfo=UTC), each, each, "a") for n, each in enumerate(stops)]
    first = rules.first(found, Subject(image()))
    assert first is not None
    assert first.stops == min(stops)


SUBJECT = Subject(
    image(),
    template="scientific",
    bases=("python:3.8-slim@sha256:" + "a" * 64,),
    project=("p1", "Earth", "/home/ada/earth"),
    community=("c1", "Geology"),
)


@pytest.mark.parametrize(
    ("selector", "reached"),
    [
        ({}, True),
        ({"storage": "local"}, True),
        ({"storage": "registry"}, False),
        ({"python": "<3.9"}, True),
        ({"python": "==3.8.*"}, True),
        ({"python": ">=3.9"}, False),
        ({"base": "python:3.8*"}, True),
        ({"base": "python:3.8-slim"}, True),
        ({"base": "docker.io/library/python:3.8-slim"}, True),
        ({"base": "docker.io/library/python:*"}, True),
        ({"base": "python:3.9*"}, False),
        ({"base": "python"}, False),  # python:latest
        ({"template": "scientific"}, True),
        ({"template": "minimal"}, False),
        ({"project": "Earth"}, True),
        ({"project": "/home/ada/earth"}, True),
        ({"project": "Moon"}, False),
        ({"community": "Geology"}, True),
        ({"community": "c2"}, False),
        ({"python": "<3.9", "storage": "registry"}, False),
    ],
)
def test_selectors_pick(selector: dict[str, str], reached: bool) -> None:
    assert rules.hits(retirement(**rules.check_selector(selector)), SUBJECT) is reached


def test_an_image_whose_python_is_not_known_is_in_no_range() -> None:
    assert not rules.hits(retirement(python="<4"), Subject(image(python_version="")))


@pytest.mark.parametrize(
    "selector", [{"colour": "red"}, {"storage": "moon"}, {"python": "old"}, {"base": 3}, {"project": ["a"]}]
)
def test_a_selector_that_means_nothing_is_refused(selector: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest) as error:
        rules.check_selector(selector)
    assert error.value.details["key"] in selector


@pytest.mark.parametrize("text", ["", "tomorrow", "2025-13-01", "31.01.2026", "0001-01-01T00:00:00+23:59"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        rules.moment(text, "stops")


def test_dates_with_a_zone_and_spans() -> None:
    assert rules.moment("2026-01-31T03:00:00+03:00", "stops") == rules.moment("2026-01-31", "stops")
    assert rules.span("90d", "x") == timedelta(days=90)
    assert rules.span("2 weeks", "x") == timedelta(days=14)
    for text in ("", "d", "-3d", "0d", "3 months"):
        with pytest.raises(InvalidRequest):
            rules.span(text, "x")


@given(st.text(max_size=20))
def test_any_text_is_a_moment_or_refused_by_its_key(text: str) -> None:
    try:
        found = rules.moment(text, "stops")
    except InvalidRequest:
        return
    assert found.tzinfo is UTC


def test_the_configuration_declares_too_and_a_wrong_entry_is_named() -> None:
    entry = {"created_before": "2025-12-03", "stops": "2026-01-31", "python": "<3.9", "delete_after": "90d"}
    (found,) = configured.read([entry])
    assert rules.hits(found, SUBJECT)
    assert found.delete_after == found.stops + timedelta(days=90)
    assert configured.read([entry])[0].id == found.id
    assert len(found.id) <= 32
    for wrong in ({}, {**entry, "colour": "red"}, {**entry, "stops": "soon"}, {**entry, "python": "old"}):
        with pytest.raises(ImageManagerError, match=r"Entry 2 of ImagePolicy\.retirements"):
            configured.read([entry, wrong])


def test_what_lies_beyond_the_calendar_is_refused() -> None:
    assert rules.later(rules.moment("2026-01-31", "x"), "", "x") is None
    with pytest.raises(InvalidRequest):
        rules.later(rules.moment("9999-01-01", "x"), "99999 weeks", "x")
