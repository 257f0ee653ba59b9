"""Routes of communities: their registry and service agent, and where images of a project can be kept."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from .base import ImageManagerHandler
from .body import flag, secret, text


class CommunityHandler(ImageManagerHandler):
    """Base of the routes of communities; no answer ever holds a secret."""

    auth_resource = "image_manager:communities"


class CommunitiesHandler(CommunityHandler):
    """``communities``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List the communities, the personal one first."""
        await self.answer(lambda: {"items": self.manager.communities.list(self.actor)})

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Make a community."""
        name = self.read({"name": text})["name"]
        made = await self.call(self.manager.communities.create, self.actor, name)
        self.set_header("Location", self.location("communities", made.id))
        await self.answer(lambda: made, status=201)


class OneCommunityHandler(CommunityHandler):
    """``communities/{id}``."""

    @web.authenticated
    @authorized
    async def get(self, community_id: str) -> None:
        """Show a community."""
        await self.answer(self.manager.communities.get, self.actor, community_id)

    @web.authenticated
    @authorized
    async def patch(self, community_id: str) -> None:
        """Change a community's name, registry or namespace, or whether its agent is used."""
        values = self.read({}, {"name": text, "registry_host": text, "namespace": text, "agent_enabled": flag})
        await self.answer(self.manager.communities.update, self.actor, community_id, **values)

    @web.authenticated
    @authorized
    async def delete(self, community_id: str) -> None:
        """Forget a community."""
        await self.call(self.manager.communities.delete, self.actor, community_id)
        self.set_status(204)
        await self.finish()


class CommunityAgentHandler(CommunityHandler):
    """``communities/{id}/agent``."""

    @web.authenticated
    @authorized
    async def put(self, community_id: str) -> None:
        """Give the service agent, or its new secret; it is enabled by that."""
        values: dict[str, Any] = self.read({"user": text, "secret": secret})
        await self.answer(
            self.manager.communities.set_agent, self.actor, community_id, values["user"], values["secret"]
        )

    @web.authenticated
    @authorized
    async def delete(self, community_id: str) -> None:
        """Remove the service agent with its secret."""
        await self.answer(self.manager.communities.set_agent, self.actor, community_id, "", "")


class CommunityTestHandler(CommunityHandler):
    """``communities/{id}/test``."""

    slow = True

    @web.authenticated
    @authorized
    async def post(self, community_id: str) -> None:
        """Push, pull and delete a tiny image as the service agent."""
        self.read({})
        await self.answer(lambda: {"items": self.manager.communities.test(self.actor, community_id)})


class ProjectStorageHandler(ImageManagerHandler):
    """``projects/{id}/storage``."""

    auth_resource = "image_manager:projects"

    @web.authenticated
    @authorized
    async def get(self, project_id: str) -> None:
        """Show where images of the project can be kept."""
        await self.answer(self.manager.communities.storage, self.actor, project_id)
