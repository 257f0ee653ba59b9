from __future__ import annotations

import pytest

from jupyter_image_manager.lint import lint
from jupyter_image_manager.mends import with_mends

BASE = "FROM python:3.11-slim-bookworm\n"
USER = "RUN useradd --uid 1000 jupyter\n"


def mended(dockerfile: str, words: str) -> str | None:
    """Return the text after the mend of the remark that has these words."""
    finding = next(each for each in with_mends(dockerfile, lint(dockerfile)) if words in each["message"])
    mend = finding["mend"]
    if mend is None:
        return None
    lines = dockerfile.split("\n")
    lines[mend["line"] - 1 : mend["end_line"]] = mend["lines"]
    text = "\n".join(lines)
    assert not any(each["message"] == finding["message"] for each in lint(text))
    return text


@pytest.mark.parametrize(
    ("before", "words", "after"),
    [
        (
            "FROM --platform=linux/amd64 python:latest AS base\n" + USER,
            "names no version",
            "FROM --platform=linux/amd64 python:3.11-slim-bookworm AS base\n" + USER,
        ),
        (BASE + "ENV A b c\n" + USER, "old form", BASE + 'ENV A="b c"\n' + USER),
        (BASE + "ADD --chown=1000 a /b\n" + USER, "COPY says", BASE + "COPY --chown=1000 a /b\n" + USER),
        (BASE + "WORKDIR home\n" + USER, "relative", BASE + "WORKDIR /home\n" + USER),
        (
            BASE + USER + "RUN pip install \\\n    six==1.16.0\n",
            "cache",
            BASE + USER + "RUN pip install --no-cache-dir \\\n    six==1.16.0\n",
        ),
        (
            BASE + USER + "RUN apt-get update && \\\n    apt-get install -y git\n",
            "Recommended",
            BASE + USER + "RUN apt-get update && apt-get install -y --no-install-recommends git && "
            "rm -rf /var/lib/apt/lists/*\n",
        ),
        (
            BASE + "WORKDIR /home\n",
            "user jupyter",
            BASE + "RUN useradd --no-log-init --create-home --uid 1000 --shell /bin/bash jupyter\nWORKDIR /home\n",
        ),
        (
            BASE + USER + "COPY . /app\nRUN pip install --no-cache-dir -r requirements.txt\n",
            "whole context",
            BASE + USER + "COPY requirements.txt /tmp/requirements.txt\n"
            "RUN python3 -m pip install --no-cache-dir -r /tmp/requirements.txt\n"
            "COPY . /app\nRUN pip install --no-cache-dir -r requirements.txt\n",
        ),
    ],
)
def test_a_remark_is_done_with_by_its_edit(before: str, words: str, after: str) -> None:
    assert mended(before, words) == after


@pytest.mark.parametrize(
    ("dockerfile", "words"),
    [
        ("FROM debian\n" + USER, "names no version"),  # which one is a person's choice
        (BASE + USER + "ENV API_TOKEN=abc\n", "secret"),
        (BASE + USER + "RUN pip install --no-cache-dir six\n", "exact version"),
        (BASE + USER + "RUN apt-get update && apt-get install -y git && make\n", "Recommended"),
        (BASE + USER + "RUN apt-get update && apt-get install -y -t testing git\n", "Recommended"),
        ("FRUM x\n", ""),
    ],
)
def test_what_is_a_persons_choice_has_no_edit(dockerfile: str, words: str) -> None:
    assert mended(dockerfile, words) is None
