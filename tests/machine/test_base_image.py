from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_image_manager import base_image
from jupyter_image_manager.base_image import BaseError, BaseImages, Release, debian_mirror, recorded
from jupyter_image_manager.engine.port import ContainerSpec
from jupyter_image_manager.errors import InvalidRequest
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, BuildRequest, BuildState, ImageState, Project


@pytest.fixture
def bases(manager: ImageManager, monkeypatch: pytest.MonkeyPatch) -> Iterator[BaseImages]:
    """Give the maker of bases, under a name of this test's own: the machine may have some."""
    monkeypatch.setattr(base_image, "REPOSITORY", f"jim-test/base-{manager.store.installation_id()[:8]}")
    made = BaseImages(parent=manager, manager=manager)
    yield made
    for reference in recorded(manager.data_path).values():
        manager.engine.remove_image(reference, force=True)


@pytest.mark.engine
def test_a_base_of_debians_packages_carries_a_template(
    manager: ImageManager, bases: BaseImages, project: Project, actor: Actor
) -> None:
    heard: list[str] = []
    base = bases.create("3.11", line=heard.append)
    assert heard
    assert bases.list() == [base]

    said = manager.engine.run(
        ContainerSpec(
            image=base.reference,
            command=("sh", "-c", "id -u jupyter; python -c 'import sys; print(sys.version_info[:2])'; pip --version"),
            name="",
            labels={},
            network="none",
        ),
        timeout=60,
    )
    assert said.output.decode().splitlines()[:2] == ["1000", "(3, 11)"], said.errors

    catalog = manager.builds.catalog
    catalog.base_image = catalog.traits()["base_image"].default_value
    assert catalog.base_of("3.11") == base.reference
    assert catalog.base_of("3.10") == "python:3.10-slim-bookworm"
    request = BuildRequest(name="plain", template={"name": "minimal", "python": "3.11"})
    build = manager.builds.submit(actor, project.id, request)
    lines = [line.text for line in manager.builds.follow(actor, build.id)]
    build = manager.builds.get(actor, build.id)
    assert build.state is BuildState.SUCCEEDED, lines[-20:]
    image = manager.images.get(actor, build.image_id).image
    assert (image.state, image.python_version[:4]) == (ImageState.READY, "3.11")


def test_what_debian_does_not_have_is_refused(bases: BaseImages) -> None:
    with pytest.raises(InvalidRequest, match=r"3\.11 or 3\.9"):
        bases.create("3.10")
    with pytest.raises(InvalidRequest, match="no address"):
        bases.create("3.11", mirror="--hook=rm")


def test_what_hinders_a_user_is_said_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "mmdebstrap is not installed" in base_image.obstacle()
    (tmp_path / "mmdebstrap").touch(mode=0o755)
    monkeypatch.setattr(base_image.os, "getuid", lambda: 65534)
    assert base_image.obstacle()  # neither newuidmap, nor a range of uids for nobody
    (tmp_path / "newuidmap").touch(mode=0o755)
    assert "user" in base_image.obstacle()
    monkeypatch.setattr(base_image.os, "getuid", lambda: 0)
    assert not base_image.obstacle()


def test_a_mirror_that_is_not_there_is_named(tmp_path: Path) -> None:
    release = Release("12", "bookworm", "bookworm-security")
    with pytest.raises(BaseError, match="mirror"):
        base_image._install(release, "http://127.0.0.1:9/debian", tmp_path / "root.tar", lambda text: None)


def test_the_mirror_is_an_address() -> None:
    assert debian_mirror().startswith("http")
