from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_image_manager.models import Project
from jupyter_image_manager.store import Store

from .values import a_project


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(directory=tmp_path / "data")
    yield store
    store.close()


@pytest.fixture
def project(store: Store, tmp_path: Path) -> Project:
    return store.add_project(a_project(tmp_path / "work", folder_id="1:2"))
