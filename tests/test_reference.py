"""Names and references: what is one is read, what is none is refused with the reason, whatever is typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_image_manager.errors import InvalidReference
from jupyter_image_manager.reference import (
    NAME_LENGTH,
    check_name,
    parse_reference,
    parse_spec,
    slug,
    suggestion,
)

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize("name", ["a", "scientific", "py3.11", "a-b_c.d", "0", "a" * NAME_LENGTH])
def test_good_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "why", "instead"),
    [
        ("", "A name is needed", "image"),
        ("Scientific", "capital letters", "scientific"),
        ("my image", "spaces", "my-image"),
        ("a\tb", "spaces", "a-b"),
        ("team/image", "slash", "team-image"),
        ("a:b", "colon", "a-b"),
        ("a" * 300, "longer than 128", "a" * NAME_LENGTH),
        ("-rf", "cannot be the name", "rf"),
        ("a..b", "cannot be the name", "a-b"),
        ("имя", "cannot be the name", "image"),
        ("a\n", "spaces", "a"),
        ("٣", "cannot be the name", "image"),
    ],
)
def test_bad_names_are_refused_with_a_good_one(name: str, why: str, instead: str) -> None:
    with pytest.raises(InvalidReference, match=why) as caught:
        check_name(name)
    assert caught.value.details["suggestion"] == instead
    assert len(caught.value.message) < 400


@given(st.text(max_size=400))
def test_every_text_is_a_name_or_has_a_suggestion_that_is(text: str) -> None:
    try:
        check_name(text)
    except InvalidReference:
        assert check_name(suggestion(text))


@given(st.text(max_size=100))
def test_every_text_has_a_slug_for_a_tag(text: str) -> None:
    parse_reference(f"jupyter-image-manager/{slug(text)}-12345678/name:1")


@pytest.mark.parametrize(
    ("text", "expected"), [("geo", ("geo", None)), ("geo:1", ("geo", 1)), ("geo:123456789", ("geo", 123456789))]
)
def test_specs(text: str, expected: tuple[str, int | None]) -> None:
    assert parse_spec(text) == expected


@pytest.mark.parametrize(
    "text", ["geo:", "geo:0", "geo:01", "geo:-1", "geo:x", "geo:1:2", "geo:1.0", "geo:٣", ":1", "geo:9999999999"]
)
def test_bad_specs(text: str) -> None:
    with pytest.raises(InvalidReference):
        parse_spec(text)


@given(st.text(max_size=60))
def test_specs_are_read_or_refused(text: str) -> None:
    try:
        name, version = parse_spec(text)
    except InvalidReference:
        return
    assert text == (name if version is None else f"{name}:{version}")


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("python", "docker.io/library/python:latest"),
        ("python:3.11-slim", "docker.io/library/python:3.11-slim"),
        ("jupyter/base", "docker.io/jupyter/base:latest"),
        ("index.docker.io/python", "docker.io/library/python:latest"),
        ("localhost/a", "localhost/a:latest"),
        ("localhost:5000/a:1", "localhost:5000/a:1"),
        ("Registry.Example/a/b:1", "Registry.Example/a/b:1"),
        ("[::1]:5000/a", "[::1]:5000/a:latest"),
        (f"python@{DIGEST}", f"docker.io/library/python@{DIGEST}"),
        (f"r.example/a:1@{DIGEST}", f"r.example/a:1@{DIGEST}"),
        ("a__b/c--d", "docker.io/a__b/c--d:latest"),
    ],
)
def test_references_in_full(text: str, full: str) -> None:
    found = parse_reference(text)
    assert str(found) == full
    assert parse_reference(full) == found
    assert found.pinned == ("@" in full)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-v",
        "--help",
        "a b",
        "a:",
        "a@",
        "a@sha256:1",
        "A",
        "a/B",
        "a//b",
        "/a",
        "a/",
        "a:b:c",
        "a:" + "t" * 129,
        "http://a/b",
        "a\n",
        "a;b",
        "$(id)",
        "a@sha256:" + "A" * 64,
        "a" * 600,
        "r.example:port/a",
    ],
)
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(InvalidReference, match="no image reference"):
        parse_reference(text)


@given(st.text(max_size=80) | st.from_regex(r"[a-zA-Z0-9./:@_-]{0,60}", fullmatch=True))
def test_references_are_read_to_something_stable_or_refused(text: str) -> None:
    try:
        found = parse_reference(text)
    except InvalidReference:
        return
    assert parse_reference(str(found)) == found
    assert not str(found).startswith("-")
    assert not any(c.isspace() for c in str(found))
