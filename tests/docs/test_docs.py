"""The docs are true: every command, trait, route and event has its place, and links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from jupyter_image_manager.configurables import configurable_classes

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", ["generate_cli", "generate_settings"])
def test_a_page_that_is_made_from_the_code_is_what_the_code_says(name: str) -> None:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text() == module.page(), f"run python docs/{name}.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


def test_every_trait_is_explained_to_operators() -> None:
    text = (ROOT / "docs" / "operators" / "settings.md").read_text()
    missing = [
        f"{cls.__name__}.{name}"
        for cls in configurable_classes()
        for name, trait in cls.class_own_traits(config=True).items()
        if f"`{cls.__name__}.{name}`" not in text
    ]
    assert not missing


def test_every_trait_has_help() -> None:
    silent = [
        f"{cls.__name__}.{name}"
        for cls in configurable_classes()
        for name, trait in cls.class_own_traits(config=True).items()
        if len(trait.help.split()) < 4
    ]
    assert not silent
