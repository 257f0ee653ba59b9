from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError, HTTPResponse

from ..conftest import clean
from .described import check_answer

Request = Callable[..., Awaitable[HTTPResponse]]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "image manager data"


@pytest.fixture
def jp_server_config(data_dir: Path) -> dict[str, Any]:
    return {
        "ServerApp": {
            "jpserver_extensions": {"jupyter_image_manager": True, "jupyter_server_terminals": False},
        },
        "ImageManager": {"data_dir": str(data_dir)},
        "BuildSettings": {"from_server_environment": True},
    }


@pytest.fixture
def call(jp_serverapp: Any, jp_fetch: Request) -> Any:
    """Call a route; return its status and what it answered, also when it refused. Each answer must be as described."""

    async def fetch(
        method: str, route: str, body: Any = None, headers: dict[str, str] | None = None, **query: Any
    ) -> tuple[int, Any]:
        options: dict[str, Any] = {
            "method": method,
            "request_timeout": 300,
            "params": {k: str(v) for k, v in query.items()},
        }
        if headers:
            options["headers"] = headers
        if method in ("POST", "PUT", "PATCH"):
            options["body"] = body if isinstance(body, (str, bytes)) else json.dumps({} if body is None else body)
        try:
            answer = await jp_fetch("image-manager", "v1", *route.split("/"), **options)
        except HTTPClientError as error:
            if error.response is None:
                raise
            answer = error.response
        found = json.loads(answer.body) if answer.body else None
        check_answer(method, route, answer.code, answer.headers.get("Content-Type", ""), found)
        return answer.code, found

    return fetch


@pytest.fixture
def manager(jp_serverapp: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Give the server's own service; what it made in the engine is removed in the end."""
    service = jp_serverapp.web_app.settings["jupyter_image_manager"]
    yield service
    if request.node.get_closest_marker("engine"):
        clean(service.engine, service.store.installation_id())


@pytest.fixture
def project(call: Any, jp_root_dir: Path, jp_asyncio_loop: Any) -> Any:
    (jp_root_dir / "science").mkdir()
    code, project = jp_asyncio_loop.run_until_complete(call("POST", "projects", {"path": "science", "name": "Science"}))
    assert code == 201
    return project
