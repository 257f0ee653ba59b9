"""Images that the engine of today does not hold, and folders in which its kernels could not work."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_image_manager import presence
from jupyter_image_manager.errors import ImageUnusable, KernelStartError
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, ImageState, Project, Report

from .handlers.test_images import add

pytestmark = pytest.mark.engine
NOWHERE = "sha256:" + "0" * 64


def warnings(manager: ImageManager, actor: Actor, project: Project) -> list[tuple[str, ...]]:
    return [summary.warnings for summary in manager.images.list(actor, project.id)]


def test_an_image_of_another_engine_is_said_to_be_there(manager: ImageManager, actor: Actor, project: Project) -> None:
    image = add(
        manager,
        project.id,
        state=ImageState.READY,
        engine_image=NOWHERE,
        engine_id="the engine before",
        report=Report(ok=True),
    )
    address = manager.engine.info().address
    ((warning,),) = warnings(manager, actor, project)
    assert f"geo:1 was built on another engine than the one at {address}" in warning
    assert "DOCKER_HOST" in warning
    assert "--from-image geo:1" in warning
    assert manager.images.get(actor, image.id).warnings == (warning,)
    assert manager.images.get(actor, image.id).held is False
    with pytest.raises(ImageUnusable, match="was built on another engine"):
        manager.images.activate(actor, project.id, image.id)
    # It is not gone: with the other engine it works again.
    assert manager.images.image(actor, image.id).state is ImageState.READY


def test_an_image_that_this_engine_holds_too_is_no_stranger(
    manager: ImageManager, actor: Actor, project: Project, base_image: Callable[[str], str]
) -> None:
    held = manager.engine.inspect_image(base_image("3.11")).id
    image = add(
        manager,
        project.id,
        state=ImageState.READY,
        engine_image=held,
        engine_id="the engine before",
        report=Report(ok=True),
    )
    assert warnings(manager, actor, project) == [()]
    assert manager.images.get(actor, image.id).held is True
    manager.images.usable(image)


def test_what_was_removed_behind_our_back_is_missing(manager: ImageManager, actor: Actor, project: Project) -> None:
    here = presence.identity(manager.engine.info())
    image = add(
        manager, project.id, state=ImageState.READY, engine_image=NOWHERE, engine_id=here, report=Report(ok=True)
    )
    assert warnings(manager, actor, project) == [()]  # a list does not look for each
    assert [summary.held for summary in manager.images.list(actor, project.id)] == [None]
    (warning,) = manager.images.get(actor, image.id).warnings
    assert "no longer in the engine" in warning
    with pytest.raises(ImageUnusable, match="no longer in the engine"):
        manager.images.usable(image)
    assert manager.images.image(actor, image.id).state is ImageState.MISSING
    assert warnings(manager, actor, project) == [(warning,)]


def test_podman_is_told_by_where_it_keeps_its_images(manager: ImageManager) -> None:
    info = manager.engine.info()
    podman = replace(info, kind="podman", id="made up anew", root_dir="/home/ada/images")
    assert presence.identity(podman) == presence.identity(replace(podman, id="again")) == "podman:/home/ada/images"


def test_a_folder_that_kernels_could_not_write_is_said(
    manager: ImageManager, actor: Actor, project: Project, project_dir: Path
) -> None:
    assert manager.projects.warnings(project) == ()
    if os.getuid() == 0:
        os.chown(project_dir, 12345, 12345)
    project_dir.chmod(0o555)
    try:
        (warning,) = manager.projects.warnings(project)
        assert f"{project_dir} cannot be written by" in warning
        assert "chmod u+w" in warning
        found = {finding.id: finding for finding in manager.doctor.run(actor, project.id)}
        assert found["project-folder"].status == "error"
        assert "cannot be written" in found["project-folder"].message
        assert found["project-folder"].cure.startswith("Give access")
        manager.kernels.allow_read_only = True
        assert "read-only" in manager.projects.warnings(project)[0]
    finally:
        project_dir.chmod(0o755)


def test_a_kernel_does_not_start_where_it_could_not_write(
    manager: ImageManager, actor: Actor, project: Project, project_dir: Path, base_image: Callable[[str], str]
) -> None:
    held = manager.engine.inspect_image(base_image("3.11")).id
    add(manager, project.id, state=ImageState.READY, engine_image=held, report=Report(ok=True))
    image = manager.images.find(actor, project.id, "geo").image
    manager.images.activate(actor, project.id, image.id)
    if os.getuid() == 0:
        os.chown(project_dir, 12345, 12345)
    project_dir.chmod(0o555)
    target = manager.kernels.target(str(project_dir))
    assert target is not None
    try:
        with pytest.raises(KernelStartError, match="cannot be written by"):
            manager.kernels.launch(
                actor,
                target,
                kernel_id="",
                kernel_name="python3",
                argv=["python3", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                env={},
                cwd=str(project_dir),
                notebook="",
                connection=manager.kernels.connection(target, key="k"),
            )
    finally:
        project_dir.chmod(0o755)


def test_a_folder_that_is_gone_is_said(manager: ImageManager, project: Project, project_dir: Path) -> None:
    project_dir.rmdir()
    (warning,) = manager.projects.warnings(project)
    assert f"jupyter image project relocate {project.id[:8]}" in warning
