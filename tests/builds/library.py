"""A registry that one can only pull from, with one image: what an engine needs to know a digest."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def image_of(saved: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Return the manifest and the blobs of the image in an archive of ``docker save``."""
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:

        def member(name: str) -> bytes:
            file = archive.extractfile(name)
            assert file is not None
            return file.read()

        listed = json.loads(member("manifest.json"))[0]
        config = member(listed["Config"])
        layers = [gzip.compress(member(name), 1, mtime=0) for name in listed["Layers"]]
    blobs = {_digest(content): content for content in (config, *layers)}
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "size": len(config), "digest": _digest(config)},
        "layers": [{"mediaType": LAYER, "size": len(one), "digest": _digest(one)} for one in layers],
    }
    return json.dumps(manifest).encode(), blobs


@contextmanager
def serving(saved: bytes, repository: str, tag: str) -> Iterator[tuple[str, str]]:
    """Serve an image on loopback, which engines trust without TLS; give its reference and its digest."""
    manifest, blobs = image_of(saved)
    answers = {f"/v2/{repository}/blobs/{digest}": ("application/octet-stream", one) for digest, one in blobs.items()}
    for name in (tag, _digest(manifest)):
        answers[f"/v2/{repository}/manifests/{name}"] = (MANIFEST, manifest)
    answers["/v2/"] = ("application/json", b"{}")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            kind, content = answers.get(self.path, ("application/json", b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}'))
            self.send_response(200 if self.path in answers else 404)
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if kind == MANIFEST:
                self.send_header("Docker-Content-Digest", _digest(manifest))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}/{repository}:{tag}", _digest(manifest)
        finally:
            server.shutdown()
            thread.join()
