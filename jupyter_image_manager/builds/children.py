"""The processes of builds, as their parent sees them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from .. import workers
from ..models import Build, utcnow

if TYPE_CHECKING:
    from ..manager import ImageManager


def start(manager: ImageManager, build: Build, secrets: dict[str, bytes], options: dict[str, Any]) -> Build:
    """Start a build's process."""
    payload = {
        "config": manager.configuration(),
        "build": build.id,
        "secrets": {name: base64.b64encode(value).decode() for name, value in secrets.items()},
        "options": options,
    }

    def claim(worker: str) -> bool:
        nonlocal build
        build = manager.store.set_build(build.id, worker=worker, heartbeat=utcnow())
        return True

    trace = manager.builds.log_path_of(build.id).with_suffix(".trace")
    workers.start("jupyter_image_manager.builds.worker", build.id, payload, trace, claim)
    return build
