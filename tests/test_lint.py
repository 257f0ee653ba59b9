from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from jupyter_image_manager.copies import Names
from jupyter_image_manager.lint import ABOUT, lint
from jupyter_image_manager.templates import TemplateCatalog
from jupyter_image_manager.templates.recipes import PYTHONS, TEMPLATES

USER = "RUN useradd --uid 1000 jupyter\n"
BASE = "FROM python:3.11-slim-bookworm\n" + USER


def said(dockerfile: str, level: str = "", **more: object) -> list[tuple[int, str]]:
    return [
        (found["line"], found["message"])
        for found in lint(dockerfile, **more)  # type: ignore[arg-type]
        if not level or found["level"] == level
    ]


def has(dockerfile: str, line: int, words: str, level: str = "", **more: object) -> bool:
    return any(number == line and words in message for number, message in said(dockerfile, level, **more))


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_are_clean(name: str, python: str) -> None:
    choices = {"name": name, "python": python, "requirements": "six==1.16.0", "apt": ["git"], "env": {"A": "b"}}
    assert lint(TemplateCatalog().render(choices).dockerfile) == []


def test_a_good_dockerfile_by_hand_is_clean() -> None:
    assert (
        lint(
            BASE + "COPY requirements.txt /tmp/requirements.txt\n"
            "RUN python3 -m pip install --no-cache-dir -r /tmp/requirements.txt\n"
            "COPY . /srv/app\nUSER jupyter\n"
        )
        == []
    )


@pytest.mark.parametrize("base", ["python", "python:latest", "registry.example:5000/team/base"])
def test_an_unpinned_base(base: str) -> None:
    assert has(f"FROM {base}\n", 1, "names no version", "warning")


@pytest.mark.parametrize(
    "base", ["python:3.11", "python@sha256:" + "0" * 64, "registry.example:5000/team/base:1", "$BASE"]
)
def test_a_pinned_base(base: str) -> None:
    assert not has(f"FROM {base}\n", 1, "names no version")


def test_a_base_by_argument_and_by_stage() -> None:
    assert has("ARG BASE=python\nFROM ${BASE}\n", 2, "names no version")
    assert not has(f"FROM python:3.11 AS one\n{USER}FROM one\n", 3, "names no version")
    assert said(f"FROM python:3.11 AS one\n{USER}FROM one\n") == []


@pytest.mark.parametrize("tag", ["2.7", "3.7-slim", "3.13-slim-bookworm", "3.12.4"])
def test_a_base_with_an_unsupported_python(tag: str) -> None:
    assert has(f"FROM python:{tag}\n{USER}", 1, "cannot run kernels", "error")


def test_the_administrator_may_widen_the_pythons() -> None:
    assert not has(f"FROM python:3.13-slim\n{USER}", 1, "cannot run kernels", versions=SpecifierSet(">=3.8"))


def test_what_the_check_will_miss_is_said_before() -> None:
    assert has("FROM debian:12\n", 1, "has no Python", "warning")
    assert has("FROM debian:12\n", 1, "user jupyter", "warning")
    assert has("FROM scratch\n", 1, "has no Python", "error")
    assert said("FROM team/base:1\n") == []  # nobody knows what that brings
    installed = "RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-pip "
    assert said(f"FROM debian:12\n{installed}&& rm -rf /var/lib/apt/lists/*\n{USER}") == []


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("ENV API_KEY=abc", "API_KEY"),
        ("ENV GITHUB_TOKEN abc", "GITHUB_TOKEN"),
        ("ARG DB_PASSWORD", "DB_PASSWORD"),
        ("ENV URL=https://me:pass@host/x", "URL"),
        ("RUN git clone https://me:pass@host/x", "The command"),
        ("ENV X=ghp_abcdefghijklmnopqrstuvwxyz012345", "X"),
    ],
)
def test_secrets_are_found_and_not_repeated(line: str, shown: str) -> None:
    found = [f for f in lint(BASE + line + "\n") if "secret" in f["message"]]
    assert found
    assert shown in found[0]["message"]
    assert "--mount=type=secret" in found[0]["cure"][0]
    text = str(found)
    assert "abc" not in text
    assert "pass@" not in text


@pytest.mark.parametrize("line", ["ENV TOKENIZERS_PARALLELISM=false", "ENV PATH=/x:$PATH", "ENV KEYBOARD=us", "ENV A="])
def test_what_only_looks_like_a_secret(line: str) -> None:
    assert said(BASE + line + "\n") == []


