"""Reading Dockerfiles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_image_manager.dockerfile import expand, parse
from jupyter_image_manager.errors import InvalidDockerfile

WHOLE = """# syntax=docker/dockerfile:1
# a comment
ARG PYTHON=3.11
FROM python:${PYTHON}-slim AS base
RUN apt-get update && \\
    # between
    apt-get install -y \\

    gcc
COPY --chown=1000:1000 --from=base a b /c/
RUN --mount=type=cache,target=/root/.cache <<EOF
pip install x
EOF
FROM base
COPY --from=busybox /bin/sh /bin/sh
CMD ["python3"]
"""


def test_instructions_have_their_lines_flags_and_values() -> None:
    read = parse(WHOLE)
    assert [(i.keyword, i.line, i.end_line) for i in read.instructions] == [
        ("ARG", 3, 3),
        ("FROM", 4, 4),
        ("RUN", 5, 9),
        ("COPY", 10, 10),
        ("RUN", 11, 13),
        ("FROM", 14, 14),
        ("COPY", 15, 15),
        ("CMD", 16, 16),
    ]
    assert read.syntax == "docker/dockerfile:1"
    assert read.instructions[2].value.split() == ["apt-get", "update", "&&", "apt-get", "install", "-y", "gcc"]
    assert read.instructions[3].flags == ("--chown=1000:1000", "--from=base")
    assert read.instructions[4].heredocs == ("pip install x\n",)
    assert read.instructions[7].exec_form
    assert [(s.base, s.name) for s in read.stages] == [("python:${PYTHON}-slim", "base"), ("base", "")]


def test_bases_are_what_must_come_from_elsewhere() -> None:
    assert parse(WHOLE).base_references() == ("python:3.11-slim", "busybox")
    assert parse(WHOLE).base_references({"PYTHON": "3.9"})[0] == "python:3.9-slim"
    assert parse("FROM scratch\nCOPY a /").base_references() == ()
    assert expand("${A:-x}$B", {"B": "y"}) == "xy"


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("", 0, "empty"),
        ("# only a comment\n", 0, "empty"),
        ("RUN true\nFROM x", 1, "FROM"),
        ("FROM x\nRUNN true", 2, "RUN"),
        ("FROM x\nCOPY <<EOF /a\nnever", 2, "EOF"),
        ("FROM x\nENV", 2, "ENV"),
        ("FROM a b", 1, "AS"),
        ("FROM x\0", 0, "NUL"),
    ],
)
def test_what_is_no_dockerfile_is_refused_with_its_line(text: str, line: int, word: str) -> None:
    with pytest.raises(InvalidDockerfile) as refused:
        parse(text)
    assert refused.value.details["line"] == line
    assert word in refused.value.message


def test_the_escape_directive_is_honoured() -> None:
    read = parse("# escape=`\nFROM x\nRUN a `\n b\n")
    assert read.instructions[1].value.split() == ["a", "b"]


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = parse(text)
    except InvalidDockerfile:
        return
    assert read.stages
