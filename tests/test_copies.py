from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_image_manager.copies import Names, missing
from jupyter_image_manager.dockerfile import parse
from jupyter_image_manager.errors import InvalidDockerfile

FILES = Names(["data/train.csv", "app/main.py", "a b.csv", "README.md"])


def gone(body: str) -> list[tuple[int, str]]:
    return [(one.line, one.path) for one in missing(parse(f"FROM base:1\n{body}\n"), FILES)]


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("COPY nothing.txt /x", ["nothing.txt"]),
        ("COPY --chown=1000:1000 nothing.txt README.md /x/", ["nothing.txt"]),
        ("ADD nothing.tar.gz /", ["nothing.tar.gz"]),
        ('COPY ["no thing.csv", "a b.csv", "/x/"]', ["no thing.csv"]),
        ('COPY "nothing.txt" /x', ["nothing.txt"]),
        ("COPY /app/other.py ./app/third.py /x/", ["/app/other.py", "./app/third.py"]),
        ("COPY README.md/ below/ /x/", ["below/"]),
        ("copy one \\\n  two /x/", ["one", "two"]),
    ],
)
def test_what_is_certainly_missing(line: str, paths: list[str]) -> None:
    assert gone(line) == [(2, path) for path in paths]


@pytest.mark.parametrize(
    "line",
    [
        "COPY . /x",
        "COPY / /x",
        "COPY ./ /x",
        "COPY data /x",
        "COPY data/ app/main.py ./README.md /app /x/",
        "COPY ../data /x",  # the lint says that it leads outside; BuildKit reads it as data
        "COPY *.txt nothing?.py [ab].csv /x/",
        "COPY $WHERE ${WHAT:-nothing} /x/",
        "COPY --from=base:1 /nothing /x",
        "COPY --from=0 nothing /x",
        "COPY <<EOF <<OTHER /x/\ntext\nEOF\nother\nOTHER",
        'COPY "a b.csv" /x',  # builders disagree about it
        "COPY a\\ b.csv /x",
        'COPY ["a b.csv", "data/train.csv", "/x/"]',
        "ADD https://example.invalid/x.tar /x",
        "ADD git@example.invalid:a/b.git /x",
        "ADD https://example.invalid/a.git#main /x",
        "ONBUILD COPY nothing.txt /x",
        "RUN echo COPY nothing.txt /x",
    ],
)
def test_what_may_well_be_there(line: str) -> None:
    assert gone(line) == []


def test_only_the_stages_that_the_image_needs_count() -> None:
    text = (
        "FROM a:1 AS one\nCOPY one /\nFROM a:1 AS unused\nCOPY two /\nFROM a:1 AS three\nCOPY three /\n"
        "FROM three AS four\nCOPY --from=0 / /\nCOPY four /\nFROM four\n"
        "RUN --mount=type=bind,from=six,target=/x true\nCOPY five /\n"
    )
    assert [one.path for one in missing(parse(text), FILES)] == ["one", "three", "four", "five"]


def test_names_that_may_be_meant() -> None:
    def message(line: str) -> str:
        return next(missing(parse(f"FROM a:1\n{line}"), FILES)).message

    assert message("COPY train.csv /") == "train.csv is not in the context; did you mean data/train.csv?"
    assert "did you mean app/main.py?" in message("COPY app/mian.py /")
    assert "did you mean README.md?" in message("COPY readme.md /")
    assert "paths count from there" in message("COPY zzz /")


@given(st.sampled_from(["COPY", "ADD"]), st.text(max_size=60))
def test_any_source_is_survived(keyword: str, text: str) -> None:
    try:
        read = parse(f"FROM a:1\n{keyword} {text} /x\n")
    except InvalidDockerfile:
        return
    for one in missing(read, FILES):
        assert one.message.endswith((".", "?"))
