"""Routes of builds: submit, look, cancel, retry, and the log in three forms."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Any

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from ..errors import InvalidRequest
from ..models import Actor, Build, BuildRequest, LogLine, Storage
from .base import ImageManagerHandler, encode
from .body import flag, listed, mapping, secrets, text, texts

LIST = 100
LOOK_INTERVAL = 0.25
"""Seconds between two looks at a log whose end is reached."""
LINES_AT_ONCE = 500
KEEPALIVE = 15.0
"""Seconds of silence after which proxies might close a stream."""
CHUNK = 256 * 1024
HIGHEST = 2**31 - 1


def storage(value: Any, key: str) -> Storage:
    """Return where the image is to be kept."""
    try:
        return Storage(value)
    except ValueError:
        allowed = ", ".join(each.value for each in Storage)
        raise InvalidRequest(f"`{key}` should be one of {allowed}.", {"key": key}) from None


REQUEST = {
    "dockerfile_text": text,
    "dockerfile_path": text,
    "template": mapping,
    "reference": text,
    "archive": text,
    "from_image": text,
    "add_packages": listed,
    "context": text,
    "build_args": texts,
    "secrets": secrets,
    "storage": storage,
    "description": text,
    "activate": flag,
    "fix": flag,
    "confirm_context": flag,
    "no_cache": flag,
}


class BuildHandler(ImageManagerHandler):
    """Base of the routes of builds."""

    auth_resource = "image_manager:builds"

    async def listed(self, project_id: str | None) -> None:
        """Answer with the builds of one project or all."""
        active = self.flag("active")
        limit = self.number("limit", LIST, least=1, most=1000) or LIST
        builds = self.manager.builds
        await self.answer(lambda: {"items": builds.list(self.actor, project_id, active=active, limit=limit)})


class BuildsHandler(BuildHandler):
    """``builds``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List the builds of all projects, newest first."""
        await self.listed(None)


class ProjectBuildsHandler(BuildHandler):
    """``projects/{id}/builds``."""

    acts = frozenset({"POST"})

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """List a project's builds, newest first."""
        await self.listed(project_id)

    @web.authenticated
    @authorized
    async def post(self, project_id: str) -> None:
        """Submit a build."""
        request = BuildRequest(**self.read({"name": text}, REQUEST))
        await self.accepted(self.manager.builds.submit, self.actor, project_id, request)


class ContextHandler(BuildHandler):
    """``projects/{id}/context``."""

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """Show what would be sent as context."""
        await self.answer(
            self.manager.builds.preview_context,
            self.actor,
            project_id,
            self.get_query_argument("path", None, strip=False) or None,
        )

    @web.authenticated
    @authorized
    async def patch(self, project_id: str) -> None:
        """Leave a file out of the context, or take that back."""
        values = self.read({"file": text, "ignored": flag}, {"path": text})
        file, ignored, path = values["file"], values["ignored"], values.get("path") or None
        ignore = self.manager.builds.ignore
        await self.answer(lambda: ignore(self.actor, project_id, file, path, ignored=ignored))


class OneBuildHandler(BuildHandler):
    """``builds/{id}``."""

    @web.authenticated
    @authorized
    async def get(self, build_id: str) -> None:
        """Show a build."""
        await self.answer(self.manager.builds.get, self.actor, build_id)

    @web.authenticated
    @authorized
    async def delete(self, build_id: str) -> None:
        """Cancel a build."""
        await self.accepted(self.manager.builds.cancel, self.actor, build_id)


class RetryHandler(BuildHandler):
    """``builds/{id}/retry``."""

    acts = frozenset({"POST"})

    @web.authenticated
    @authorized
    async def post(self, build_id: str) -> None:
        """Run a finished build again."""
        values = self.read({}, {"secrets": secrets})
        await self.accepted(self.manager.builds.retry, self.actor, build_id, values.get("secrets"))


