"""What all routes have in common: threads, JSON, errors, paths, and who acts."""

from __future__ import annotations

import asyncio
import getpass
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from .. import API_NAMESPACE, usage
from ..errors import EngineError, EngineUnavailable, ImageManagerError, ImageNotFound, InvalidRequest
from ..models import Actor, Project, as_json
from ..patience import asked
from . import body

if TYPE_CHECKING:
    from ..manager import ImageManager

T = TypeVar("T")

SETTING = "jupyter_image_manager"
PROBLEM = "jupyter_image_manager_problem"
THREADS = 8
SLOW_THREADS = 4
ACT_THREADS = 8
CODES = {
    400: "invalid_request",
    401: "not_authenticated",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
}
BROKEN = "The server failed at this request, through a fault of its own; its log says more."
ANONYMOUS = re.compile(r"[0-9a-f]{32}")


@cache
def pool() -> ThreadPoolExecutor:
    """Return the threads in which all routes call the service."""
    return ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="image manager")


@cache
def slow_pool() -> ThreadPoolExecutor:
    """Return the threads of routes that ask the engine for what they could do without, for some seconds at most."""
    return ThreadPoolExecutor(max_workers=SLOW_THREADS, thread_name_prefix="image manager, slow")


@cache
def act_pool() -> ThreadPoolExecutor:
    """Return the threads of what cannot be done without the engine, and may hang as long as that does."""
    return ThreadPoolExecutor(max_workers=ACT_THREADS, thread_name_prefix="image manager, acts")


class Encoded(bytes):
    """JSON that a call made itself."""


