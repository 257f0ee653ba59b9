from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_image_manager.dockerfile import parse
from jupyter_image_manager.migration.bases import replaced

NEW = {"python:3.8*": "python:3.11", "team.example/base:*": "team.example/base:new"}


@pytest.mark.parametrize(
    ("before", "after", "bases"),
    [
        ("FROM python:3.8\nRUN x\n", "FROM python:3.11\nRUN x\n", {"python:3.8": "python:3.11"}),
        ("FROM python:3.9\n", "FROM python:3.9\n", {}),
        (
            "# syntax=docker/dockerfile:1\n\nfrom --platform=linux/amd64 python:3.8-slim as a\n",
            "# syntax=docker/dockerfile:1\n\nFROM --platform=linux/amd64 python:3.11 as a\n",
            {"python:3.8-slim": "python:3.11"},
        ),
        (
            "ARG V=3.8\nFROM python:${V}\nRUN a \\\n  b\n",
            "ARG V=3.8\nFROM python:3.11\nRUN a \\\n  b\n",
            {"python:3.8": "python:3.11"},
        ),
        (
            "FROM python:3.8 AS one\nFROM one\nCOPY --from=one /a /a\n",
            "FROM python:3.11 AS one\nFROM one\nCOPY --from=one /a /a\n",
            {"python:3.8": "python:3.11"},
        ),
        (
            f"FROM python:3.8@sha256:{'a' * 64}\n",
            "FROM python:3.11\n",
            {f"python:3.8@sha256:{'a' * 64}": "python:3.11"},
        ),
        (
            "FROM scratch\nCOPY --chown=1000 --from=team.example/base:1 /a \\\n   /b\nCOPY --from=0 /a /b\n",
            "FROM scratch\nCOPY --chown=1000 --from=team.example/base:new /a \\\n   /b\nCOPY --from=0 /a /b\n",
            {"team.example/base:1": "team.example/base:new"},
        ),
    ],
)
def test_the_base_changes_and_nothing_else(before: str, after: str, bases: dict[str, str]) -> None:
    assert replaced(before, {}, NEW) == (after, tuple(bases.items()))


def test_a_build_argument_decides_which_base_it_is() -> None:
    dockerfile = "ARG V=3.11\nFROM python:$V\n"
    assert replaced(dockerfile, {}, NEW) == (dockerfile, ())
    assert replaced(dockerfile, {"V": "3.8"}, NEW)[0] == "ARG V=3.11\nFROM python:3.11\n"


@given(
    bases=st.lists(
        st.sampled_from(["python:3.8", "python:3.8-slim", "python:3.12", "debian:12", "scratch"]), min_size=1
    ),
    between=st.lists(st.sampled_from(["RUN echo python:3.8", "# FROM python:3.8", "ENV A=python:3.8", ""]), max_size=3),
)
def test_afterwards_no_old_base_is_left(bases: list[str], between: list[str]) -> None:
    text = "\n".join(line for base in bases for line in (f"FROM {base}", *between)) + "\n"
    after, _ = replaced(text, {}, NEW)
    assert not any(base.startswith("python:3.8") for base in parse(after).base_references())
    assert after.count("\n") == text.count("\n")
    assert replaced(after, {}, NEW) == (after, ())
