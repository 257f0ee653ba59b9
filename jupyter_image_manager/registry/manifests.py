"""Manifests of registries: what they say of an image, and how much it takes there; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import RegistryUnavailable

INDEXES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
MANIFESTS = frozenset(
    {"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"}
)
ACCEPT = ", ".join(sorted(INDEXES | MANIFESTS))
"""All four, or the registry converts, and tells the digest of what nobody pushed."""


@dataclass(frozen=True, slots=True)
class ManifestFacts:
    """What a look at a manifest tells, without pulling it."""

    digest: str
    media_type: str
    size: int  # bytes of the manifest itself


@dataclass(frozen=True, slots=True)
class Blob:
    """A layer or a configuration, as the registry keeps it."""

    digest: str
    size: int  # bytes, compressed
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class PlatformManifest:
    """One image of an index."""

    digest: str
    architecture: str
    os: str
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image as the registry keeps it; of an index, the image of the platform that was asked for."""

    digest: str
    media_type: str
    size: int
    config: Blob
    layers: tuple[Blob, ...]
    index: str = ""  # digest of the index through which it was found
    platforms: tuple[PlatformManifest, ...] = ()  # of the index

    @property
    def bytes(self) -> int:
        """Bytes in the registry: manifest, configuration and each layer once."""
        return self.size + sum({blob.digest: blob.size for blob in (self.config, *self.layers)}.values())


def parsed(host: str, content: dict[str, Any], digest: str, kind: str, size: int, **more: Any) -> Manifest:
    """Return the image that a manifest's content describes.

    Raises
    ------
    RegistryUnavailable
        It is in a form of long ago, or of no image.
    """
    try:
        config, *layers = [
            Blob(str(one["digest"]), int(one["size"]), str(one.get("mediaType", "")))
            for one in (content["config"], *content["layers"])
        ]
    except (KeyError, TypeError, ValueError):
        raise RegistryUnavailable(
            f"The registry {host} keeps {digest} in a form that is not known here ({kind}); push the "
            "image again with an engine of today.",
            {"host": host, "media_type": kind},
        ) from None
    return Manifest(digest, kind, size, config, tuple(layers), **more)


def platforms_of(content: dict[str, Any]) -> Iterator[PlatformManifest]:
    """Yield the images of an index, but for what is no image."""
    found = content.get("manifests")
    for one in found if isinstance(found, list) else ():
        if not isinstance(one, dict):
            continue
        platform = one.get("platform") or {}
        system, architecture = str(platform.get("os", "")), str(platform.get("architecture", ""))
        if system != "unknown":  # what BuildKit attests beside the images
            yield PlatformManifest(str(one.get("digest", "")), architecture, system, str(platform.get("variant", "")))
