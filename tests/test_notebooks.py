from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from jupyter_image_manager import notebooks
from jupyter_image_manager.kernels.memory import KEY
from jupyter_image_manager.models import Image, Project

from .store.values import a_project, a_recipe, an_image


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "work"
    folder.mkdir()
    return a_project(folder)


@pytest.fixture
def image(project: Project) -> Image:
    return an_image(project.id, a_recipe(), name="geo", version=2)


def write(path: Path, memory: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {} if memory is None else {KEY: memory}
    path.write_text(json.dumps({"cells": [], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))


def test_the_notebooks_that_remember_are_found(project: Project, image: Image, tmp_path: Path) -> None:
    folder = Path(project.path)
    mine = {"image": "geo:2", "digest": "sha256:1", "project": project.id}
    write(folder / "a.ipynb", mine)
    write(folder / "maps" / "карта 1.ipynb", mine)
    write(folder / "old.ipynb", {**mine, "image": "geo:1"})
    write(folder / "elsewhere.ipynb", {**mine, "project": uuid.uuid4().hex})
    write(folder / "none.ipynb", None)
    write(folder / "odd.ipynb", ["not", "ours"])
    (folder / "broken.ipynb").write_text(f'{{"{KEY}"')
    (folder / "a.txt").write_text(f'"{KEY}"')
    write(folder / ".ipynb_checkpoints" / "a-checkpoint.ipynb", mine)
    write(folder / "inner" / "b.ipynb", mine)
    write(tmp_path / "outside" / "c.ipynb", mine)
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "linked.ipynb").symlink_to(tmp_path / "outside" / "c.ipynb")
    inner = a_project(folder / "inner")
    found = notebooks.remembering(project, image, [project, inner])
    assert found == notebooks.Found(("a.ipynb", "maps/карта 1.ipynb"), complete=True)


@pytest.mark.parametrize(("bound", "value"), [("ENTRIES", 2), ("BYTES", 100), ("LARGEST", 10), ("NAMED", 1)])
def test_a_bound_is_said(
    project: Project, image: Image, bound: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        write(Path(project.path) / f"{name}.ipynb", {"image": "geo:2", "digest": "x", "project": project.id})
    assert len(notebooks.remembering(project, image, []).notebooks) == 3
    monkeypatch.setattr(notebooks, bound, value)
    found = notebooks.remembering(project, image, [])
    assert not found.complete
    assert len(found.notebooks) < 3


def test_a_folder_that_is_gone_has_no_notebooks(project: Project, image: Image) -> None:
    Path(project.path).rmdir()
    assert notebooks.remembering(project, image, []) == notebooks.Found((), complete=False)
