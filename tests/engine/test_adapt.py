"""What is made of a Dockerfile before it is sent, and what is shown of it."""

from __future__ import annotations

import json

import pytest

from jupyter_image_manager.engine.adapt import adapt, without_ours
from jupyter_image_manager.engine.port import BuildSpec

SPEC = BuildSpec(
    tag="a:1", dockerfile="Dockerfile", labels={}, build_args={}, environment={"A": "1", "B": "2"}, ca_bundle="/ca.crt"
)
READ = "set -a; . /dev/jupyter-image-manager.environment; set +a; "


def sent(text: str, *, variables: bool = False) -> list[str]:
    """Return the instructions that are sent, without our mounts."""
    found = adapt(text, SPEC, variables=variables).splitlines()
    assert len(found) == len(text.splitlines())
    assert all("--mount=type=secret,id=jupyter-image-manager-" in line for line in found if line.startswith("RUN"))
    return [" ".join(word for word in line.split(" ") if "image-manager-" not in word) for line in found if line]


def wrapped(*words: str, shell: tuple[str, ...] = ("/bin/sh",)) -> str:
    return "RUN " + json.dumps([*shell, "-c", READ + 'exec "$0" "$@"', *words])


def test_nothing_is_changed_without_settings() -> None:
    text = "FROM a\r\nRUN b"
    assert adapt(text, BuildSpec(tag="a:1", dockerfile="Dockerfile", labels={}, build_args={})) is text


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ("", 'RUN ["a", "b"]'),  # is there a shell in it?
        ("RUN x\n", wrapped("a", "b")),
        ('SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN x\n', wrapped("a", "b", shell=("/bin/bash",))),
        ('SHELL ["/bin/busybox", "sh", "-c"]\nRUN x\n', wrapped("a", "b", shell=("/bin/busybox", "sh"))),
        ('SHELL ["python3", "-c"]\nRUN x\n', 'RUN ["a", "b"]'),
        ('RUN ["/busybox", "--install"]\n', 'RUN ["a", "b"]'),
        ("RUN x\nFROM d AS e\n", 'RUN ["a", "b"]'),
        ("RUN x\nFROM C\n", wrapped("a", "b")),
    ],
)
def test_an_exec_form_is_read_by_a_shell_that_was_used_before(before: str, then: str) -> None:
    assert sent(f'FROM b AS c\n{before}RUN ["a", "b"]\nRUN later\n')[-2] == then


def test_with_variables_no_form_is_changed() -> None:
    text = 'FROM b\nRUN x\nRUN ["a", "b"]\nRUN <<E\n#!/usr/bin/python3\nE\nSHELL ["python3", "-c"]\nRUN x\n'
    assert sent(text, variables=True) == text.splitlines()
    run = adapt(text, SPEC, variables=True).splitlines()[1]
    assert "id=jupyter-image-manager-variable-A,env=A " in run and "target=/dev/jupyter-image-manager.ca.crt" in run
    # A front end that the Dockerfile asks for may know less than the engine's own.
    assert sent(f"# syntax=docker/dockerfile:1.4\n{text}", variables=True)[2] == f"RUN {READ}x"


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        ('RUN --mount=type=secret,id=jupyter-image-manager-variable-A,env=A ["a", "b"]', 'RUN ["a", "b"]'),
        (wrapped("a", "b"), 'RUN ["a", "b"]'),
        (f'RUN ["/bin/busybox", "sh", "-c", "{READ}exec "$0" "$@"", "a", "b"]', 'RUN ["a", "b"]'),
        (f'RUN |1 X=y /bin/bash -c {READ}exec "$0" "$@" a b # buildkit', "RUN |1 X=y a b # buildkit"),
        (f"RUN /bin/sh -c {READ}a b # buildkit", "RUN /bin/sh -c a b # buildkit"),
    ],
)
def test_people_see_what_the_user_wrote(seen: str, shown: str) -> None:
    assert without_ours(seen) == shown
