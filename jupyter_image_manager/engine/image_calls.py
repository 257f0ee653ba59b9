"""Images, through the SDK."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from traitlets.utils.bunch import Bunch

from ..errors import ImageManagerError, ImageNotFound, InvalidRequest, NotFound
from ..models import Layer
from .adapt import without_ours
from .calls import Calls, filters
from .history import with_digests
from .port import DiskUse, EngineImage
from .translate import meaning

SAVED = 1 << 20
"""Bytes of an archive that are read at once."""
_NO_ARCHIVE = re.compile(
    r"docker-import-\S+: no such file|archive/tar: |unexpected EOF|any of the supported image formats"
)


class ImageCalls(Calls):
    """Load, look up, tag and remove images."""

    def load(self, archive: IO[bytes]) -> tuple[str, ...]:
        """Load a docker-save or OCI archive; return the ids of the images in it."""
        names: list[str] = []
        with self._translated("the archive"):
            client = self._connection.fresh(stream=True)
            try:
                for event in client.load_image(archive):
                    if "error" in event:
                        raise _not_loaded(str(event["error"]))
                    text = str(event.get("stream", ""))
                    for word in ("Loaded image ID: ", "Loaded image: ", "Loaded image(s): "):
                        if text.startswith(word):
                            names += text.removeprefix(word).strip().split(",")
                            break
            finally:
                self._connection.forget(client)
        return tuple(dict.fromkeys(self.inspect_image(name).id for name in names))

    def save(self, image: str) -> Iterator[bytes]:
        """Yield the blocks of an archive with one image."""
        try:
            with self._translated(image):
                client = self._connection.fresh(stream=True)
                try:
                    yield from client.get_image(image, chunk_size=SAVED)
                finally:
                    self._connection.forget(client)
        except NotFound as error:
            raise ImageNotFound(f"There is no image {image} in the engine.", error.details) from error

    def import_filesystem(self, archive: IO[bytes], reference: str, *, env: dict[str, str]) -> str:
        """Make an image of one layer from a root file system tar; return its id."""
        with self._translated(reference):
            client = self._connection.fresh(stream=True)
            try:
                response = client._post(
                    client._url("/images/create"),
                    data=archive,
                    params={
                        "fromSrc": "-",
                        "repo": reference,  # with its tag: Podman ignores one that is given apart
                        "changes": [f"ENV {name}={value}" for name, value in env.items()],
                    },
                    timeout=None,
                )
                said = client._result(response)
            finally:
                self._connection.forget(client)
        if '"error"' in said:
            raise meaning(said, reference)
        return self.inspect_image(reference).id

    def inspect_image(self, reference: str) -> EngineImage:
        """Return an image by id, tag or digest."""
        try:
            with self._translated(reference):
                return _image(self._client().inspect_image(reference))
        except NotFound as error:
            raise ImageNotFound(f"There is no image {reference} in the engine.", error.details) from error

    def list_images(self, labels: dict[str, str]) -> list[EngineImage]:
        """Return the images that carry all these labels."""
        found = []
        with self._translated():
            listed = self._client().images(filters=filters(labels))
        for item in listed:
            try:
                found.append(self.inspect_image(item["Id"]))
            except ImageNotFound:
                continue  # removed between the two calls
        return found

    def layers(self, reference: str) -> tuple[Layer, ...]:
        """Return the layers, oldest first."""
        with self._translated(reference):
            client = self._client()
            history = client.history(reference)
            digests = (client.inspect_image(reference).get("RootFS") or {}).get("Layers") or ()
        layers = [
            Layer(without_ours(str(item.get("CreatedBy") or "")), int(item.get("Size") or 0))
            for item in reversed(history)
        ]
        return with_digests(layers, digests)

    def image_tags(self) -> dict[str, tuple[str, ...]]:
        """Return the ids of all images with their tags, in one call."""
        with self._translated():
            listed = self._client().images()
        return {
            str(item["Id"]): tuple(tag for tag in item.get("RepoTags") or () if tag != "<none>:<none>")
            for item in listed
        }

    def tag(self, image: str, reference: str) -> None:
        """Give an image one more tag."""
        repository, _, tag = reference.rpartition(":")
        with self._translated(image):
            self._client().tag(image, repository, tag, force=True)

    def remove_image(self, reference: str, *, force: bool = False) -> None:
        """Remove a tag or an image; success when it is not there."""
        try:
            with self._translated(reference):
                self._client(stream=True).remove_image(reference, force=force)
        except ImageNotFound:
            return

    def disk(self) -> DiskUse:
        """Return the room left where the engine keeps its images, as far as it can be seen from here."""
        info = self.info()
        path = Path(info.root_dir or "/")
        while not path.is_dir():
            path = path.parent
        if info.remote or not info.root_dir:
            return DiskUse(info.root_dir, None, None, None)
        found = os.statvfs(path)
        return DiskUse(
            info.root_dir, found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize, found.f_favail or None
        )


def _not_loaded(text: str) -> ImageManagerError:
    """Return why an archive was refused; for what is no archive each engine names the file of its own it missed."""
    if _NO_ARCHIVE.search(text):
        return InvalidRequest(
            "The archive holds no image; give one that `docker save` wrote, or an OCI archive.", {"engine": text[:2000]}
        )
    return meaning(text, "the archive")


def _image(found: dict[str, Any]) -> EngineImage:
    config = Bunch(found.get("Config") or {})
    pairs = (item.partition("=") for item in config.get("Env") or ())
    return EngineImage(
        id=str(found["Id"]),
        tags=tuple(found.get("RepoTags") or ()),
        repo_digests=tuple(found.get("RepoDigests") or ()),
        architecture=str(found.get("Architecture", "")),
        os=str(found.get("Os", "")),
        size=int(found.get("Size") or 0),
        created=str(found.get("Created", "")),
        user=str(config.get("User") or ""),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        cmd=tuple(config.get("Cmd") or ()),
        env={name: value for name, _, value in pairs},
        working_dir=str(config.get("WorkingDir") or ""),
        labels=dict(config.get("Labels") or {}),
    )
