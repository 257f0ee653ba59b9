"""The worked session of docs/developers/rest.md, word for word, against a server in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from traitlets.config import Config

from jupyter_image_manager.manager import ImageManager

from ..conftest import clean, share_runtimes
from .test_fuzz import TOKEN, serving

pytestmark = pytest.mark.engine
PAGE = Path(__file__).parents[2] / "docs" / "developers" / "rest.md"


@pytest.fixture
def server(tmp_path: Path, base_image: Callable[[str], str]) -> Iterator[str]:
    base_image("3.11")
    (tmp_path / "work" / "science").mkdir(parents=True)
    data = share_runtimes(tmp_path / "images")
    options = [
        f"--ImageManager.data_dir={data}",
        "--TemplateCatalog.base_image=jim-test/python:{python}",
        "--BuildSettings.from_server_environment=True",
    ]
    with serving(tmp_path, options) as address:
        yield address
    service = ImageManager(config=Config({"ImageManager": {"data_dir": str(data)}}))
    clean(service.engine, service.store.installation_id())
    service.close()


def test_the_session_works_as_it_stands(server: str, tmp_path: Path) -> None:
    text = PAGE.read_text().partition("## A worked session\n")[2].partition("\n## ")[0]
    script = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.S))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={**os.environ, "SERVER": server.rstrip("/"), "TOKEN": TOKEN, "no_proxy": "*"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    said = done.stdout.splitlines()
    for words in ("True", "the build has ended", "geo:1", "image_in_use", "None", "needs_confirmation"):
        assert words in said, done.stdout
    assert said.count("succeeded") == 2
    assert "active in the project 'Science'" in done.stdout
    assert (tmp_path / "work" / "science").is_dir()
