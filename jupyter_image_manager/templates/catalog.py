"""The catalogue of templates: what there is, and the way between choices and a Dockerfile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from traitlets import TraitError, Unicode, validate
from traitlets.config import LoggingConfigurable

from .choices import Choices, read, valid_reference
from .recipes import PYTHONS, TEMPLATES
from .render import parse, render


@dataclass(frozen=True, slots=True)
class RenderedTemplate:
    """A Dockerfile made from choices, and files that its context needs beside the project's own."""

    dockerfile: str
    files: dict[str, bytes] = field(default_factory=dict)


class TemplateCatalog(LoggingConfigurable):
    """Ready-made Dockerfiles that satisfy the requirements."""

    base_image = Unicode(
        "python:{python}-slim-bookworm",
        help="""Base image of all templates; `{python}` stands for the chosen version, such as 3.11. A Debian or
        Ubuntu image with Python and pip. Point it to your mirror where Docker Hub cannot be reached.""",
    ).tag(config=True)

    local_bases: Callable[[], Mapping[str, str]] = dict
    """Gives the bases made on this machine, Python version to reference: used while no other base is configured."""

    @validate("base_image")
    def _reference(self, proposal: Any) -> str:
        pattern: str = proposal["value"]
        try:
            valid = valid_reference(pattern.format(python="3.11"))
        except (KeyError, IndexError, ValueError):
            valid = False
        if not valid:
            raise TraitError(
                f"TemplateCatalog.base_image must be an image reference in which only {{python}} is replaced, "
                f"not {pattern!r}."
            )
        return pattern

    def base_of(self, python: str) -> str:
        """Return the base image for a Python version such as ``3.11``."""
        pattern = str(self.base_image)
        if pattern == self.traits()["base_image"].default_value:
            local = self.local_bases().get(python)
            if local:
                return local
        return pattern.format(python=python)

    def list(self) -> list[dict[str, Any]]:
        """Return the templates, each with its choices and their defaults, as a form needs them."""
        return [
            {
                "name": recipe.name,
                "title": recipe.title,
                "description": recipe.description,
                "python": PYTHONS[0],
                "pythons": list(PYTHONS),
                "choices": [
                    {
                        "name": "python",
                        "title": "Python",
                        "kind": "choice",
                        "options": [*PYTHONS],
                        "default": PYTHONS[0],
                    },
                    {"name": "requirements", "title": "Python packages", "kind": "text", "default": ""},
                    {"name": "apt", "title": "System packages", "kind": "list", "default": []},
                    {"name": "env", "title": "Environment variables", "kind": "map", "default": {}},
                    {"name": "files", "title": "Files of the project", "kind": "list", "default": []},
                ],
            }
            for recipe in TEMPLATES.values()
        ]

    def choices(self, choices: Mapping[str, Any]) -> Choices:
        """Validate choices.

        Raises
        ------
        InvalidRequest
            Says which value is wrong, and why.
        """
        return read(choices)

    def render(self, choices: Mapping[str, Any]) -> RenderedTemplate:
        """Make the Dockerfile of some choices.

        Parameters
        ----------
        choices : mapping
            ``name`` (of the template), ``python``, ``requirements`` (text or list), ``apt`` (list), ``env``
            (mapping), ``files`` (list of ``SOURCE`` or ``SOURCE:TARGET``), ``base`` (a reference instead of
            :attr:`base_image`); all but ``name`` may be left out.

        Raises
        ------
        InvalidRequest
            Says which value is wrong, and why.
        """
        valid = read(choices)
        return RenderedTemplate(render(valid, valid.base or self.base_of(valid.python)))

    def parse(self, dockerfile: str) -> dict[str, Any] | None:
        """Return the choices that give exactly this Dockerfile; None when it is nobody's template any more."""
        found = parse(dockerfile, {python: self.base_of(python) for python in PYTHONS})
        return None if found is None else found.as_dict()
