"""``%image`` in a real local kernel, through nbclient."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from jupyter_image_manager.manager import ImageManager

from .conftest import clean, share_runtimes

pytestmark = pytest.mark.engine


def run(folder: Path, data: Path, *cells: str) -> list[str]:
    """Run cells in a local kernel; return what each shows, in text."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(notebook, kernel_name="python3", timeout=300, resources={"metadata": {"path": str(folder)}})
    client.execute(env=os.environ | {"JUPYTER_DATA_DIR": str(data)})
    shown = []
    for cell in notebook.cells:
        texts = []
        for output in cell.outputs:
            texts.append(output.get("text") or output.get("data", {}).get("text/plain", ""))
            assert "<script" not in output.get("data", {}).get("text/html", "")
        shown.append("\n".join(texts))
    return shown


def test_a_notebook_builds_and_uses_an_image(tmp_path: Path, base_image: Callable[[str], str]) -> None:
    folder, data = tmp_path / "project", tmp_path / "data"
    folder.mkdir()
    share_runtimes(data / "image_manager")
    dockerfile = f"FROM {base_image('3.11')}\nRUN useradd -m -u 1000 jupyter"
    (folder / "Dockerfile").write_text(dockerfile)
    try:
        _, before, built, listed, used, status, cell, none = run(
            folder,
            data,
            "%load_ext jupyter_image_manager",
            "%image",
            "%image build geo",
            "%image list",
            "%image use geo",
            "%image",
            f"%%image from-cell\n{dockerfile}",
            "%image use none",
        )
        assert "no active image" in before
        assert "geo:1 is ready" in built
        assert "geo:1" in listed
        assert "geo:1 is active" in used
        assert "Restart" in used
        assert "active" in status
        assert "from-cell:1 is ready" in cell
        assert "server's environment" in none
    finally:
        manager = ImageManager(data_dir=str(data / "image_manager"))
        clean(manager.engine, manager.store.installation_id())
        manager.close()
