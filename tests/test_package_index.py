from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_image_manager.errors import InvalidRequest, RegistryUnavailable
from jupyter_image_manager.package_index import versions

NAME = "jim-made-up"


def index(folder: Path) -> dict[str, str]:
    """Make an index that knows one package."""
    page = folder / "simple" / NAME / "index.html"
    page.parent.mkdir(parents=True)
    files = ("1.0-py3-none-any", "2.0-py3-none-any", "10.0-cp39-cp39-manylinux2014_x86_64")
    page.write_text("".join(f'<a href="jim_made_up-{file}.whl">jim_made_up-{file}.whl</a>\n' for file in files))
    return {"PIP_INDEX_URL": (folder / "simple").as_uri(), "PIP_CONFIG_FILE": "/dev/null", "PIP_EXTRA_INDEX_URL": ""}


def test_the_configured_index_is_asked(tmp_path: Path) -> None:
    environment = index(tmp_path)
    assert versions(NAME, "3.11", environment=environment) == ("2.0", "1.0")
    assert versions(NAME, "3.9", environment=environment) == ("10.0", "2.0", "1.0")
    assert versions("jim-not-there", environment=environment) == ()


def test_an_index_that_is_not_there_is_no_missing_package() -> None:
    nothing = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": "/dev/null", "PIP_EXTRA_INDEX_URL": ""}
    with pytest.raises(RegistryUnavailable, match="did not answer"):
        versions(NAME, environment=nothing)


@pytest.mark.parametrize("name", ["", "-r", "--index-url=x", "a b", "numpy==1", "x" * 200, "a\n"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        versions(name)


def test_what_is_no_python_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        versions(NAME, "3.11 --pre")
