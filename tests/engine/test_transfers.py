"""Pushes and pulls between the real engine and a real registry, and what each refusal of one comes to."""

from __future__ import annotations

import base64
import socket
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_image_manager import errors
from jupyter_image_manager.engine.registry_failures import refusal
from jupyter_image_manager.models import RegistryAccess
from tests import registries

from .conftest import Bench

ACCESS = RegistryAccess("r.example", "team", "robot", "s3cret")
TYPES = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[registries.Registry]:
    with registries.running(tmp_path, accounts=registries.ACCOUNTS) as registry:
        yield registry


def digest_of(registry: registries.Registry, repository: str, tag: str) -> str:
    sign_in = base64.b64encode(f"{registry.user}:{registry.secret}".encode()).decode()
    asked = urllib.request.Request(
        f"{registry.url}/v2/{repository}/manifests/{tag}",
        method="HEAD",
        headers={"Accept": TYPES, "Authorization": f"Basic {sign_in}"},
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return str(answer.headers["Docker-Content-Digest"])


@pytest.mark.engine
def test_the_digest_of_a_push_is_the_registrys_and_brings_the_image_back(
    registry: registries.Registry, builder: Bench
) -> None:
    engine, address = builder.engine, registry.address
    access = RegistryAccess(address, "team", registry.user, registry.secret)
    files = {"x": builder.installation.encode(), "y": bytes(1 << 20)}
    image = builder.build("FROM scratch\nCOPY x /\nCOPY y /\n", files=files)[-1].image_id
    reference = f"{address}/team/p/geo:1"
    engine.tag(image, reference)
    progress = list(engine.push(reference, access))
    last = progress[-1]
    assert last.digest == digest_of(registry, "team/p/geo", "1")
    assert last.layers == last.layers_done > 1 and last.current == last.total > 0
    with pytest.raises(errors.RegistryRefused, match="does not accept its service agent 'agent'"):
        list(engine.push(reference, replace(access, secret="wrong")))
    with pytest.raises(errors.RegistryRefused):
        list(engine.push(reference, RegistryAccess(address)))  # what was told is not kept for the next
    again = list(engine.push(reference, access))
    assert again[-1].digest == last.digest and again[-1].total == 0  # nothing is sent twice

    pinned = f"{address}/team/p/geo@{last.digest}"
    engine.remove_image(reference)
    engine.remove_image(builder.spec().tag)
    engine.remove_image(pinned)
    assert engine.list_images(builder.labels) == []
    came = list(engine.pull(pinned, access=access))[-1]
    try:
        assert came.layers == came.layers_done > 1
        assert [found.id for found in engine.list_images(builder.labels)] == [image]
    finally:
        engine.remove_image(pinned)


@pytest.mark.engine
@pytest.mark.parametrize("direction", ["pull", "push"])
def test_a_transfer_is_cancelled_while_the_registry_is_silent(bench: Bench, direction: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        reference = f"127.0.0.1:{silent.getsockname()[1]}/a/b:1"
        if direction == "push":
            bench.engine.tag(bench.base, reference)
            transfer = bench.engine.push(reference, RegistryAccess(reference.partition("/")[0]))
        else:
            transfer = bench.engine.pull(reference)
        heard = threading.Thread(target=lambda: (silent.accept(), transfer.cancel(), transfer.cancel()))
        heard.start()
        try:
            with pytest.raises(errors.EngineError, match="cancelled"):
                list(transfer)
        finally:
            heard.join()
            bench.engine.remove_image(reference)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("toomanyrequests: slow down, retry-after: 30", errors.PullLimited, ("30 s", "mirror")),
        ("error parsing HTTP 429 response body: invalid character", errors.PullLimited, ("limits",)),
        ("unauthorized: authentication required", errors.RegistryRefused, ("'robot'", "anew")),
        ("no basic auth credentials", errors.RegistryRefused, ("'robot'",)),
        ("denied: requested access to the resource is denied", errors.RegistryRefused, ("right", "push")),
        ("error parsing HTTP 403 response body: x", errors.RegistryRefused, ("right",)),
        ("name unknown: The repository with name 'x' does not exist", errors.RegistryRefused, ("make the repository",)),
        ("error parsing HTTP 413 response body: x", errors.RegistryRefused, ("large",)),
        ("write /var/lib/registry/x: no space left on device", errors.NoSpaceLeft, ("registry r.example", "full")),
        ("received unexpected HTTP status: 500 Internal Server Error", errors.RegistryUnavailable, ("not sent again",)),
        ("Get http://r.example/v2/: dial tcp: connection refused", errors.RegistryUnavailable, ("reached",)),
        ("unexpected EOF", errors.RegistryUnavailable, ("broke off",)),
        ("x509: certificate signed by unknown authority", errors.RegistryUnavailable, ("ca.crt",)),
        ("something new", errors.EngineError, ("something new",)),
    ],
)
def test_what_a_refusal_means(text: str, kind: type[errors.ImageManagerError], words: tuple[str, ...]) -> None:
    found = refusal("r.example/team/p/geo:1", ACCESS, push=True)(text, None)
    assert type(found) is kind and "s3cret" not in found.message
    assert all(word in found.message for word in words), found.message


def test_a_refusal_tells_how_long_to_wait_and_a_pull_that_rights_may_be_missing() -> None:
    limited = refusal("a/b:1", ACCESS)("toomanyrequests: retry-after: 7", 500)
    assert limited.details["retry_after"] == 7
    gone = refusal("a/b@sha256:1", ACCESS)("manifest unknown: manifest unknown", 404)
    assert isinstance(gone, errors.ImageNotFound) and "deleted" in gone.message and "rights" in gone.message
    assert "sign in" in refusal("a/b:1", None)("toomanyrequests: x", None).message
