"""What COPY and ADD would not find is said before a build starts: asked for by a folder, a recipe or a look-over."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_image_manager.builds.context import Context
from jupyter_image_manager.copies import Presence
from jupyter_image_manager.errors import InvalidRequest
from jupyter_image_manager.models import BuildState

from .conftest import Builder

BASE = "FROM jim-test/debian:12\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("data/train.csv", "data/keep/one.csv", "app/main.py", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "link").symlink_to("data")
    (tmp_path / "dangling").symlink_to("nowhere")
    return tmp_path


@pytest.mark.parametrize(
    ("ignore", "path", "presence"),
    [
        ("", "data/train.csv", Presence.SENT),
        ("", "data", Presence.SENT),
        ("", "data/none.csv", Presence.ABSENT),
        ("", "notes.txt/x", Presence.ABSENT),
        ("", "link/anything", Presence.SENT),
        ("", "dangling", Presence.SENT),
        ("", "a\0b", Presence.SENT),
        ("data", "data/train.csv", Presence.IGNORED),
        ("data", "data", Presence.IGNORED),
        ("data/*", "data", Presence.SENT),
        ("data\n!data/keep", "data", Presence.SENT),
        ("data\n!data/keep", "data/keep/one.csv", Presence.SENT),
        ("data\n!data/keep", "data/train.csv", Presence.IGNORED),
        ("*\n!app", "app/main.py", Presence.SENT),
        ("*\n!app", ".dockerignore", Presence.SENT),
    ],
)
def test_a_folder_knows_what_it_sends(tree: Path, ignore: str, path: str, presence: Presence) -> None:
    (tree / ".dockerignore").write_text(ignore)
    assert Context(tree, None).presence(path) is presence


@pytest.mark.engine
def test_it_is_refused_before_anything_is_written(builder: Builder, folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "train.csv").write_text("1")
    (folder / "notes.txt").write_text("1")
    (folder / ".dockerignore").write_text("*.txt\n")
    with pytest.raises(InvalidRequest) as caught:
        builder.submit(BASE + "RUN true\nCOPY train.csv /\nCOPY none /\n")
    assert caught.value.message == (
        "Line 3 of the Dockerfile copies what is missing: train.csv is not in the context; did you mean "
        "data/train.csv? Line 4 too copies what is not there."
    )
    assert caught.value.details["missing"][0]["near"] == ("data/train.csv",)
    with pytest.raises(InvalidRequest, match=r"\.dockerignore leaves it out.*!notes\.txt"):
        builder.submit(BASE + "COPY notes.txt /\n")
    (folder / "My.Dockerfile").write_text(BASE + "COPY data/train.csv /\n")
    (folder / "My.Dockerfile.dockerignore").write_text("data\n")
    with pytest.raises(InvalidRequest, match=r"My\.Dockerfile\.dockerignore leaves it out"):
        builder.submit(dockerfile_path="My.Dockerfile")
    with pytest.raises(InvalidRequest, match="the context 'data'"):
        builder.submit(BASE + "COPY data/train.csv /\n", context="data")
    assert builder.manager.store.images(builder.project.id) == []

    found = builder.builds.lint(builder.actor, builder.project.id, BASE + "COPY train.csv /\n")
    assert [f["message"] for f in found if f["level"] == "error"] == [
        "train.csv is not in the context; did you mean data/train.csv?"
    ]
    found = builder.builds.lint(builder.actor, builder.project.id, BASE + "COPY train.csv /\n", context="data")
    assert [f for f in found if f["level"] == "error"] == []
    builder.manager.builds.checker.python_versions = ">=3.8"
    found = builder.builds.lint(builder.actor, builder.project.id, "FROM python:3.13-slim\n")
    assert [f for f in found if f["level"] == "error"] == []


@pytest.mark.engine
def test_a_kept_context_is_looked_at_when_its_recipe_is_edited(builder: Builder, folder: Path) -> None:
    (folder / "one.txt").write_text("1")
    build = builder.build(BASE + "COPY one.txt /\n")
    assert builder.image(build).engine_image, builder.text(build)
    (folder / "one.txt").unlink()
    (folder / "two.txt").write_text("2")
    with pytest.raises(InvalidRequest, match=r"two\.txt is not in the context that is kept"):
        builder.submit(BASE + "COPY two.txt /\n", from_image=build.image_id)
    again = builder.build(BASE + "COPY one.txt /other\n", from_image=build.image_id)
    assert again.state is BuildState.FAILED and again.failure.code == "image_unusable", again.failure
