"""What a user chooses of a template: read, validated and brought into one form. Pure.

Everything here ends in a Dockerfile, so nothing may reach it that could become another instruction or another
shell command: each kind of value has a grammar of its own, and what does not fit is refused with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from ..errors import InvalidRequest
from .recipes import PYTHONS, TEMPLATES

KEYS = ("name", "python", "base", "requirements", "apt", "env", "files")
FILES_FOLDER = "/opt/project"

_APT = re.compile(r"[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(=[A-Za-z0-9.+:~-]+)?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# [registry[:port]/]path[:tag][@digest], as the engine reads it; case matters only in tags.
_REFERENCE = re.compile(
    r"(?:[A-Za-z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
    re.ASCII,
)
_OPTION = re.compile(r"(--(?:extra-)?index-url|-i|--find-links|-f|--trusted-host|--only-binary|--no-binary)[ =]+(\S+)")
_FLAGS = ("--pre", "--prefer-binary", "--no-index")
_LONG = {"-i": "--index-url", "-f": "--find-links"}
_CREDENTIALS = re.compile(r"://[^/@\s]+@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of one template, valid."""

    name: str
    python: str
    requirements: tuple[str, ...] = ()
    apt: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    files: tuple[tuple[str, str], ...] = ()  # source in the context, target in the image
    base: str = ""  # another base than the administrator's, empty for that

    def as_dict(self) -> dict[str, Any]:
        """Return the choices as the form shows them."""
        found: dict[str, Any] = {
            "name": self.name,
            "python": self.python,
            "requirements": "".join(f"{line}\n" for line in self.requirements),
            "apt": list(self.apt),
            "env": dict(self.env),
            "files": [
                source if target == default_target(source) else f"{source}:{target}" for source, target in self.files
            ],
        }
        if self.base:
            found["base"] = self.base
        return found


def read(choices: Mapping[str, Any]) -> Choices:
    """Validate what a form, the command line or REST sent.

    Raises
    ------
    InvalidRequest
        Says which value is wrong, and why.
    """
    if not isinstance(choices, Mapping):
        raise InvalidRequest(
            "A template's choices must be an object with name, python, requirements, apt, env and files."
        )
    unknown = sorted(set(map(str, choices)) - set(KEYS))
    if unknown:
        raise InvalidRequest(f"A template has no choice named {unknown[0]!r}; there are {', '.join(KEYS)}.")
    name = choices.get("name") or ""
    if not isinstance(name, str) or name not in TEMPLATES:
        raise InvalidRequest(f"There is no template named {name!r}; there are {', '.join(TEMPLATES)}.")
    python = choices.get("python") or PYTHONS[0]
    if not isinstance(python, str) or python not in PYTHONS:
        raise InvalidRequest(f"Templates exist for Python {', '.join(reversed(PYTHONS))}, not for {python!r}.")
    return Choices(
        name=name,
        python=python,
        requirements=_requirements(choices.get("requirements")),
        apt=_apt(choices.get("apt")),
        env=_env(choices.get("env")),
        files=_files(choices.get("files")),
        base=_base(choices.get("base")),
    )


def default_target(source: str) -> str:
    """Return where a file of the project lies in the image when nothing else is said."""
    return str(PurePosixPath(FILES_FOLDER) / source)


def _lines(value: Any, what: str) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return value.splitlines()
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        items = list(value)
        if all(isinstance(item, str) for item in items):
            return items
    raise InvalidRequest(f"{what} must be text or a list of texts.")


def _requirements(value: Any) -> tuple[str, ...]:
    found: list[str] = []
    # A backslash joins lines in requirement files.
    joined = "\n".join(_lines(value, "The requirements")).replace("\\\r\n", " ").replace("\\\n", " ")
    for number, raw in enumerate(joined.splitlines(), 1):
        line = re.sub(r"(^|\s+)#.*$", "", raw).strip()
        if line:
            requirement = _requirement(line, number)
            if requirement not in found:
                found.append(requirement)
    return tuple(found)


def _requirement(line: str, number: int) -> str:
    where = f"Line {number} of the requirements, {_shown(line)}"
    if _CONTROL.search(line):
        raise InvalidRequest(f"{where}, holds a control character.")
    if _CREDENTIALS.search(line):
        raise InvalidRequest(
            f"Line {number} of the requirements holds a password in its address, which would stay in the image: "
            "use a build secret in a Dockerfile."
        )
    if "'" in line and "://" in line:
        raise InvalidRequest(f"{where}, holds a quote in its address: write it as %27.")
    if line in _FLAGS:
        return line
    option = _OPTION.fullmatch(line)
    if option:
        if "'" in option[2]:
            raise InvalidRequest(f"{where}, holds a quote.")
        return f"{_LONG.get(option[1], option[1])}={option[2]}"
    if line.startswith("-"):
        raise InvalidRequest(
            f"{where}, is an option that a template cannot carry; list packages, or write a Dockerfile that copies "
            "the requirements file."
        )
    try:
        requirement = str(Requirement(line))
    except InvalidRequirement:
        raise InvalidRequest(
            f"{where}, is no requirement such as 'numpy', 'numpy==1.26.4' or 'name @ https://…'."
        ) from None
    if "'" in requirement:
        raise InvalidRequest(f"{where}, holds a quote.")
    return requirement


def _apt(value: Any) -> tuple[str, ...]:
    found: list[str] = []
    for item in _lines(value, "The apt packages"):
        for package in item.split():
            if not _APT.fullmatch(package):
                raise InvalidRequest(
                    f"{_shown(package)} is no name of a Debian package, as in 'git' or 'git=1:2.39.5-0'."
                )
            if package not in found:
                found.append(package)
    return tuple(found)


def _env(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidRequest("The environment must be an object of variable names and texts.")
    found = {}
    for name, text in value.items():
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
            raise InvalidRequest(f"{_shown(name)} is no name of an environment variable: use letters, digits and _.")
        if not isinstance(text, str) or _CONTROL.search(text):
            raise InvalidRequest(
                f"The value of the variable {name} must be text on one line, without control characters."
            )
        found[name] = text
    return found


def _files(value: Any) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for item in _lines(value, "The files"):
        if not item.strip():
            continue
        source, colon, target = item.partition(":")
        source = source.removeprefix("./").rstrip("/")
        target = target if colon else default_target(source)
        path = PurePosixPath(source)
        if not source or path.is_absolute() or ".." in path.parts or re.search(r"[*?\[\]\\]", source):
            raise InvalidRequest(
                f"The file {_shown(item)} must be a path inside the project without '..', wildcards and backslashes."
            )
        if not target.startswith("/") or ".." in PurePosixPath(target).parts or "\\" in target:
            raise InvalidRequest(f"The target of the file {_shown(item)} must be an absolute path without '..'.")
        if _CONTROL.search(item) or "$" in item:
            raise InvalidRequest(f"The file {_shown(item)} holds a character that a Dockerfile cannot carry.")
        if (source, target) not in found:
            found.append((source, target))
    return tuple(found)


def _base(value: Any) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not valid_reference(value):
        raise InvalidRequest(f"{_shown(value)} is no image reference, as in 'python:3.11-slim-bookworm'.")
    return value


def valid_reference(text: str) -> bool:
    """Tell whether a text is an image reference that a ``FROM`` can carry."""
    return len(text) < 512 and _REFERENCE.fullmatch(text) is not None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…'"