def encode(value: Any) -> bytes:
    """Return the JSON of what a service call returned."""
    if isinstance(value, Encoded):
        return value
    return json.dumps(value, default=as_json, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(
        "utf-8", "replace"
    )


class ImageManagerHandler(APIHandler):
    """Base of every route."""

    auth_resource = "image_manager"
    slow = False
    """Whether the route asks the engine for something that it can do without."""
    acts: frozenset[str] = frozenset()
    """The verbs that need the engine: no other request ever waits for the threads in which these wait."""

    @property
    def manager(self) -> ImageManager:
        """The service.

        Raises
        ------
        ImageManagerError
            The extension could not be set up; the message says why.
        """
        found: ImageManager | None = self.settings.get(SETTING)
        if found is None:
            raise ImageManagerError(self.settings[PROBLEM])
        return found

    @property
    def actor(self) -> Actor:
        """Who asks.

        A server with only a token knows no names and makes one up in each browser: there the actor is the user
        as whom the server runs, who is also the one that the command line and kernels act as.
        """
        user = self.current_user
        name, shown = str(user.username), str(user.display_name or user.name or user.username)
        if ANONYMOUS.fullmatch(name) and shown.startswith("Anonymous "):
            name = shown = _process_user() or name
        return Actor(name=name, display_name=shown, via="server")

    # Calls
    def call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Awaitable[T]:
        """Call the service in a thread."""
        threads = act_pool() if self.request.method in self.acts else slow_pool() if self.slow else pool()
        return asyncio.get_running_loop().run_in_executor(threads, lambda: function(*args, **kwargs))

    async def answer(self, function: Callable[..., Any], *args: Any, status: int = 200, **kwargs: Any) -> None:
        """Call the service, encode what it returns, both in a thread, and finish."""
        encoded = await self.call(lambda: encode(function(*args, **kwargs)))
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        await self.finish(encoded)

    async def accepted(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Call the service for a build, and say where to look for it."""

        def submit() -> tuple[str, bytes]:
            build = function(*args, **kwargs)
            return build.id, encode(build)

        build_id, encoded = await self.call(submit)
        self.set_status(202)
        self.set_header("Location", self.location("builds", build_id))
        await self.finish(encoded)

    def location(self, *parts: str) -> str:
        """Return the address of a route, with the server's base URL."""
        address: str = url_path_join(self.base_url, API_NAMESPACE, *parts)
        return address

    # Input
    def read(
        self, required: Mapping[str, body.Reader], optional: Mapping[str, body.Reader] | None = None
    ) -> dict[str, Any]:
        """Return the checked values of the body."""
        return body.read(self.request.body, required, optional)

    def word(self, name: str) -> str | None:
        """Return a query argument; None when it is absent or empty."""
        return self.get_query_argument(name, None) or None

    def number(self, name: str, default: int | None, *, least: int, most: int) -> int | None:
        """Return a whole number of the query."""
        words = self.word(name)
        if words is None:
            return default
        if not re.fullmatch(r"[0-9]{1,18}", words, re.ASCII) or not least <= int(words) <= most:
            raise InvalidRequest(
                f"`{name}` should be a whole number from {least} to {most}, not {words[:40]!r}.", {"key": name}
            )
        return int(words)

    def flag(self, name: str) -> bool | None:
        """Return true or false of the query; None when it is absent."""
        words = self.word(name)
        if words is None:
            return None
        if words.lower() not in ("true", "false", "1", "0"):
            raise InvalidRequest(f"`{name}` should be true or false, not {words[:40]!r}.", {"key": name})
        return words.lower() in ("true", "1")

    # Paths
    @property
    def server_root(self) -> Path:
        """The folder that the server shows as its root."""
        return Path(self.settings.get("server_root_dir") or self.manager.root_dir).expanduser()

    def absolute(self, jupyter_path: str) -> str:
        """Return the file or folder that a Jupyter path means.

        Raises
        ------
        InvalidRequest
            It leads out of the server's root.
        """
        parts = jupyter_path.strip("/").split("/")
        if ".." in parts or "\0" in jupyter_path:
            raise InvalidRequest(
                f"{jupyter_path[:80]!r} leads out of the server's root; give a path below it.", {"key": "path"}
            )
        return str(self.server_root.joinpath(*(part for part in parts if part not in ("", "."))))

    # Errors
    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Answer with the status of our own errors."""
        error = kwargs.get("exc_info", (None, None))[1]
        super().send_error(error.status if isinstance(error, ImageManagerError) else status_code, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer ``{"message", "code", "details"}``."""
        error = kwargs.get("exc_info", (None, None))[1]
        reply = {"message": BROKEN, "code": CODES.get(status_code, "internal_error"), "details": {}}
        if isinstance(error, ImageManagerError):
            reply = {"message": error.message, "code": error.code, "details": as_json(error.details)}
        elif isinstance(error, web.HTTPError):
            said = error.log_message % error.args if error.log_message and error.args else error.log_message
            reply["message"] = said or _sentence(status_code)
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(reply, default=str))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log what was refused in one line; only faults of ours with their place."""
        if isinstance(value, ImageManagerError):
            self.log.warning("%s %s: %s", self.request.method, self.request.path, value.message)
        else:
            super().log_exception(typ, value, tb)


def project_json(manager: ImageManager, actor: Actor, project: Project, root: Path, running: Any = None) -> Any:
    """Return a project as JSON, with its active image, its Jupyter path and the kernels that run elsewhere by now.

    Parameters
    ----------
    root : Path
        The server's root.
    running : list of RunningKernel, optional
        The kernels of all projects, where they are known already.
    """
    active = None
    if project.active_image_id is not None:
        try:
            active = manager.images.get(actor, project.active_image_id).as_json()
            active.pop("report", None)
        except ImageNotFound:
            active = None
    kernels = kernels_of(manager, actor, project.id) if running is None else running
    return {
        **as_json(project),
        "active_image": active,
        "jupyter_path": jupyter_path(project.path, root),
        "warnings": [*manager.projects.warnings(project), *usage.warnings(manager, project)],
        "stale_kernels": [kernel.kernel_id for kernel in kernels if kernel.stale and kernel.project_id == project.id],
    }


def kernels_of(manager: ImageManager, actor: Actor, project_id: str | None) -> Any:
    """Return the kernels that run in images; none while the engine does not answer."""
    try:
        return asked(manager.kernels.list, actor, project_id)
    except (EngineError, EngineUnavailable) as error:
        manager.log.debug("Which kernels run is not known: %s", error)
        return []


def jupyter_path(path: str, root: Path) -> str | None:
    """Return a path relative to the server's root; None for one that the server does not show."""
    for folder in (root, root.resolve()):
        try:
            found = Path(path).relative_to(folder).as_posix()
        except ValueError:
            continue
        return "" if found == "." else found
    return None


@cache
def _process_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _sentence(status: int) -> str:
    return {
        403: "You are not signed in, or not allowed to do this; sign in and try again.",
        404: "There is nothing at this address.",
        405: "This address does not know that method.",
    }.get(status, "The request cannot be understood as it is.")
