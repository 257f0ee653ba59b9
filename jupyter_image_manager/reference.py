"""Names of images and references to images; pure.

The grammar of references is that of the OCI distribution specification and of Docker's reference package.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import InvalidReference

NAME_LENGTH = 128
NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
DIGEST = re.compile(r"(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})")
_TAG = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
HOST = re.compile(
    r"(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)"
    r"(?::[0-9]{1,5})?"
)
DEFAULT_REGISTRY = "docker.io"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def suggestion(text: str) -> str:
    """Return a valid image name that resembles the text; ``image`` when nothing of it is left."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return words[:NAME_LENGTH].strip("-") or "image"


def check_name(name: str) -> str:
    """Return the name of an image if it can be one.

    Raises
    ------
    InvalidReference
        Says what is wrong, and a name that would do.
    """
    if NAME.fullmatch(name) and len(name) <= NAME_LENGTH:
        return name
    if not name:
        why = "A name is needed"
    elif len(name) > NAME_LENGTH:
        why = f"{_shown(name)} is longer than {NAME_LENGTH} letters"
    elif name != name.lower():
        why = f"{_shown(name)} has capital letters"
    elif re.search(r"\s", name):
        why = f"{_shown(name)} has spaces"
    elif "/" in name:
        why = f"{_shown(name)} has a slash"
    elif ":" in name:
        why = f"{_shown(name)} has a colon; versions are counted by themselves"
    else:
        why = f"{_shown(name)} cannot be the name of an image"
    raise InvalidReference(
        f"{why}: use small letters, digits and single . _ - between them, for example {suggestion(name)!r}.",
        {"suggestion": suggestion(name)},
    )


def parse_spec(text: str) -> tuple[str, int | None]:
    """Split ``NAME`` or ``NAME:VERSION``.

    Raises
    ------
    InvalidReference
        It is neither.
    """
    name, colon, version = text.partition(":")
    check_name(name)
    if not colon:
        return name, None
    if not re.fullmatch(r"[1-9][0-9]{0,8}", version):
        raise InvalidReference(f"{_shown(version)} is no version of {name!r}: versions are 1, 2, 3 …")
    return name, int(version)


def slug(text: str) -> str:
    """Return text as it may stand in a tag's path."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return words[:40].strip("-") or "project"


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to an image in some registry."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        """Return the reference in full, as an engine takes it."""
        text = f"{self.registry}/{self.repository}"
        if self.tag:
            text += f":{self.tag}"
        return f"{text}@{self.digest}" if self.digest else text

    @property
    def pinned(self) -> bool:
        """Whether it means one content for ever."""
        return bool(self.digest)


def parse_reference(text: str) -> Reference:
    """Read an image reference, and say in full what it leaves out.

    Raises
    ------
    InvalidReference
        The text is no reference, for example because an engine would take it for an option.
    """
    wrong = InvalidReference(
        f"{_shown(text)} is no image reference; one looks like python:3.11-slim or registry.example/team/image@sha256:…"
    )
    if not text or text.startswith("-") or len(text) > 512:
        raise wrong
    rest, at, digest = text.partition("@")
    if at and not DIGEST.fullmatch(digest):
        raise wrong
    first, slash, remainder = rest.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        registry, path = first, remainder
        if not HOST.fullmatch(registry):
            raise wrong
    else:
        registry, path = DEFAULT_REGISTRY, rest
    path, colon, tag = path.partition(":")
    if not PATH.fullmatch(path) or (colon and not _TAG.fullmatch(tag)):
        raise wrong
    if registry in (DEFAULT_REGISTRY, "index.docker.io"):
        registry = DEFAULT_REGISTRY
        path = path if "/" in path else f"library/{path}"
    return Reference(registry, path, tag or ("" if digest else "latest"), digest)
