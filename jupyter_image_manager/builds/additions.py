"""A recipe with more Python packages in it: the next version of an image that lacks something (R7)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ..dockerfile import parse
from ..errors import Conflict, ImageNotFound, InvalidRequest
from ..models import SourceKind
from .importing import base_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..manager import ImageManager
    from ..models import Image, Recipe

MOST = 100
"""Packages that one request may add."""


def packages(wanted: Iterable[str]) -> tuple[str, ...]:
    """Return package names, each with extras and versions where they are given, in one spelling and once.

    The grammar is narrow on purpose: what passes stands in a shell command of a Dockerfile.

    Raises
    ------
    InvalidRequest
        Names what is no package.
    """
    found: dict[str, str] = {}
    for text in wanted:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            requirement = None
        plain = requirement is not None and requirement.url is None and requirement.marker is None
        if requirement is None or not plain or "'" in str(requirement) or not str(requirement).isprintable():
            shown = repr(text if len(text) <= 80 else f"{text[:77]}…")
            raise InvalidRequest(f"{shown} is no package that can be added, such as 'numpy' or 'numpy==1.26.4'.")
        found[canonicalize_name(requirement.name)] = str(requirement)
    if len(found) > MOST:
        raise InvalidRequest(f"{len(found)} packages are too many to add at once; write a requirements file.")
    return tuple(found.values())


def with_packages(manager: ImageManager, image: Image, recipe: Recipe, wanted: Iterable[str]) -> Recipe:
    """Return an image's recipe with packages added.

    Those of a template join its requirements, and it stays a template; to a Dockerfile an instruction is appended,
    after which its user is what it was; an image that was taken in is stood upon.

    Raises
    ------
    InvalidRequest
        One of them is no package.
    Conflict
        The recipe asks for all of them already.
    """
    adding = packages(wanted)
    choices = _template(manager, recipe, adding)
    if choices is not None:
        text = manager.builds.catalog.render(choices).dockerfile
        return _changed(image, recipe, replace(recipe, kind=SourceKind.TEMPLATE, dockerfile=text, template=choices))
    start = recipe.dockerfile or f"FROM {base_of(manager, image, recipe)}\n"
    made = _last_made(manager, image)
    user = "" if _own_python(made) else _user(manager, made, start)
    return _changed(image, recipe, replace(recipe, dockerfile=appended(start, adding, user)))


def appended(dockerfile: str, adding: Iterable[str], user: str = "") -> str:
    """Return a Dockerfile that installs packages at its end, unless it does exactly that already.

    Parameters
    ----------
    user : str
        With whom the Dockerfile ends, when that user's packages would lie in a home that kernels of others cannot
        read: root installs them for everybody then.
    """
    quoted = " ".join(f"'{package}'" for package in adding)
    line = f"RUN python3 -m pip install --no-cache-dir {quoted}"
    read = parse(dockerfile)
    if any(instruction.text == line for instruction in read.instructions):
        return dockerfile
    lines = [line] if user.partition(":")[0] in ("", "0", "root") else ["USER root", line, f"USER {user}"]
    # A continuation at the very end, which Docker forgives, would swallow what is appended.
    return "\n".join([dockerfile.rstrip().rstrip(read.escape).rstrip(), *lines]) + "\n"


def _last_made(manager: ImageManager, image: Image) -> Image:
    """Return an image, or the one whose recipe it goes on from while it is still being built."""
    seen = {image.id}
    while image.report is None:
        recipe = manager.store.recipe(image.recipe_id)
        parent = manager.store.image(recipe.parent_image_id) if recipe and recipe.parent_image_id else None
        if parent is None or parent.id in seen:
            break
        seen.add(parent.id)
        image = parent
    return image


def _own_python(image: Image) -> bool:
    """Tell whether an image's Python is no system's: a virtual environment or conda, which belongs to its user."""
    path = image.report.python_path if image.report else ""
    return bool(path) and not path.startswith(("/usr/bin/", "/usr/local/bin/"))


def _user(manager: ImageManager, made: Image, dockerfile: str) -> str:
    """Return the user with whom a Dockerfile ends; empty when nothing says who that is."""
    for instruction in reversed(parse(dockerfile).instructions):
        if instruction.keyword == "USER":
            return instruction.value.strip()
        if instruction.keyword == "FROM":
            break
    # Its base says it: what was made of it has the same user.
    try:
        return manager.engine.inspect_image(made.engine_image).user if made.engine_image else ""
    except ImageNotFound:
        return ""


def _template(manager: ImageManager, recipe: Recipe, adding: Iterable[str]) -> dict[str, Any] | None:
    """Return the choices of a template with packages added; None when the Dockerfile is no template's."""
    # Read out of the text and not the choices that were kept, so that the base stays the one that was used.
    choices = manager.builds.catalog.parse(recipe.dockerfile) if recipe.dockerfile else None
    if choices is None:
        return None
    lines = choices["requirements"].splitlines()
    for package in adding:
        names = [_name(line) for line in lines]
        name = _name(package)
        if name not in names:
            lines.append(package)
        elif Requirement(package).specifier or Requirement(package).extras:
            lines[names.index(name)] = package
    return {**choices, "requirements": "".join(f"{line}\n" for line in lines)}


def _name(requirement: str) -> str:
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        return ""  # an option, such as --pre


def _changed(image: Image, old: Recipe, new: Recipe) -> Recipe:
    if new.dockerfile == old.dockerfile:
        raise Conflict(
            f"The recipe of {image.spec} asks for these packages already; rebuild it to have newer versions of them."
        )
    return new