@pytest.mark.parametrize(
    ("line", "words", "level"),
    [
        ("RUN apt-get install -y git", "apt-get update in the same RUN", "warning"),
        ("RUN apt-get update", "RUN of its own", "warning"),
        ("RUN apt-get update && apt-get install git", "asks a question", "error"),
        ("RUN apt-get update && apt-get install -y git", "Recommended packages", "info"),
        ("RUN apt-get update && apt-get install -y --no-install-recommends git", "lists stay", "info"),
        ("RUN pip install numpy", "numpy without an exact version", "info"),
        ("RUN cd /x && python3 -m pip install 'pandas>=2' six==1.0", "pandas>=2 without", "info"),
        ("RUN pip install six==1.0", "cache stays", "info"),
        ("RUN <<EOF\npip install --no-cache-dir numpy\nEOF", "numpy without", "info"),
        ("RUN [ -d /x ] || pip install --no-cache-dir numpy", "numpy without", "info"),
        ("RUN sudo make install", "sudo", "warning"),
        ("RUN curl -s https://x/y | bash", "run unseen", "warning"),
        ("RUN chmod -R 777 /srv", "777", "info"),
        ("ADD https://host/file.bin /x", "unverified", "warning"),
        ("ADD a.txt /x", "COPY says", "info"),
        ("WORKDIR srv", "relative WORKDIR", "warning"),
        ("VOLUME /data", "lost with each kernel", "info"),
        ("MAINTAINER me", "old form", "info"),
        ("ENV A b c", "old form", "info"),
        ("COPY ../secret /x", "outside the context", "error"),
    ],
)
def test_what_will_bite(line: str, words: str, level: str) -> None:
    assert has(f"{BASE}{line}\n", 3, words, level), said(f"{BASE}{line}\n")


@pytest.mark.parametrize(
    "line",
    [
        "RUN pip install --no-cache-dir six==1.16.0 'numpy[x]==1'",
        "RUN --mount=type=cache,target=/root/.cache pip install six==1.16.0",
        "RUN pip install --no-cache-dir .",
        "RUN pip install --no-cache-dir -r requirements.txt --index-url https://x/simple",
        'RUN ["pip", "install", "--no-cache-dir", "six==1.16.0"]',
        "RUN echo 'sudo is a word'",
        "ADD rootfs.tar.gz /",
        "WORKDIR $HOME",
        "COPY --from=0 /a /b",
    ],
)
def test_what_is_well(line: str) -> None:
    assert said(f"{BASE}{line}\n") == []


def test_the_whole_context_before_packages() -> None:
    text = BASE + "COPY . /app\nRUN pip install --no-cache-dir -r /app/requirements.txt\n"
    assert has(text, 3, "installed in line 4", "warning")


def test_missing_sources_are_found_when_the_context_is_known() -> None:
    text = BASE + 'COPY data missing.txt /x/\nCOPY ["a b.csv", "/x/"]\nCOPY *.py /x/\nCOPY ./ /y\n'
    (line, message), *more = said(text, "error", files=Names(["data/grid.csv", "a b.csv"]))
    assert (line, more) == (3, [])
    assert message.startswith("missing.txt is not in the context;")


def test_a_syntax_line_and_a_syntax_error() -> None:
    assert has("# syntax=docker/dockerfile:1\n" + BASE, 1, "Docker Hub", "info")
    assert has("FROM python:3.11\nFETCH x\n", 2, "FETCH", "error")
    assert said("", "error")


@given(st.text(max_size=200))
def test_any_text_is_survived(text: str) -> None:
    for found in lint("FROM python:3.11\n" + text):
        assert found["level"] in ("error", "warning", "info")
        assert found["line"] >= 1


@given(st.sampled_from(["RUN", "ENV", "COPY", "ADD", "ARG", "FROM", "WORKDIR"]), st.text(max_size=80))
def test_any_argument_is_survived(keyword: str, text: str) -> None:
    lint(f"FROM python:3.11\n{keyword} {text}\n")


def test_each_remark_says_which_question_it_answers() -> None:
    found = lint("FROM debian\nENV API_TOKEN=abc\nCOPY . /srv\nCOPY ../x /x\nRUN pip install numpy && chmod 777 /srv\n")
    assert {(one["line"], one["about"]) for one in found} == {
        *((1, about) for about in ("versions", "python", "user")),
        (2, "secrets"),
        (3, "order"),
        (4, "files"),
        (5, "versions"),
        (5, ""),
    }
    assert {one["about"] for one in found} == set(ABOUT)
    assert [one["about"] for one in lint(BASE + "COPY a /a\n", files=Names((), "the context"))] == ["files"]
