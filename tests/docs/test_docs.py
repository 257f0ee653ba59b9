"""The docs are true: every command, trait, route and event has its place, and links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from jupyter_image_manager.configurables import configurable_classes

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_command_lines_page_is_what_the_command_line_says() -> None:
    spec = importlib.util.spec_from_file_location("generate_cli", ROOT / "docs" / "generate_cli.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text() == module.page(), "run python docs/generate_cli.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


def test_every_trait_is_explained_to_operators() -> None:
    text = (ROOT / "docs" / "operators" / "configuration.md").read_text()
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
