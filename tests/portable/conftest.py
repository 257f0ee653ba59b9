from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from traitlets.config import Config

from jupyter_image_manager.manager import ImageManager

from ..builds.conftest import Builder, builder
from ..conftest import clean, share_runtimes

__all__ = ["Builder", "builder"]


@pytest.fixture
def elsewhere(tmp_path: Path, manager_config: Config) -> Iterator[ImageManager]:
    """Another installation, with a store and projects of its own."""
    (tmp_path / "elsewhere").mkdir()
    data = share_runtimes(tmp_path / "data elsewhere")
    where = {"data_dir": str(data), "root_dir": str(tmp_path / "elsewhere")}
    service = ImageManager(config=Config({**manager_config, "ImageManager": where}))
    yield service
    clean(service.engine, service.store.installation_id())
    service.close()
