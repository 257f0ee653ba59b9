"""Routes of projects: the folders, their active image, what belongs to them."""

from __future__ import annotations

from itertools import islice
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..errors import InvalidRequest
from ..models import Actor, ImageState, Project
from ..patience import asked
from .base import Encoded, ImageManagerHandler, encode, kernels_of, project_json
from .body import flag, mapping, nullable, text

PAGE = 200
LONGEST_PAGE = 2000
AT_ONCE = 50


class ProjectHandler(ImageManagerHandler):
    """Base of the routes that answer with projects."""

    auth_resource = "image_manager:projects"

    def shown(self, project: Project) -> Any:
        """Return a project's JSON; to be called in a thread."""
        return project_json(self.manager, self.actor, project, self.server_root)


class ProjectsHandler(ProjectHandler):
    """``projects``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List the projects, or find the nearest one of a path."""
        actor, path = self.actor, self.get_query_argument("path", None, strip=False)
        if path is not None:
            await self.answer(self._nearest, actor, self.absolute(path))
        else:
            await self.answer(self._all, actor)

    def _nearest(self, actor: Actor, path: str) -> Any:
        project = self.manager.projects.enclosing(actor, path)
        return None if project is None else self.shown(project)

    def _all(self, actor: Actor) -> Any:
        projects = self.manager.projects.list(actor)
        running = kernels_of(self.manager, actor, None) if projects else []
        root = self.server_root
        return {"items": [project_json(self.manager, actor, project, root, running) for project in projects]}

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Make a folder a project."""
        values = self.read({"path": text}, {"name": text, "nested": flag})
        actor, path = self.actor, self.absolute(values.pop("path"))
        project = await self.call(self.manager.projects.create, actor, path, **values)
        self.set_header("Location", self.location("projects", project.id))
        await self.answer(self.shown, project, status=201)


class OneProjectHandler(ProjectHandler):
    """``projects/{id}``."""

    acts = frozenset({"DELETE"})

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """Show a project."""
        await self.answer(lambda: self.shown(self.manager.projects.get(self.actor, project_id)))

    @web.authenticated
    @authorized
    async def patch(self, project_id: str) -> None:
        """Change a project's name, run settings or community."""
        values = self.read({}, {"name": text, "run_settings": mapping, "community_id": text})
        await self.answer(lambda: self.shown(self.manager.projects.update(self.actor, project_id, **values)))

    @web.authenticated
    @authorized
    async def delete(self, project_id: str) -> None:
        """Make the folder an ordinary one."""
        images = bool(self.flag("delete_images"))
        await self.call(self.manager.projects.delete, self.actor, project_id, delete_images=images)
        self.set_status(204)
        await self.finish()


class ProjectImagesHandler(ImageManagerHandler):
    """``projects/{id}/images``."""

    auth_resource = "image_manager:images"

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """List a project's images, newest first, a page at a time."""
        words = self.word("state")
        try:
            state = ImageState(words) if words else None
        except ValueError:
            states = ", ".join(each.value for each in ImageState)
            raise InvalidRequest(f"`state` should be one of {states}.", {"key": "state"}) from None
        limit = self.number("limit", PAGE, least=1, most=LONGEST_PAGE) or PAGE
        search, after = self.word("search") or "", self.word("after")
        await self.answer(self._page, project_id, state, search, after, limit)

    def _page(self, project_id: str, state: ImageState | None, search: str, after: str | None, limit: int) -> Encoded:
        each = self.manager.images.each(
            self.actor, project_id, state=state, search=search, after=after, limit=limit + 1
        )
        # Some are text before the next are made: a long list is then no long-lived heap of small objects.
        page, last, left = [], "", limit
        while some := [*islice(each, min(left, AT_ONCE))]:
            page.append(encode([summary.as_json() for summary in some])[1:-1])
            last = some[-1].image.id
            left -= len(some)
        more = encode(last if next(each, None) is not None else None)
        return Encoded(b'{"items":[' + b",".join(page) + b'],"next":' + more + b"}")


class ActiveImageHandler(ProjectHandler):
    """``projects/{id}/active-image``."""

    auth_resource = "image_manager:images"
    acts = frozenset({"PUT"})

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """Show the active image; null for the server environment."""
        await self.answer(lambda: self.shown(self.manager.projects.get(self.actor, project_id))["active_image"])

    @web.authenticated
    @authorized
    async def put(self, project_id: str) -> None:
        """Activate an image; one that was never checked is checked first, and then activated by that check."""
        image_id = self.read({"image_id": nullable(text)})["image_id"]
        check = await self.call(self.manager.images.check_first, self.actor, project_id, image_id)
        if check is not None:
            await self.accepted(lambda: check)
            return
        await self.answer(lambda: self.shown(self.manager.images.activate(self.actor, project_id, image_id)))

    @web.authenticated
    @authorized
    async def delete(self, project_id: str) -> None:
        """Go back to the server environment."""
        await self.answer(lambda: self.shown(self.manager.images.activate(self.actor, project_id, None)))


class ProjectKernelsHandler(ImageManagerHandler):
    """``projects/{id}/kernels``."""

    auth_resource = "image_manager:kernels"
    slow = True

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """List the project's kernels that run in images."""
        actor = self.actor

        def kernels() -> Any:
            self.manager.projects.get(actor, project_id)
            return {"items": asked(self.manager.kernels.list, actor, project_id)}

        await self.answer(kernels)


class ProjectUsageHandler(ImageManagerHandler):
    """``projects/{id}/usage``."""

    auth_resource = "image_manager:images"
    slow = True

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """Show what the project's images take."""
        await self.answer(self.manager.images.usage, self.actor, project_id)


class NotebookHandler(ImageManagerHandler):
    """``notebook``."""

    auth_resource = "image_manager:images"

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Show what a notebook remembers of the image it last ran in."""
        path = self.get_query_argument("path", strip=False)
        await self.answer(self.manager.kernels.remembered, self.actor, self.absolute(path))
