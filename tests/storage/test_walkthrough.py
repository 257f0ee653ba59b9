"""The seed's directions of storage, one after the other, as somebody at a terminal goes them; all parts are real."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_image_manager.cli.main import run
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import RegistryAccess
from jupyter_image_manager.registry.settings import RegistrySettings

from .. import registries
from ..conftest import clean, share_runtimes

pytestmark = pytest.mark.engine
PROGRAM = str(Path(sys.executable).with_name("jupyter-image"))
DOCKERFILE = f"FROM jim-test/python:3.11\nRUN useradd -m -u 1000 jupyter\nLABEL run={uuid.uuid4().hex}\n"


class Terminal:
    """A project folder, and the words that somebody types there."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._capsys, self._monkeypatch = folder, capsys, monkeypatch

    def __call__(self, *words: str, code: int = 0, given: str = "") -> str:
        """Run a command; return all that it said."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO(given))
        self._capsys.readouterr()
        done = run([*words])
        said = self._capsys.readouterr()
        assert done == code, f"{words}: {done}\n{said.out}\n{said.err}"
        return said.out + said.err

    def image(self, spec: str) -> dict[str, Any]:
        """Return what ``show --json`` says."""
        found: dict[str, Any] = json.loads(self("show", spec, "--json"))
        return found


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[registries.Registry]:
    with registries.running(tmp_path, accounts=registries.ACCOUNTS) as registry:
        yield registry


@pytest.fixture
def terminal(
    tmp_path: Path,
    registry: registries.Registry,
    base_image: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Terminal]:
    base_image("3.11")
    folder, data = tmp_path / "project", tmp_path / "data"
    folder.mkdir()
    share_runtimes(data / "image_manager")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(data))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(data / "config"))
    terminal = Terminal(folder, capsys, monkeypatch)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    terminal("project", "create", str(folder))
    terminal("community", "set", f"registry={registry.address}", "namespace=team")
    terminal("community", "agent", "--user", registry.user, given=registry.secret)
    yield terminal
    manager = ImageManager(data_dir=str(data / "image_manager"))
    clean(manager.engine, manager.store.installation_id())
    manager.close()


def test_every_direction_from_the_command_line(terminal: Terminal, registry: registries.Registry) -> None:
    terminal("build", "geo", "-f", "Dockerfile", "--plain")
    built = terminal.image("geo:1")
    assert (built["storage"], built["registry_state"], built["optimized"]) == ("registry", "present", False)
    assert "registry" in terminal("usage", "--json")

    # From the machine to the registry only, and back by its digest.
    assert "its version in the registry stays" in terminal("prune", "--older-than", "0h", "--dry-run")
    terminal("prune", "--older-than", "0h", "--yes")
    assert "nobody needs" in terminal("prune", "--older-than", "0h", "--yes")
    terminal("optimize", "geo:1", "--quiet")
    assert "goes back to its version in the registry" in terminal("unoptimize", "geo:1", "--dry-run")
    terminal("unoptimize", "geo:1", "--yes")
    assert not terminal.image("geo:1")["optimized"]

    # A copy on this machine, and the original not needed any more.
    terminal("optimize", "geo:1")
    assert terminal.image("geo:1")["optimized"]
    said = terminal("delete", "geo:1", "--original", "--dry-run")
    assert "goes on working from its optimized copy" in said
    assert "garbage collection" in said
    assert "Repeat with --yes" in terminal("delete", "geo:1", "--original", code=1)
    terminal("delete", "geo:1", "--original", "--yes")
    assert terminal.image("geo:1")["registry_state"] == "missing"
    assert not _there(registry, built)
    terminal("activate", "geo:1")
    works = subprocess.run([PROGRAM, "run", "--", "python3", "-c", "print(6 * 7)"], capture_output=True, check=True)
    assert works.stdout == b"42\n"

    # The last copy: not while it is active, and final.
    assert "active in the project" in terminal("unoptimize", "geo:1", "--yes", code=1)
    terminal("deactivate")
    assert "This is final" in terminal("unoptimize", "geo:1", "--dry-run")
    assert "This is final" in terminal("delete", "geo:1", "--copy", code=1)
    terminal("delete", "geo:1", "--copy", "--yes")
    assert "geo:1" in terminal("list")
    assert "its registry has no" in terminal("activate", "geo:1", code=1)
    assert "missing in the registry" in terminal("optimize", "geo:1", code=1)
    assert "geo:1 is deleted" in terminal("delete", "geo:1", "--yes")
    assert "geo:1" not in terminal("list")


def _there(registry: registries.Registry, image: dict[str, Any]) -> bool:
    with RegistrySettings().client(RegistryAccess(registry.address, "team", registry.user, registry.secret)) as client:
        return client.head(image["repository"], image["digest"]) is not None
