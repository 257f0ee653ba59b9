"""Templates that this machine can build are built and checked, kernel and all."""

from __future__ import annotations

import json

import pytest

from jupyter_image_manager.engine.port import ContainerSpec
from jupyter_image_manager.templates import TemplateCatalog
from jupyter_image_manager.templates.recipes import IPYKERNEL

from ..requirements.workshop import Workshop

pytestmark = pytest.mark.engine


def build(workshop: Workshop, base: str, context: dict[str, bytes] | None = None, **choices: object) -> str:
    return workshop.build(TemplateCatalog(base_image=base).render(choices).dockerfile, context)


def run(workshop: Workshop, image: str, *command: str) -> str:
    spec = ContainerSpec(image=image, command=command, name=f"jim-{image[7:19]}", labels={}, network="none")
    result = workshop.manager.engine.run(spec, timeout=120)
    assert result.exit_code == 0, result.errors.decode()
    return result.output.decode()


@pytest.mark.parametrize("python", ["3.8", "3.9", "3.10", "3.11"])
def test_minimal_passes_the_check(workshop: Workshop, bases: dict[str, str], python: str) -> None:
    report = workshop.check(build(workshop, bases[f"python:{python}"], name="minimal", python=python))
    assert [item for item in report.items if not item.ok] == []
    assert report.ok
    assert report.python_version.startswith(f"{python}.")
    assert report.ipykernel == IPYKERNEL[python]


def test_scientific_computes(workshop: Workshop, bases: dict[str, str]) -> None:
    image = build(workshop, bases["python:3.11"], name="scientific", python="3.11")
    report = workshop.check(image)
    assert report.ok
    assert {package.name.lower() for package in report.packages} >= {"numpy", "scipy", "pandas", "matplotlib"}
    code = "import numpy, pandas, sklearn, matplotlib; print(int(pandas.Series(numpy.arange(5)).sum()))"
    assert run(workshop, image, "python3", "-c", code).strip() == "10"


def test_r_stands_beside_python(workshop: Workshop, bases: dict[str, str]) -> None:
    image = build(workshop, bases["python:3.11"], name="r", python="3.11")
    report = workshop.check(image)
    assert report.ok
    assert set(report.kernelspecs) >= {"ir", "python3"}
    assert report.kernelspecs["ir"]["language"] == "R"
    assert run(workshop, image, "Rscript", "-e", "cat(6 * 7)").strip() == "42"


def test_an_externally_managed_base_with_every_choice(workshop: Workshop, bases: dict[str, str]) -> None:
    odd = 'a "b" $c \\ end'
    image = build(
        workshop,
        bases["debian:12"],
        {"data/a b.csv": b"1,2\n", "setup.cfg": b"[x]\n"},
        name="minimal",
        python="3.11",
        requirements="six==1.16.0\npackaging>=20",
        apt=["tree"],
        env={"ODD": odd},
        files=["data/a b.csv", "setup.cfg:/etc/odd.cfg"],
    )
    report = workshop.check(image)
    assert [item for item in report.items if not item.ok] == []
    assert ("six", "1.16.0") in {(package.name, package.version) for package in report.packages}
    code = (
        "import json, os; print(json.dumps([os.environ['ODD'], open('/opt/project/data/a b.csv').read(), "
        "open('/etc/odd.cfg').read(), os.getcwd(), os.getuid(), os.stat('/opt/project/data/a b.csv').st_uid]))"
    )
    assert json.loads(run(workshop, image, "python3", "-c", code)) == [
        odd,
        "1,2\n",
        "[x]\n",
        "/home/jupyter",
        1000,
        1000,
    ]
