"""Whether a service agent's rights suffice: a tiny image is really pushed, pulled and deleted."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from ..engine.port import LABEL
from ..errors import EngineError, EngineUnavailable, ImageManagerError, ImageNotFound, RegistryUnavailable
from ..models import Finding
from ..patience import asked

if TYPE_CHECKING:
    from ..manager import ImageManager
    from ..models import RegistryAccess
    from .client import Registry
    from .limits import PullsLeft

REPOSITORY = "jupyter-image-manager-test"
IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass(frozen=True, slots=True)
class TinyImage:
    """An image of a few hundred bytes; the same for the same words, so that what stays somewhere stays once."""

    layer: bytes
    config: bytes
    manifest: bytes

    @property
    def digest(self) -> str:
        """Digest of the manifest."""
        return digest_of(self.manifest)


def digest_of(data: bytes) -> str:
    """Return the digest by which a registry knows these bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def tiny_image(words: str, labels: dict[str, str] | None = None) -> TinyImage:
    """Make an image whose one file holds some words."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo("a-test-of-jupyter-image-manager")
        entry.size = len(words.encode())
        archive.addfile(entry, io.BytesIO(words.encode()))
    layer = gzip.compress(file.getvalue(), mtime=0)
    config = _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": labels or {}},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(file.getvalue())]},
        }
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": {"mediaType": CONFIG, "size": len(config), "digest": digest_of(config)},
        "layers": [{"mediaType": LAYER, "size": len(layer), "digest": digest_of(layer)}],
    }
    return TinyImage(layer, config, _json(manifest))


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def push(registry: Registry, repository: str, image: TinyImage, tag: str) -> None:
    """Push an image; layers of any size are the engine's work."""
    for blob in (image.layer, image.config):
        answer, _ = registry.ask("POST", f"/v2/{repository}/blobs/uploads/", repository, "push")
        place = urljoin(answer.url, answer.headers["Location"])
        place += f"{'&' if '?' in place else '?'}digest={digest_of(blob)}"
        stream = {"Content-Type": "application/octet-stream"}
        registry.ask("PUT", place, repository, "push", headers=stream, data=blob)
    place = f"/v2/{repository}/manifests/{tag}"
    registry.ask("PUT", place, repository, "push", headers={"Content-Type": IMAGE}, data=image.manifest)


def pull(registry: Registry, repository: str, image: TinyImage) -> None:
    """Pull what was pushed, and see that it is the same."""
    found = registry.manifest(repository, image.digest)
    _, layer = registry.ask("GET", f"/v2/{repository}/blobs/{found.layers[0].digest}", repository, "pull")
    if layer != image.layer:
        raise RegistryUnavailable(
            f"What was pulled from {repository} is not what was pushed; do not use this registry before its "
            "administrator knows why."
        )


def engine_pulls(manager: ImageManager, access: RegistryAccess, reference: str) -> Finding:
    """Let the engine pull what was pushed: it has its own network, and its own mind on whom to trust."""
    title = f"Engine: {access.host}"
    try:
        asked(manager.engine.info)
    except (EngineError, EngineUnavailable) as error:
        return Finding("registry-engine", title, "info", f"not tried, since no engine answers: {error.message}")
    try:
        for _ in manager.engine.pull(reference, access=access):
            pass
        manager.engine.remove_image(reference)
    except ImageManagerError as error:
        return Finding("registry-engine", title, "error", error.message)
    return Finding("registry-engine", title, "ok", "the engine pulled a tiny image.")


def pulls(host: str, left: PullsLeft) -> Finding:
    """Say how many pulls a registry allows still (R16)."""
    cure = "Sign in as somebody whom it allows more, use a mirror, or base images on a registry of your own."
    return Finding("registry-pulls", f"Pulls: {host}", "ok" if left.left else "warning", f"{left}.", cure)


def trial(
    manager: ImageManager, registry: Registry, access: RegistryAccess, repository: str, words: str
) -> Iterator[Finding]:
    """Push, pull and delete a tiny image, and yield what each came to; the missing right is named.

    Parameters
    ----------
    repository : str
        Path below the host.
    words : str
        What makes the image one's own, so that two who try at once do not meet.
    """
    host, tag = access.host, f"test-{digest_of(words.encode())[7:19]}"
    image = tiny_image(words, {f"{LABEL}.installation": manager.store.installation_id()})
    where = f"{host}/{repository}"
    try:
        registry.ping()
        left = registry.pulls_left()
    except ImageManagerError as error:
        yield _failed("sign-in", host, error)
        return
    if left is not None:
        yield pulls(host, left)
    try:
        push(registry, repository, image, tag)
    except ImageManagerError as error:
        yield _failed("push", where, error)
        return
    yield _worked("push", where)
    try:
        pull(registry, repository, image)
        yield _worked("pull", where)
        yield engine_pulls(manager, access, f"{where}@{image.digest}")
    except ImageManagerError as error:
        yield _failed("pull", where, error)
    try:
        registry.delete(repository, image.digest)
        if registry.head(repository, image.digest) is not None:
            raise ImageNotFound(
                f"The registry {host} said that it deleted {where}, and has it still; look at its settings."
            )
        yield _worked("delete", where)
    except ImageManagerError as error:
        yield _failed("delete", where, error, f" The test's image {where}:{tag} stays there.")


RIGHTS = {"sign-in": "Sign-in", "push": "Push", "pull": "Pull", "delete": "Delete"}
CURES = {
    "push": "Give the service agent the right to push there; some registries want the repository, or a rule that makes "
    "repositories at the first push, to be there before (Amazon ECR, Google Artifact Registry).",
    "pull": "Give the service agent the right to pull there.",
    "delete": "Give the service agent the right to delete there, or let images be deleted in the registry itself.",
    "sign-in": "Give the community's service agent again with `jupyter image community agent`.",
}
UNSUPPORTED = (
    "Switch deletion on in the registry (distribution: storage.delete.enabled), or delete images in it itself."
)


def _worked(right: str, where: str) -> Finding:
    return Finding(f"registry-{right}", f"{RIGHTS[right]}: {where}", "ok", f"a tiny image was {_past(right)}.")


def _failed(right: str, where: str, error: ImageManagerError, tail: str = "") -> Finding:
    reason = error.details.get("reason")
    cure = CURES[right]
    if reason == "unsupported":
        cure = UNSUPPORTED
    elif reason == "unauthorized":
        cure = CURES["sign-in"]
    elif reason not in ("denied", "unexpected") and not isinstance(error, ImageNotFound):
        # Its sentence says what to do: the network, a certificate, a limit.
        cure = ""
    # Without that right images are kept in the registry all the same.
    status = "warning" if right == "delete" else "error"
    return Finding(f"registry-{right}", f"{RIGHTS[right]}: {where}", status, error.message + tail, cure)


def _past(right: str) -> str:
    return {"push": "pushed", "pull": "pulled", "delete": "deleted"}[right]
