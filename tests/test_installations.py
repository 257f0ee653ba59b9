"""Several data folders over one project, and a data folder of somebody else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jupyter_image_manager.errors import StoreError
from jupyter_image_manager.kernels import active
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor

from .handlers.test_images import add

ADA = Actor("ada")


@contextmanager
def installation(folder: Path, root: Path) -> Iterator[ImageManager]:
    manager = ImageManager(data_dir=str(folder), root_dir=str(root))
    yield manager
    manager.close()


def test_two_data_folders_know_nothing_of_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "root" / "science"
    folder.mkdir(parents=True)
    with installation(tmp_path / "a", tmp_path / "root") as a, installation(tmp_path / "b", tmp_path / "root") as b:
        project = a.projects.create(ADA, str(folder))
        a.store.activate_image(project.id, add(a, project.id).id)
        assert active.concerns(a.data_path, [folder])
        assert not active.concerns(b.data_path, [folder])
        assert b.projects.enclosing(ADA, str(folder)) is None
        assert b.kernels.target(str(folder)) is None
        other = b.projects.create(ADA, str(folder))
        assert (other.id, other.active_image_id) != (project.id, project.active_image_id)
        assert active.concerns(a.data_path, [folder])
        assert not active.concerns(b.data_path, [folder])
        assert a.store.installation_id() != b.store.installation_id()


def test_a_data_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with installation(tmp_path / "file" / "data", tmp_path) as manager:
        with pytest.raises(StoreError, match=r"cannot be used .*set ImageManager\.data_dir"):
            manager.projects.list(ADA)
        assert not active.concerns(tmp_path / "file" / "data", [tmp_path])


def test_a_data_folder_of_somebody_else_is_refused_and_touches_no_kernel(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with installation(data, tmp_path) as manager:
        manager.projects.create(ADA, str(tmp_path))
    root = os.geteuid() == 0
    if root:
        os.seteuid(12345)
    else:
        data.chmod(0)
    try:
        with installation(data, tmp_path) as manager, pytest.raises(StoreError, match="act as the user"):
            manager.projects.list(ADA)
        assert not active.concerns(data, [tmp_path])
    finally:
        if root:
            os.seteuid(0)
        else:
            data.chmod(0o700)


def test_the_file_that_kernel_starts_read_stays_its_owners(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    owner = 12345 if os.geteuid() == 0 else os.geteuid()
    os.chown(data, owner, -1)
    active.write(data, [])
    assert (data / active.FILE).stat().st_uid == owner
