from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_image_manager.manager import ImageManager

from .laboratory import Laboratory


@pytest.fixture(scope="session")
def lab(_engine_while_tests_run: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """One installation for all tests of kernels: runtimes are fetched and compiled once."""
    data = tmp_path_factory.mktemp("data") / "image_manager"
    laboratory = Laboratory(ImageManager(data_dir=str(data)))
    yield laboratory
    laboratory.close()


@pytest.fixture(autouse=True)
def client_environment(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A client without our server: configured by nothing but the environment."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(Path(lab.manager.data_dir).parent))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "image-provisioner")
    monkeypatch.setenv("PYTHONPATH", os.getcwd())  # noqa: PTH109
