"""Where the server must work on although something of ours does not, and what is refused at the door."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth import User
from tornado.web import create_signed_value

from jupyter_image_manager import patience
from jupyter_image_manager.handlers.body import LARGEST
from jupyter_image_manager.models import ImageState, Report

from .test_app import extension_of
from .test_images import add


class TestOurOwnFault:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        return {**jp_server_config, "ImageManager": {"data_dir": "relative"}}

    async def test_the_server_works_as_without_us_and_status_says_why(
        self, jp_serverapp: Any, call: Any, jp_fetch: Any
    ) -> None:
        await jp_serverapp.extension_manager.start_all_extensions()
        assert extension_of(jp_serverapp)._threads == ()
        assert "jupyter_image_manager" not in jp_serverapp.web_app.settings  # where kernel starts would find it
        assert (await jp_fetch("api", "contents")).code == 200
        code, status = await call("GET", "status")
        assert code == 200
        assert not status["engine"]["ok"]
        assert "data_dir must be an absolute path" in status["store"]["message"]
        code, refused = await call("GET", "projects")
        assert (code, refused["code"]) == (500, "internal_error")
        assert refused["message"] == status["store"]["message"]
        await extension_of(jp_serverapp).stop_extension()  # must not fail: the server could not stop then


class TestAnEngineThatHangs:
    @pytest.fixture
    def hanging(self, tmp_path: Path) -> Iterator[socket.socket]:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "e.sock"))
            server.listen(50)  # connections are taken, and never answered
            yield server

    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any], hanging: socket.socket) -> dict[str, Any]:
        host = f"unix://{hanging.getsockname()}"
        return {**jp_server_config, "DockerEngine": {"host": host, "timeout": 600.0}}

    @pytest.fixture(autouse=True)
    def _nothing_hangs_yet(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(patience, "SECONDS", 0.2)
        for each in (patience._patience, patience._acts):
            monkeypatch.setattr(each, "hanging", set())

    @staticmethod
    def acts(call: Any, manager: Any, project: Any, times: int) -> list[asyncio.Task[tuple[int, Any]]]:
        """Ask at once for all that cannot be done without an engine."""
        held = {"state": ImageState.READY, "engine_image": "sha256:1", "report": Report(ok=True)}
        image, lacks = add(manager, project["id"], **held), add(manager, project["id"], "lacks")
        requests = [
            ("PUT", f"projects/{project['id']}/active-image", {"image_id": image.id}),
            ("DELETE", f"images/{image.id}", None),
            ("GET", f"images/{image.id}/deletion", None),
            ("POST", f"images/{image.id}/check", None),
            ("POST", f"projects/{project['id']}/builds", {"name": "new", "dockerfile_text": "FROM x\n"}),
            ("GET", f"projects/{project['id']}/kernels", None),
            ("GET", "kernels", None),
        ]
        assert lacks.engine_image == ""  # deleting it needs no engine
        return [asyncio.ensure_future(call(*request)) for request in requests * times]

    async def test_each_act_is_refused_in_one_sentence(
        self, call: Any, manager: Any, project: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(patience, "ACT_SECONDS", 0.2)
        for code, refused in await asyncio.gather(*self.acts(call, manager, project, 3)):
            assert (code, refused["code"]) == (504, "engine_timeout")
            assert "does not answer; wait" in refused["message"]
        # Nothing has changed.
        _, images = await call("GET", f"projects/{project['id']}/images")
        assert sorted(each["spec"] for each in images["items"]) == ["geo:1", "lacks:1"]
        assert (await call("GET", "builds")) == (200, {"items": []})
        assert (await call("GET", f"projects/{project['id']}/active-image")) == (200, None)

    async def test_what_waits_for_it_lets_others_pass(
        self, call: Any, manager: Any, project: Any, hanging: socket.socket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(patience, "ACT_SECONDS", 600.0)
        waiting = self.acts(call, manager, project, 1)  # a client has ten connections
        (unmade,) = [image for image in manager.store.images(project["id"]) if image.name == "lacks"]
        for method, route in (
            ("GET", "projects"),
            ("GET", f"projects/{project['id']}"),
            ("GET", f"projects/{project['id']}/images"),
            ("GET", f"projects/{project['id']}/usage"),
            ("GET", f"projects/{project['id']}/context"),
            ("GET", f"images/{unmade.id}"),
            ("GET", f"images/{unmade.id}/recipe"),
            ("GET", "builds"),
            ("GET", "templates"),
            ("GET", "system-images"),
            ("GET", "status"),
            ("PATCH", f"projects/{project['id']}"),
            ("PATCH", f"images/{unmade.id}"),
            ("DELETE", f"projects/{project['id']}/active-image"),
        ):
            code, _ = await call(method, route)
            assert code == 200, route
        assert not all(each.done() for each in waiting)
        hanging.close()  # and with it all connections that were never answered
        for code, refused in await asyncio.gather(*waiting):
            assert code in (503, 504)
            assert refused["code"] in ("engine_unavailable", "engine_timeout")
            assert refused["message"].endswith(".")

    async def test_what_needs_no_engine_answers(self, jp_serverapp: Any, call: Any, jp_root_dir: Path) -> None:
        answers = await asyncio.gather(*(call("GET", "status") for _ in range(20)))
        for code, status in answers:
            assert code == 200
            assert not status["engine"]["ok"]
            assert "does not answer" in status["engine"]["message"]
        (jp_root_dir / "science").mkdir()
        code, project = await call("POST", "projects", {"path": "science"})
        assert code == 201
        code, found = await call("GET", "projects", path="science/a.ipynb")
        assert (code, found["id"]) == (200, project["id"])
        assert (await call("GET", f"projects/{project['id']}/images"))[0] == 200
        assert len(patience._patience.hanging) <= 4 * patience.THREADS


async def test_a_huge_body_is_refused(call: Any, project: Any) -> None:
    code, refused = await call("POST", "lint", {"project_id": project["id"], "dockerfile": "#" * LARGEST})
    assert (code, refused["code"]) == (413, "too_large")


async def test_a_request_of_another_site_is_refused(
    jp_serverapp: Any, http_server_client: Any, jp_base_url: str, jp_root_dir: Path
) -> None:
    """A browser's cookie alone changes nothing: without the XSRF token the request is not the page's own."""
    (jp_root_dir / "science").mkdir()
    provider, secret = jp_serverapp.identity_provider, jp_serverapp.web_app.settings["cookie_secret"]
    provider.cookie_name = "who"
    user = provider.user_to_cookie(User("ada", "Ada", "Ada"))
    cookie = f"who={create_signed_value(secret, 'who', user).decode()}; _xsrf={'a' * 32}"

    async def post(**headers: str) -> int:
        answer = await http_server_client.fetch(
            f"{jp_base_url}image-manager/v1/projects",
            method="POST",
            body='{"path": "science"}',
            headers={"Cookie": cookie, **headers},
            raise_error=False,
        )
        return int(answer.code)

    assert await post() == 403
    assert await post(**{"X-XSRFToken": "b" * 32}) == 403
    assert await post(**{"X-XSRFToken": "a" * 32}) == 201
