"""``image.lock``: which image a project is worked on in, for colleagues who clone it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InvalidRequest, NoSpaceLeft, NotFound
from ..models import Image, Package, Recipe, SourceKind, as_json
from ..reference import DIGEST, check_name, parse_reference
from ..store.rows import from_json

FILE = "image.lock"
FORMAT = 1
LIMIT = 16 << 20


@dataclass(frozen=True, slots=True)
class Lock:
    """An image, so that exactly it can be had elsewhere, or one like it be built and compared."""

    name: str
    version: int
    digest: str  # manifest digest in the repository, else the id in the engine that made it
    recipe: str  # digest of the recipe
    repository: str = ""  # empty: it is in no registry
    python: str = ""
    architecture: str = ""
    dockerfile: str = ""  # where it lies in the project; empty: it was no file of it
    text: str = ""  # of the Dockerfile, where it was no file
    template: dict[str, Any] = field(default_factory=dict)  # choices, where it was built from a template
    build_args: dict[str, str] = field(default_factory=dict)
    context: str = ""  # folder relative to the project
    packages: dict[str, str] = field(default_factory=dict)  # name: version

    @property
    def spec(self) -> str:
        """The image as people write it."""
        return f"{self.name}:{self.version}"

    @property
    def pinned(self) -> str:
        """What is pulled; empty when it is in no registry."""
        return f"{self.repository}@{self.digest}" if self.repository else ""

    @property
    def package_list(self) -> tuple[Package, ...]:
        """The packages, as reports have them."""
        return tuple(Package(name, version) for name, version in self.packages.items())


def of(image: Image, recipe: Recipe) -> Lock:
    """Return the lock of an image."""
    packages = image.report.packages if image.report else ()
    made_by_template = recipe.kind is SourceKind.TEMPLATE
    return Lock(
        name=image.name,
        version=image.version,
        digest=image.digest,
        recipe=recipe.digest,
        repository=image.repository,
        python=image.python_version,
        architecture=image.architecture,
        dockerfile=recipe.dockerfile_path,
        text="" if recipe.dockerfile_path or made_by_template else recipe.dockerfile,
        template=recipe.template if made_by_template else {},
        build_args=recipe.build_args,
        context=recipe.context_path,
        packages={package.name: package.version for package in sorted(packages, key=lambda p: p.name.lower())},
    )


def write(folder: Path, lock: Lock) -> Path:
    """Write a project's lock file, as a whole or not at all; return it.

    Raises
    ------
    InvalidRequest
        The folder cannot be written.
    """
    path = folder / FILE
    text = json.dumps({"format": FORMAT, **as_json(lock)}, ensure_ascii=False, indent=2) + "\n"
    try:
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return path
        descriptor, partial = tempfile.mkstemp(prefix=f".{FILE}-", dir=folder)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            before = path.stat() if path.exists() else folder.stat()
            Path(partial).chmod(0o666 & before.st_mode | 0o600)
            if os.getuid() == 0:
                os.chown(partial, before.st_uid, before.st_gid)
            Path(partial).replace(path)
        finally:
            Path(partial).unlink(missing_ok=True)
    except OSError as error:
        if error.errno == 28:
            raise NoSpaceLeft(f"{path} cannot be written, for its disk is full; make room there.") from error
        raise InvalidRequest(f"{path} cannot be written: {error.strerror}; give yourself access to it.") from error
    return path


def read(folder: Path) -> Lock:
    """Return what a project's lock file says.

    Raises
    ------
    NotFound
        There is none.
    InvalidRequest
        It is none, or of a newer version.
    """
    path = folder / FILE
    try:
        if path.stat().st_size > LIMIT:
            raise InvalidRequest(f"{path} is bigger than any lock file; write it anew with `jupyter image lock`.")
        said = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(
            f"There is no {FILE} in {folder}; whoever has the image writes it with `jupyter image lock`."
        ) from None
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{path} cannot be read: {error}; restore it, or write it anew.") from None
    if isinstance(said, dict) and isinstance(said.get("format"), int) and said["format"] > FORMAT:
        raise InvalidRequest(f"{path} was written by a newer version of this software; upgrade it here.")
    try:
        return _checked(said)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidRequest(f"{path} is no lock file of an image ({error}); restore it, or write it anew.") from None


def _checked(said: Mapping[str, Any]) -> Lock:
    lock: Lock = from_json(Lock, said)
    for name in ("name", "digest", "recipe", "repository", "python", "architecture", "dockerfile", "text", "context"):
        if not isinstance(getattr(lock, name), str):
            raise TypeError(f"`{name}` is no text")
    for pairs in (lock.build_args, lock.packages):
        if not all(isinstance(text, str) for pair in pairs.items() for text in pair):
            raise TypeError("a name or value is no text")
    if not isinstance(lock.template, dict) or not isinstance(lock.version, int):
        raise TypeError("`template` or `version` is no such thing")
    check_name(lock.name)
    if not DIGEST.fullmatch(lock.digest):
        raise ValueError("`digest` is no digest")
    if lock.repository:
        parse_reference(lock.pinned)
    return lock