class LogHandler(BuildHandler):
    """``builds/{id}/log``: a stream of events, a window as JSON, or the whole as text."""

    _gone = False

    @web.authenticated
    @authorized
    async def get(self, build_id: str) -> None:
        """Answer in the form that the request accepts."""
        accepted = self.request.headers.get("Accept", "")
        if "text/event-stream" in accepted:
            await self._stream(build_id)
        elif "application/json" in accepted:
            await self._window(build_id)
        else:
            await self._download(build_id)

    def on_connection_close(self) -> None:
        """Remember that nobody listens any more."""
        self._gone = True
        super().on_connection_close()

    # A window
    async def _window(self, build_id: str) -> None:
        start = self.number("start", 1, least=1, most=HIGHEST) or 1
        count = self.number("count", None, least=1, most=100_000)
        search, builds = self.word("search"), self.manager.builds
        await self.answer(lambda: {"items": builds.log(self.actor, build_id, start=start, count=count, search=search)})

    # The whole
    async def _download(self, build_id: str) -> None:
        path = await self.call(self.manager.builds.log_path, self.actor, build_id)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        try:
            async for chunk in self._chunks(path):
                self.write(chunk)
                await self.flush()
        except StreamClosedError:
            raise web.Finish from None
        await self.finish(set_content_type="text/plain; charset=utf-8")

    async def _chunks(self, path: Path) -> AsyncIterator[bytes]:
        def opened() -> IO[bytes] | None:
            try:
                return path.open("rb")
            except FileNotFoundError:
                return None  # nothing has been logged yet

        file = await self.call(opened)
        if file is None:
            return
        with file:
            while not self._gone and (chunk := await self.call(file.read, CHUNK)):
                yield chunk

    # The stream
    async def _stream(self, build_id: str) -> None:
        last = self._after()
        actor, builds = self.actor, self.manager.builds
        build = await self.call(builds.get, actor, build_id)  # what is refused is refused before the stream begins
        self._track_activity = False
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Accel-Buffering", "no")
        with contextlib.suppress(StreamClosedError):
            await self._send(b": following\n\n" + _event("build", build))
            await self._follow(actor, build, last)
            await self.finish(set_content_type="text/event-stream")

    async def _follow(self, actor: Actor, build: Build, last: int) -> None:
        loop = asyncio.get_running_loop()
        shown, spoke = _progress(build), loop.time()
        while not self._gone:
            # The build is looked at before its lines: when it was done then, there are no more lines after these.
            build, lines, encoded = await self.call(self._look, actor, build.id, last)
            if _progress(build) != shown:
                shown = _progress(build)
                encoded += b"" if build.done else _event("build", build)
            if lines:
                last = lines[-1].number
            if encoded:
                await self._send(encoded)
                spoke = loop.time()
            if len(lines) == LINES_AT_ONCE:
                continue
            if build.done:
                await self._send(_event("end", build))
                return
            if loop.time() - spoke >= KEEPALIVE:
                await self._send(b": keepalive\n\n")
                spoke = loop.time()
            await asyncio.sleep(LOOK_INTERVAL)

    def _look(self, actor: Actor, build_id: str, last: int) -> tuple[Build, list[LogLine], bytes]:
        builds = self.manager.builds
        build = builds.get(actor, build_id)
        lines = builds.log(actor, build_id, start=last + 1, count=LINES_AT_ONCE)
        return build, lines, b"".join(_event("line", line, line.number) for line in lines)

    async def _send(self, encoded: bytes) -> None:
        self.write(encoded)
        await self.flush()

    def _after(self) -> int:
        """Return the number of the last line that the client has."""
        header = self.request.headers.get("Last-Event-ID", "")
        if header.isascii() and header.isdigit() and len(header) < 10:
            return int(header)
        return self.number("after", 0, least=0, most=HIGHEST) or 0


def _event(name: str, value: Any, number: int | None = None) -> bytes:
    identity = b"" if number is None else b"id: %d\n" % number
    return identity + b"event: " + name.encode() + b"\ndata: " + encode(value) + b"\n\n"


def _progress(build: Build) -> tuple[Any, ...]:
    return build.state, build.step, build.steps, build.attempt, build.cancel_requested
