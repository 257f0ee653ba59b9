"""From one installation to another on a real engine: by an archive, and by a lock file that a colleague clones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_image_manager.cli.main import run
from jupyter_image_manager.errors import Conflict, ImageUnusable, InvalidRequest
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.migration import notebook
from jupyter_image_manager.migration.items import ItemState, MigrationRequest
from jupyter_image_manager.models import Actor, Image, Project, Storage
from jupyter_image_manager.portable import lock

from .. import registries
from .conftest import Builder

pytestmark = pytest.mark.engine

Base = Callable[[str], str]
USER = "RUN useradd --create-home --uid 1000 jupyter\n"


def answers(manager: ImageManager, project: Project, image: Image, code: str) -> None:
    """Run a cell in a kernel of an image, as a user's kernel; it must not fail."""
    path = Path(project.path) / "cell.ipynb"
    cell = {"cell_type": "code", "source": code, "metadata": {}, "outputs": []}
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    assert notebook.run(manager, project, image, path, cell_timeout=60, stop=lambda: False) == 1


def command(manager: ImageManager, *words: str) -> int:
    where = [f"--ImageManager.{name}={getattr(manager, name)}" for name in ("data_dir", "root_dir")]
    return run([*words, *where])


def test_an_image_goes_elsewhere_with_its_recipe_and_runs_there(
    manager: ImageManager,
    elsewhere: ImageManager,
    actor: Actor,
    project: Project,
    builder: Builder,
    base_image: Base,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path(project.path, "data.txt").write_text("from the context")
    dockerfile = f"FROM {base_image('3.11')}\n{USER}COPY data.txt /opt/data.txt\n"
    image = builder.image(builder.build(dockerfile, "geo"))
    file = tmp_path / "out" / "geo.tar"
    at = ("--project", project.path)
    assert command(manager, "export", "geo", str(file), *at) == 1  # there is no such folder
    file.parent.mkdir()
    assert command(manager, "export", "geo", str(file), *at) == 0
    assert [each.name for each in file.parent.iterdir()] == ["geo.tar"]
    with pytest.raises(Conflict):
        manager.portable.export(actor, image.id, file)
    before = file.read_bytes()[:1000]

    def break_off(done: int, total: int) -> None:
        if done > 1 << 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        manager.portable.export(actor, image.id, file, overwrite=True, progress=break_off)
    assert [each.name for each in file.parent.iterdir()] == ["geo.tar"]
    assert file.read_bytes()[:1000] == before

    manager.images.delete(actor, image.id, confirm=True)
    there = elsewhere.projects.create(actor, str(tmp_path / "elsewhere"))
    capsys.readouterr()
    assert command(elsewhere, "load", str(file), "--activate", "--project", there.path) == 0
    assert "geo:1" in capsys.readouterr().err
    (loaded,) = elsewhere.store.images(there.id, with_report=True)
    assert (loaded.spec, loaded.engine_image) == ("geo:1", image.engine_image)
    assert elsewhere.store.project(there.id).active_image_id == loaded.id
    answers(elsewhere, there, loaded, "assert open('/opt/data.txt').read() == 'from the context'")
    recipe = elsewhere.images.recipe(actor, loaded.id)
    assert (recipe.dockerfile, recipe.context_stored) == (dockerfile, True)
    (item,) = elsewhere.migrations.plan(actor, MigrationRequest(images=(loaded.id,)))
    assert (item.state, item.reason) == (ItemState.WAITING, "")  # it could be built again there, without the file

    other = tmp_path / "other.tar"
    other.write_bytes(b"".join(manager.engine.save(loaded.engine_image)))
    with pytest.raises(InvalidRequest, match="jupyter image import"):
        manager.portable.load(actor, project.id, other)


def test_a_colleague_gets_exactly_the_image_of_the_lock_file_or_one_like_it(
    manager: ImageManager,
    elsewhere: ImageManager,
    actor: Actor,
    project: Project,
    builder: Builder,
    base_image: Base,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = Path(project.path)
    (folder / "Dockerfile").write_text(f"FROM {base_image('3.11')}\n{USER}")
    with pytest.raises(Conflict):
        manager.portable.lock(actor, project.id)  # nothing is active
    with registries.running(tmp_path / "registry", accounts=registries.ACCOUNTS) as registry:
        for service, path in ((manager, project.path), (elsewhere, str(tmp_path / "elsewhere"))):
            member = service.projects.enclosing(actor, path) or service.projects.create(actor, path)
            community = service.communities.of(member)
            service.communities.update(actor, community.id, registry_host=registry.address, namespace="team")
            service.communities.set_agent(actor, community.id, registry.user, registry.secret)
            service.communities.update(actor, community.id, agent_enabled=True)
        image = builder.image(builder.build(name="geo", activate=True, storage=Storage.REGISTRY))
        assert image.repository
        assert command(manager, "lock", "--project", project.path) == 0
        locked = lock.read(folder)
        assert (locked.pinned, locked.dockerfile) == (image.pinned, "Dockerfile")

        # A clone, on a machine that has nothing of it.
        clone = tmp_path / "elsewhere" / "clone"
        shutil.copytree(folder, clone)
        there = elsewhere.projects.create(actor, str(clone), nested=True)
        for tag in manager.engine.inspect_image(image.engine_image).tags:
            manager.engine.remove_image(tag)
        manager.engine.remove_image(image.engine_image, force=True)
        capsys.readouterr()
        assert command(elsewhere, "sync", "--project", there.path, "--json") == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["how"], said["same"]) == ("pulled", True)
        got = elsewhere.store.image(elsewhere.store.project(there.id).active_image_id)
        assert got.engine_image == image.engine_image
        assert lock.read(clone) == locked
        assert command(elsewhere, "sync", "--project", there.path) == 0
        assert "exactly the geo:1" in capsys.readouterr().out

    # In no registry, it is built again from the Dockerfile of the project, and what differs is said.
    lock.write(clone, replace(locked, repository="", digest="sha256:" + "0" * 64, packages={"left-pad": "1.0"}))
    assert command(elsewhere, "sync", "--project", there.path) == 0
    said_now = capsys.readouterr()
    assert "-left-pad 1.0" in said_now.out
    assert lock.read(clone).digest == "sha256:" + "0" * 64
    (clone / "Dockerfile").unlink()
    with pytest.raises(Conflict, match="jupyter image export"):
        elsewhere.portable.sync(actor, there.id)

    # The lock file follows the next activation, where there is one.
    elsewhere.images.activate(actor, there.id, None)
    elsewhere.images.activate(actor, there.id, got.id)
    assert lock.read(clone).digest == got.digest
    failed = replace(got, id="f" * 32, version=0, engine_image="", digest="")
    elsewhere.store.add_image(failed, elsewhere.images.recipe(actor, got.id))
    with pytest.raises(ImageUnusable):
        elsewhere.portable.lock(actor, there.id, failed.id)
