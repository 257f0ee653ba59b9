"""2,000 images listed by a running server's REST API (≤ 50 ms), and how long its event loop is held meanwhile."""

from __future__ import annotations

import json
import statistics
import urllib.request
import uuid
from pathlib import Path

from server import running_server

from harness import ACTOR, Result, timed, workplace
from jupyter_image_manager.models import Image, ImageState, Recipe, SourceKind, Storage, utcnow
from jupyter_image_manager.store import Store

IMAGES = 2000
RUNS = 21


def fill(store: Store, project_id: str, count: int = IMAGES) -> None:
    """Put `count` ready images into the store, by the store's own calls."""
    for number in range(count):
        recipe = Recipe(
            id=uuid.uuid4().hex, kind=SourceKind.DOCKERFILE, dockerfile="FROM scratch\n", digest=uuid.uuid4().hex
        )
        image = Image(
            id=uuid.uuid4().hex,
            project_id=project_id,
            name=f"image-{number % 100}",
            version=0,
            state=ImageState.READY,
            storage=Storage.LOCAL,
            recipe_id=recipe.id,
            created=utcnow(),
            created_by="benchmark",
            digest="sha256:" + uuid.uuid4().hex * 2,
            engine_image="sha256:" + uuid.uuid4().hex * 2,
            size=1_000_000_000 + number,
            python_version="3.11.9",
            architecture="amd64",
            optimized=True,
        )
        store.add_image(image, recipe)


def measure() -> list[Result]:
    """List over HTTP on one kept-open server; the loop's longest hold comes from the server itself."""
    with workplace() as (manager, project):
        fill(manager.store, project.id)
        root = Path(manager.root_dir)
        with running_server(root, Path(manager.data_dir)) as server:
            url = f"{server.url}image-manager/v1/projects/{project.id}/images?limit=2000"
            request = urllib.request.Request(url, headers={"Authorization": f"token {server.token}"})

            def listed() -> None:
                with urllib.request.urlopen(request) as answer:
                    assert len(json.load(answer)["items"]) == IMAGES

            listed()
            server.reset_longest_hold()
            seconds = [timed(listed) for _ in range(RUNS)]
            hold = server.longest_hold()
        assert len(manager.images.list(ACTOR, project.id)) == IMAGES
    return [
        Result("list of 2,000 images by REST", statistics.median(seconds) * 1000, 50, "ms", f"median of {RUNS}"),
        Result("event loop held while listing", hold * 1000, 20, "ms", "longest of the same requests"),
    ]
