"""What an archive of ours carries beside the image: how it was made, so that whoever loads it can build it again.

The archive is a tar whose first members are ours and whose rest is what the engine saved, as it came. An engine, or any
tool that reads archives of images, passes over the first ones.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import InvalidRequest
from ..models import Image, Recipe, SourceKind, as_json, utcnow
from ..store.rows import from_json

FOLDER = "jupyter-image-manager"
ABOUT = f"{FOLDER}/image.json"
CONTEXT = f"{FOLDER}/context.tar.gz"
FORMAT = 1
ABOUT_LIMIT = 64 << 20
"""Bytes of the description above which it is none of ours."""
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Carried:
    """What an archive says of its image."""

    name: str
    version: int
    description: str
    engine_image: str  # id of the image where it came from
    python_version: str
    recipe: Recipe
    created: datetime


def head(image: Image, recipe: Recipe, context: Path | None) -> Iterator[bytes]:
    """Yield the members that stand before what the engine saved."""
    about = {
        "format": FORMAT,
        "exported": utcnow(),
        "name": image.name,
        "version": image.version,
        "description": image.description,
        "engine_image": image.engine_image,
        "digest": image.digest,
        "repository": image.repository,
        "created": image.created,
        "python_version": image.python_version,
        "architecture": image.architecture,
        "recipe": recipe,
        "report": image.report,
    }
    text = json.dumps(as_json(about), ensure_ascii=False, indent=1).encode()
    yield from _member(ABOUT, len(text), iter([text]))
    if context is not None:
        with context.open("rb") as file:
            size = context.stat().st_size
            yield from _member(CONTEXT, size, iter(lambda: file.read(BLOCK), b""))


def _member(name: str, size: int, blocks: Iterator[bytes]) -> Iterator[bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = size, int(utcnow().timestamp())
    yield info.tobuf(tarfile.PAX_FORMAT)
    sent = 0
    for block in blocks:
        sent += len(block)
        yield block
    if sent != size:
        raise OSError(f"{name} changed while it was read")
    yield bytes(-size % tarfile.BLOCKSIZE)


def read(path: Path) -> Carried | None:
    """Return what an archive carries; None when it is another's.

    Raises
    ------
    InvalidRequest
        It is ours and damaged, or of a newer version.
    """
    with _opened(path) as archive:
        member = archive.next()
        if member is None or member.name != ABOUT:
            return None
        if not member.isreg() or member.size > ABOUT_LIMIT or (file := archive.extractfile(member)) is None:
            raise _damaged(path, f"{ABOUT} is no description")
        try:
            about = json.loads(file.read())
            if about["format"] != FORMAT:
                raise InvalidRequest(
                    f"{path.name} was written by a newer version of this software; upgrade it here to load the file."
                )
            return _carried(about)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(path, f"{ABOUT} says nothing that is understood ({error})") from None


def _carried(about: dict[str, Any]) -> Carried:
    recipe = from_json(Recipe, about["recipe"])
    texts = (about["name"], about["description"], about["engine_image"], recipe.dockerfile, recipe.reference)
    if not all(isinstance(text, str) for text in texts) or not isinstance(about["version"], int):
        raise TypeError("a text is none")
    if not all(isinstance(text, str) for pair in recipe.build_args.items() for text in pair):
        raise TypeError("a build argument is no text")
    return Carried(
        name=about["name"],
        version=about["version"],
        description=about["description"],
        engine_image=about["engine_image"],
        python_version=str(about["python_version"]),
        # Of which image it is a copy is known there, not here.
        recipe=replace(recipe, kind=SourceKind(recipe.kind), parent_image_id=None, context_stored=False),
        created=from_json(datetime, about["created"]),
    )


def unpack_context(path: Path, recipe: Recipe, folder: Path, limit: int) -> bool:
    """Keep the context of an archive as if it had been sent from here; return whether the archive has it.

    Raises
    ------
    InvalidRequest
        It is another context than the recipe says, or bigger than the limit.
    """
    if not recipe.context_digest:
        return False
    with _opened(path) as archive:
        archive.next()
        member = archive.next()
        if member is None or member.name != CONTEXT or not member.isreg():
            return False
        file = archive.extractfile(member)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(prefix=".partial-", dir=folder, delete=False) as copy:
            partial = Path(copy.name)
            try:
                while file is not None and (block := file.read(BLOCK)):
                    copy.write(block)
                copy.flush()
                if _digest(path, partial, limit) != recipe.context_digest:
                    raise _damaged(path, "its context is another one than its recipe says")
                partial.replace(folder / f"{recipe.context_digest.removeprefix('sha256:')}.tar.gz")
            finally:
                partial.unlink(missing_ok=True)
    return True


def _digest(path: Path, packed: Path, limit: int) -> str:
    found, size = hashlib.sha256(), 0
    try:
        with gzip.open(packed, "rb") as file:
            while block := file.read(BLOCK):
                found.update(block)
                size += len(block)
                if size > limit:
                    raise InvalidRequest(
                        f"The context in {path.name} is bigger than the limit of {limit / 1e9:.1f} GB; raise "
                        "BuildSettings.context_limit if it is meant to be."
                    )
    except (OSError, EOFError, ValueError) as error:
        raise _damaged(path, f"its context cannot be read ({error})") from None
    return f"sha256:{found.hexdigest()}"


def _opened(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise InvalidRequest(f"{path.name} cannot be read as an archive of an image: {error}.") from None


def _damaged(path: Path, why: str) -> InvalidRequest:
    return InvalidRequest(f"{path.name} is damaged: {why}; export the image once more.")
