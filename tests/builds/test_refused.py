"""Requests that are refused, each with what is wrong, and nothing changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jupyter_image_manager.errors import (
    Conflict,
    ImageManagerError,
    InvalidDockerfile,
    InvalidReference,
    InvalidRequest,
    NeedsConfirmation,
    NotAllowed,
    QuotaExceeded,
)
from jupyter_image_manager.models import Storage

from .conftest import Builder

pytestmark = pytest.mark.engine
QUICK = "FROM jim-test/debian:12\nRUN echo hello\n"


def test_nothing_is_written_for_bad_input(builder: Builder, folder: Path, tmp_path: Path) -> None:
    (folder / "file").write_text("x")
    (folder / "app").mkdir()
    (folder / "big").mkdir()
    with (folder / "big" / "sparse").open("wb") as file:
        file.truncate(3 << 30)
    (folder / "fifo").mkdir()
    os.mkfifo(folder / "fifo" / "pipe")
    (folder / "out").symlink_to("/etc")
    (folder / "latin").write_bytes(b"FROM \xff")
    (folder / "Empty").write_text("# nothing\n")
    cases = [
        ({}, InvalidDockerfile, "There is no Dockerfile"),
        ({"dockerfile_path": "Empty"}, InvalidDockerfile, "empty"),
        ({"dockerfile_path": "latin"}, InvalidDockerfile, "UTF-8"),
        ({"dockerfile_path": "big"}, InvalidDockerfile, "no file"),
        ({"dockerfile_path": "../Dockerfile"}, InvalidRequest, "outside"),
        ({"dockerfile_path": "out/passwd"}, InvalidRequest, "out"),
        ({"dockerfile": "FROM x\nRUNN y\n"}, InvalidDockerfile, "Line 2"),
        ({"dockerfile": "RUN y\n"}, InvalidDockerfile, "FROM"),
        ({"dockerfile": ""}, InvalidDockerfile, "empty"),
        ({"dockerfile": QUICK + "COPY nothing.txt /\n", "context": "app"}, InvalidRequest, "Line 3"),
        ({"dockerfile": QUICK, "context": "file"}, InvalidRequest, "file"),
        ({"dockerfile": QUICK, "context": "none"}, InvalidRequest, "no folder"),
        ({"dockerfile": QUICK, "context": ".."}, InvalidRequest, "leaves"),
        ({"dockerfile": QUICK, "context": "big/../.."}, InvalidRequest, "leaves"),
        ({"dockerfile": QUICK, "context": "/etc"}, InvalidRequest, "leaves"),
        ({"dockerfile": QUICK, "context": "out"}, InvalidRequest, "out of the project"),
        ({"dockerfile": QUICK, "context": "fifo"}, InvalidRequest, "pipe"),
        ({"dockerfile": QUICK, "context": "big"}, NeedsConfirmation, "sparse"),
        ({"dockerfile": QUICK, "template": {"name": "minimal"}}, InvalidRequest, "one source"),
        ({"dockerfile": QUICK, "storage": Storage.REGISTRY}, InvalidRequest, "registry"),
        ({"template": {"name": "nosuch"}}, InvalidRequest, "template"),
        ({"template": {"name": "minimal", "files": ["nothing.txt"]}}, InvalidRequest, "nothing.txt"),
        ({"reference": "Not A Reference"}, InvalidReference, "reference"),
        ({"reference": "--privileged"}, InvalidReference, "reference"),
        ({"archive": "/nosuch.tar"}, InvalidRequest, "no archive"),
        ({"archive": str(folder / "file")}, InvalidRequest, "archive"),
        ({"from_image": "0" * 32}, ImageManagerError, "no such image"),
        ({"dockerfile": QUICK, "name": "Capital"}, InvalidReference, "capital"),
        ({"dockerfile": QUICK, "name": "a b"}, InvalidReference, "spaces"),
        ({"dockerfile": QUICK, "name": "a/b"}, InvalidReference, "slash"),
        ({"dockerfile": QUICK, "name": "a" * 300}, InvalidReference, "longer"),
        ({"dockerfile": QUICK, "build_args": {"a=b": "c"}}, InvalidRequest, "'a=b'"),
    ]
    before = builder.manager.store.last_change()
    for given, kind, word in cases:
        with pytest.raises(kind) as caught:
            builder.submit(**given)
        message = caught.value.message
        assert message.endswith((".", "?", "…")) and word in message, message
    assert builder.manager.store.last_change() == before
    assert builder.manager.store.images(builder.project.id) == []
    assert builder.manager.builds.list(builder.actor) == []


def test_quotas_and_bases_of_the_administrator_hold(builder: Builder) -> None:
    builder.manager.policy.allowed_bases = ["docker.io/library/python:*"]
    with pytest.raises(NotAllowed, match="allowed"):
        builder.submit(QUICK)
    with pytest.raises(NotAllowed, match="allowed"):
        builder.submit(reference="jim-test/debian:12")
    builder.manager.policy.allowed_bases = ["*"]
    builder.build(QUICK)
    builder.manager.policy.max_images = 1
    with pytest.raises(QuotaExceeded, match="1 of 1"):
        builder.submit(QUICK, name="other")


def test_a_big_context_must_be_confirmed_and_what_is_well_is_not_mended(builder: Builder, folder: Path) -> None:
    builder.builds.settings.context_limit = 1000
    (folder / "big.bin").write_bytes(bytes(5000))
    text = builder.builds.render_template({"name": "minimal", "python": "3.11"})
    with pytest.raises(NeedsConfirmation, match=r"big\.bin"):
        builder.submit(text)
    build = builder.build(text, confirm_context=True)
    with pytest.raises(Conflict, match="lacks nothing"):
        builder.builds.fix(builder.actor, build.image_id)
