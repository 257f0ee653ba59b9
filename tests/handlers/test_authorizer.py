from __future__ import annotations

from typing import Any

import pytest
from jupyter_server.auth import Authorizer

from .test_spec import OPERATIONS


class Refuses(Authorizer):
    """Refuses everything, and remembers what it was asked."""

    asked: list[tuple[str, str]] = []

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        self.asked.append((action, resource))
        return False


@pytest.fixture
def jp_server_config(jp_server_config: dict[str, Any]) -> dict[str, Any]:
    config = {**jp_server_config, "ServerApp": {**jp_server_config["ServerApp"], "authorizer_class": Refuses}}
    Refuses.asked.clear()
    return config


def resource_of(path: str) -> str:
    last = path.split("/")[-1]
    if last in ("images", "active-image", "usage", "history", "prune", "notebook"):
        return "images"
    if last in ("builds", "context"):
        return "builds"
    if last == "kernels":
        return "kernels"
    first = path.split("/")[1]
    if first in ("projects", "images", "builds", "communities", "retirements", "migrations"):
        return first
    return "images" if first == "pulls" else "system"


async def test_the_authorizer_decides_each_route(call: Any) -> None:
    for verb, path in OPERATIONS:
        Refuses.asked.clear()
        code, refused = await call(verb.upper(), path.strip("/").format(id="x"))
        assert (code, refused["code"]) == (403, "not_allowed"), (verb, path)
        action = "read" if verb == "get" else "write"
        assert Refuses.asked == [(action, f"image_manager:{resource_of(path)}")], (verb, path)
