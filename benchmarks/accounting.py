"""The usage of 500 images and of a month's hours by a running server (≤ 1 s), and how long its event loop is held."""

from __future__ import annotations

import json
import statistics
import urllib.request
import uuid
from datetime import timedelta
from pathlib import Path

from server import running_server

from harness import Result, timed, workplace
from jupyter_image_manager.accounting import sums
from jupyter_image_manager.accounting.hours import HOUR, beginning
from jupyter_image_manager.models import (
    Image,
    ImageState,
    Layer,
    Recipe,
    RegistryState,
    SourceKind,
    Storage,
    UsageHour,
    utcnow,
)
from jupyter_image_manager.store import Store

IMAGES = 500
LAYERS = 20
SHARED = 12  # layers that an image has in common with 49 others
RUNS = 5


def fill(store: Store, project_id: str, community_id: str) -> None:
    """Put images in a registry with optimized copies into the store, and 30 days of their hours."""
    contents, ids = {}, []
    for number in range(IMAGES):
        recipe = Recipe(id=uuid.uuid4().hex, kind=SourceKind.DOCKERFILE, dockerfile="FROM x\n", digest=uuid.uuid4().hex)
        engine_image, digest = (f"sha256:{uuid.uuid4().hex * 2}" for _ in range(2))
        layers = tuple(
            Layer(f"RUN {place}", 10_000_000 + place, f"sha256:{number // 50 if place < SHARED else number}-{place}")
            for place in range(LAYERS)
        )
        contents[engine_image] = contents[digest] = layers
        image = Image(
            id=uuid.uuid4().hex,
            project_id=project_id,
            name=f"image-{number % 100}",
            version=0,
            state=ImageState.READY,
            storage=Storage.REGISTRY,
            recipe_id=recipe.id,
            created=utcnow() - timedelta(days=60),
            created_by="benchmark",
            digest=digest,
            engine_image=engine_image,
            size=LAYERS * 10_000_000,
            optimized=True,
            repository=f"registry.example.org/team/image-{number}",
            registry_state=RegistryState.PRESENT,
            registry_size=LAYERS * 10_000_000,
        )
        ids.append(store.add_image(image, recipe).id)
    store.keep_layers(contents)
    now = beginning(utcnow())
    metered = [now - hours * HOUR for hours in range(30 * 24)]
    for hour in metered:
        store.add_usage(
            UsageHour(hour, id, project_id, community_id, storage, 9_000_000)
            for id in ids
            for storage in ("registry", "optimized")
        )
    sums.fold(store, metered)  # as metering does, hour by hour


def measure() -> list[Result]:
    """Ask for the report over HTTP; the loop's longest hold comes from the server itself."""
    with workplace() as (manager, project):
        fill(manager.store, project.id, manager.communities.of(project).id)
        # What the engine would say is not measured, and it holds none of these images: it is away.
        away = "--DockerEngine.host=unix:///nowhere"
        with running_server(Path(manager.root_dir), Path(manager.data_dir), away) as server:
            request = urllib.request.Request(
                f"{server.url}image-manager/v1/usage", headers={"Authorization": f"token {server.token}"}
            )

            def reported() -> None:
                with urllib.request.urlopen(request) as answer:
                    found = json.load(answer)
                assert found["storages"]

            reported()
            server.reset_longest_hold()
            seconds = [timed(reported) for _ in range(RUNS)]
            hold = server.longest_hold()
    return [
        Result("usage of 500 images and a month's hours", statistics.median(seconds), 1.0, "s", f"median of {RUNS}"),
        Result("event loop held while reporting", hold * 1000, 20, "ms", "longest of the same requests"),
    ]
