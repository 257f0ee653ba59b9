from __future__ import annotations

import pytest

from jupyter_image_manager.errors import InvalidRequest
from jupyter_image_manager.templates.choices import read
from jupyter_image_manager.templates.conda import read_environment

ENVIRONMENT = """\
name: churn
channels: [conda-forge]
dependencies:
  - python=3.10
  - numpy=1.26
  - pandas==2.2.2
  - conda-forge::scikit-learn>=1.4,<2
  - pytorch 2.3.1
  - scipy=1.13.1=py310hb13e2d6_0
  - matplotlib-base
  - cudatoolkit=11.8
  - libgdal
  - foo=1|2
  - pip
  - pip:
      - lightgbm==4.6.0
      - Pandas==2.2.3
      - -r more.txt
"""


def test_what_pip_knows_is_taken_over_and_the_rest_is_named() -> None:
    found = read_environment(ENVIRONMENT)
    assert found["name"] == "churn"
    assert found["python"] == "3.10"
    assert found["requirements"].splitlines() == [
        "numpy==1.26.*",
        "Pandas==2.2.3",
        "scikit-learn>=1.4,<2",
        "torch==2.3.1",
        "scipy==1.13.1",
        "matplotlib",
        "lightgbm==4.6.0",
    ]
    assert found["left_out"] == ["cudatoolkit=11.8", "libgdal", "foo=1|2", "-r more.txt"]
    read({"name": "minimal", "python": found["python"], "requirements": found["requirements"]})


@pytest.mark.parametrize(
    ("asked", "python"),
    [
        ("python", "3.11"),
        ("python>=3.8,<3.10", "3.9"),
        ("python=3.11.4", "3.11"),
        ("python=3.10.4=h2660328_0_cpython", "3.10"),
        ("python=3.12", ""),
        ("python=2.7", ""),
    ],
)
def test_the_newest_python_that_fits_is_taken(asked: str, python: str) -> None:
    found = read_environment(f"dependencies: ['{asked}']")
    assert found["python"] == python
    assert found["left_out"] == ([] if python else [asked])


@pytest.mark.parametrize(
    "text",
    ["", "a: [", "numpy\n", "dependencies: numpy", "a: &a [1]\nb: *a\ndependencies: []", "x" * 300_000, "[" * 5000],
)
def test_another_file_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"environment file.*\."):
        read_environment(text)


def test_objects_of_python_are_not_made() -> None:
    with pytest.raises(InvalidRequest):
        read_environment("dependencies: !!python/object/apply:os.system ['true']")
