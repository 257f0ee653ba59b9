"""The next version of an image, with more packages."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_image_manager.builds.additions import appended, packages, with_packages
from jupyter_image_manager.errors import Conflict, InvalidRequest
from jupyter_image_manager.models import BuildState, Recipe, SourceKind
from jupyter_image_manager.templates import TemplateCatalog

from .conftest import Builder

DOCKERFILE = "FROM debian:12\nRUN useradd ada\nUSER ada"
MANAGER: Any = SimpleNamespace(
    builds=SimpleNamespace(catalog=TemplateCatalog()),
    engine=SimpleNamespace(inspect_image=lambda _: SimpleNamespace(user="jovyan")),
)


def image(python: str = "/usr/local/bin/python3") -> Any:
    return SimpleNamespace(spec="sci:1", id="i", engine_image="sha256:1", report=SimpleNamespace(python_path=python))


IMAGE = image()


def recipe(**values: Any) -> Recipe:
    return Recipe(id="r", **{"kind": SourceKind.DOCKERFILE, **values})


def template(**choices: Any) -> Recipe:
    text = MANAGER.builds.catalog.render({"name": "minimal", "python": "3.11", **choices}).dockerfile
    return recipe(kind=SourceKind.TEMPLATE, dockerfile=text, template=choices)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "a;id",
        "$(id)",
        "`id`",
        "a'b",
        "a\nRUN id",
        "-r x",
        "--index-url=x",
        "a @ https://x",
        "a; os_name=='x'",
    ],
)
def test_what_is_no_package_never_becomes_a_command(text: str) -> None:
    with pytest.raises(InvalidRequest, match="no package"):
        packages([text])


def test_packages_come_once() -> None:
    assert packages(["PyYAML", "pyyaml", "dask[array] >= 2"]) == ("pyyaml", "dask[array]>=2")
    with pytest.raises(InvalidRequest, match="too many"):
        packages(f"p{number}" for number in range(101))


def test_a_template_stays_one() -> None:
    old = template(requirements="numpy\n--pre\n", base="debian:12")
    new = with_packages(MANAGER, IMAGE, old, ["PyYAML", "numpy==2.0"])
    assert new.kind is SourceKind.TEMPLATE
    assert new.template["requirements"] == "numpy==2.0\n--pre\nPyYAML\n"
    assert "FROM debian:12\n" in new.dockerfile and "'PyYAML'" in new.dockerfile
    with pytest.raises(Conflict, match="already"):
        with_packages(MANAGER, IMAGE, new, ["numpy", "pyyaml"])


def test_a_dockerfile_installs_for_everybody_and_ends_with_its_user() -> None:
    new = with_packages(MANAGER, IMAGE, recipe(dockerfile=DOCKERFILE), ["PyYAML", "six>1"])
    line = "RUN python3 -m pip install --no-cache-dir 'PyYAML' 'six>1'"
    # In the home of that user it could not be read by kernels that run as somebody else.
    assert new.dockerfile == f"{DOCKERFILE}\nUSER root\n{line}\nUSER ada\n"
    with pytest.raises(Conflict, match="already"):
        with_packages(MANAGER, IMAGE, new, ["PyYAML", "six>1"])
    # A virtual environment and conda belong to their user.
    own = with_packages(MANAGER, image("/opt/conda/bin/python3"), recipe(dockerfile=DOCKERFILE), ["PyYAML", "six>1"])
    assert own.dockerfile == f"{DOCKERFILE}\n{line}\n"


@pytest.mark.parametrize("user", ["", "root", "0", "0:0"])
def test_root_needs_no_change_of_the_user(user: str) -> None:
    assert "USER" not in appended("FROM x\n", ["six"], user)


def test_a_template_changed_by_hand_is_a_dockerfile() -> None:
    old = template()
    old = recipe(kind=SourceKind.DUPLICATE, dockerfile=old.dockerfile + "RUN true\n", template=old.template)
    assert with_packages(MANAGER, IMAGE, old, ["six"]).dockerfile == appended(old.dockerfile, ["six"], "jupyter")


def test_a_continuation_at_the_end_swallows_nothing() -> None:
    assert appended("FROM x\nRUN a \\\n", ["six"]).splitlines()[1] == "RUN a"


def test_an_image_that_was_taken_in_is_stood_upon() -> None:
    pinned = "debian:12@sha256:" + "a" * 64
    new = with_packages(MANAGER, IMAGE, recipe(kind=SourceKind.IMPORT, reference=pinned), ["six"])
    assert new.dockerfile.startswith(f"FROM {pinned}\nUSER root\nRUN ")
    assert new.dockerfile.endswith("\nUSER jovyan\n")  # as the image itself says


@pytest.mark.engine
def test_the_next_version_has_the_package(builder: Builder) -> None:
    first = builder.build(template={"name": "minimal", "python": "3.11"})
    assert first.state is BuildState.SUCCEEDED, (first.failure, builder.text(first))
    with pytest.raises(InvalidRequest, match="name that image"):
        builder.submit(template={"name": "minimal"}, add_packages=("six",))
    second = builder.build(from_image=first.image_id, add_packages=("PyYAML",), activate=True)
    assert second.state is BuildState.SUCCEEDED, (second.failure, builder.text(second))
    image = builder.image(second)
    assert (image.spec, "PyYAML" in {package.name for package in image.report.packages}) == ("geo:2", True)
    kept = builder.manager.images.recipe(builder.actor, image.id)
    assert (kept.kind, kept.parent_image_id) == (SourceKind.TEMPLATE, first.image_id)
