"""Communities: which registry their images are kept in, as whom, and what that makes possible (R10, R11)."""

from __future__ import annotations

import builtins
import threading
import uuid
from functools import cached_property
from typing import TYPE_CHECKING, Any

from traitlets import Instance
from traitlets.config import LoggingConfigurable

from . import access, reference
from .errors import CommunityNotFound, Conflict, ImageManagerError, InvalidRequest
from .models import Actor, Community, Finding, Project, RegistryAccess, Storage, utcnow
from .registry import address

if TYPE_CHECKING:
    from .manager import ImageManager
    from .registry.agents import ServiceAgents
    from .registry.client import Registry

NAME_LENGTH = 200
AGENT_LENGTH = 256
TRIAL_TIMEOUT = 10.0
SECRET_BYTES = 64 << 10  # service accounts of some clouds sign in with a key file
REPOSITORY_LENGTH = 255


class CommunityService(LoggingConfigurable):
    """Finds, makes and changes communities; the only place where a service agent's secret is opened."""

    manager: ImageManager = Instance("jupyter_image_manager.manager.ImageManager")  # type: ignore[assignment]  # traitlets' descriptor gives the instance

    _trying = threading.Lock()  # two trials at once would delete each other's image

    @cached_property
    def agents(self) -> ServiceAgents:
        """Seals and opens secrets."""
        from .registry.agents import ServiceAgents

        return ServiceAgents(parent=self, manager=self.manager)

    def registry(self, access: RegistryAccess, *, timeout: float | None = None) -> Registry:
        """Return a client of a registry, as the administrator says how it is spoken to; close it after use."""
        from .registry.settings import RegistrySettings

        return RegistrySettings(parent=self).client(access, timeout=timeout)

    # Find
    def of(self, project: Project) -> Community:
        """Return a project's community: the one that was chosen, or its owner's personal one, made on demand."""
        if project.community_id:
            found = self.manager.store.community(project.community_id)
            if found is not None:
                return found
        return self._personal(project.owner)

    def _personal(self, owner: str) -> Community:
        store = self.manager.store
        for name in (owner or "personal", f"{owner or 'personal'} (personal)"):
            found = store.personal_community(owner)
            if found is not None:
                return found
            try:
                return store.add_community(
                    Community(id=uuid.uuid4().hex, name=name, owner=owner, created=utcnow(), personal=True)
                )
            except Conflict as error:
                self.log.debug("The personal community of %r: %s", owner, error)
        found = store.personal_community(owner)
        if found is None:
            raise Conflict(
                f"The personal community of {owner!r} cannot be made: its name is taken; rename the community that "
                "has it."
            )
        return found

    def list(self, actor: Actor) -> list[Community]:
        """Return the communities that an actor may see, their own personal one first."""
        access.check(actor, "community.view", None)
        mine = self._personal(actor.name)
        return [mine, *(one for one in self.manager.store.communities() if one.id != mine.id)]

    def get(self, actor: Actor, community_id: str) -> Community:
        """Return a community by id.

        Raises
        ------
        CommunityNotFound
            There is none.
        """
        access.check(actor, "community.view", None)
        found = self.manager.store.community(community_id)
        if found is None:
            raise CommunityNotFound(
                "There is no such community; list the communities again.", {"community_id": community_id}
            )
        return found

    # Change
    def create(self, actor: Actor, name: str) -> Community:
        """Make a community, without a registry as yet.

        Raises
        ------
        Conflict
            Its name is taken.
        """
        access.check(actor, "community.create", None)
        return self.manager.store.add_community(
            Community(id=uuid.uuid4().hex, name=self._name(name), owner=actor.name, created=utcnow())
        )

    @staticmethod
    def _name(name: str) -> str:
        words = " ".join(name.split())
        if not words or len(words) > NAME_LENGTH or not all(letter.isprintable() for letter in words):
            raise InvalidRequest(f"A community's name has 1 to {NAME_LENGTH} letters on one line.")
        return words

    def update(
        self,
        actor: Actor,
        community_id: str,
        *,
        name: str | None = None,
        registry_host: str | None = None,
        namespace: str | None = None,
        agent_enabled: bool | None = None,
    ) -> Community:
        """Change a community's settings.

        A registry that becomes another one makes the service agent's secret go: it was given for the one before, and
        whoever may name a registry must not learn it that way.
        """
        community = self.get(actor, community_id)
        access.check(actor, "community.settings", None)
        changes: dict[str, Any] = {}
        if name is not None:
            changes["name"] = self._name(name)
            if changes["name"] != community.name:
                self._free(changes["name"])
        if registry_host is not None:
            changes["registry_host"] = address.check_host(registry_host)
        if namespace is not None:
            changes["namespace"] = address.check_namespace(namespace)
        moved = changes.get("registry_host", community.registry_host) != community.registry_host
        if agent_enabled and (moved or not community.agent):
            raise InvalidRequest(
                f"The community {community.name!r} has no service agent to enable"
                f"{' for another registry' if moved else ''}; give its user and secret, which enables it."
            )
        if agent_enabled is not None:
            changes["agent_enabled"] = agent_enabled
        if moved and community.agent:
            self._forget(community)
        return self.manager.store.set_community(community.id, **changes) if changes else community

    def _free(self, name: str) -> None:
        if any(one.name == name for one in self.manager.store.communities()):
            raise Conflict(f"There is already a community {name!r}; choose another name.")

    def set_agent(self, actor: Actor, community_id: str, user: str, secret: str) -> Community:
        """Give a community its service agent, and enable it; an empty secret removes the agent.

        The next push, pull or look-up uses the new secret: nothing is started again.
        """
        community = self.get(actor, community_id)
        access.check(actor, "community.settings", None)
        if not secret:
            return self._forget(community)
        if not community.registry_host:
            raise InvalidRequest(
                f"The community {community.name!r} has no registry; set its host before its service agent."
            )
        if not user or len(user) > AGENT_LENGTH or not user.isprintable() or ":" in user:
            raise InvalidRequest(
                f"The user of a service agent has 1 to {AGENT_LENGTH} letters on one line, without a colon."
            )
        if len(secret.encode()) > SECRET_BYTES or "\0" in secret:
            raise InvalidRequest(f"The secret of a service agent has at most {SECRET_BYTES >> 10} KiB of text.")
        before = self.manager.store.sealed_secret(community.id)
        sealed = self.agents.seal(community, user, secret)
        changed = self.manager.store.set_agent(community.id, user, sealed, enabled=True)
        if before and before != sealed:
            self.agents.forget(before)
        return changed

    def _forget(self, community: Community) -> Community:
        sealed = self.manager.store.sealed_secret(community.id)
        changed = self.manager.store.set_agent(community.id, "", "", enabled=False)
        if sealed:
            self.agents.forget(sealed)
        return changed

    def delete(self, actor: Actor, community_id: str) -> None:
        """Forget a community with its secret; nothing changes in its registry.

        Raises
        ------
        Conflict
            It is a personal one, or has projects or published images.
        """
        community = self.get(actor, community_id)
        access.check(actor, "community.delete", None)
        if community.personal:
            raise Conflict(
                f"{community.name!r} is a personal community, which everybody has; clear its settings instead."
            )
        sealed = self.manager.store.sealed_secret(community.id)
        self.manager.store.delete_community(community.id)
        if sealed:
            self.agents.forget(sealed)

    # Use
    def access(self, community: Community) -> RegistryAccess | None:
        """Return where a community's images are kept and as whom; None when it has no registry to use.

        The one place where a secret is opened. It is read anew each time: a rotated one holds at once.

        Raises
        ------
        StoreError
            The secret cannot be opened.
        """
        if not community.has_registry:
            return None
        sealed = self.manager.store.sealed_secret(community.id)
        return RegistryAccess(
            host=community.registry_host,
            namespace=community.namespace,
            username=community.agent,
            secret=self.agents.open(community, sealed),
        )

    def test(self, actor: Actor, community_id: str) -> builtins.list[Finding]:
        """Push, pull and delete a tiny image as the service agent; name the right that is missing."""
        community = self.get(actor, community_id)
        access.check(actor, "community.test", None)
        title = f"Registry of {community.name}"
        lacks = self._lacks(community)
        if lacks:
            return [Finding("registry", title, "warning", lacks, "Set it with `jupyter image community set`.")]
        try:
            opened = self.access(community)
        except ImageManagerError as error:
            return [Finding("registry", title, "error", error.message)]
        assert opened is not None  # noqa: S101 - nothing lacks
        from .registry import trial

        repository = "/".join(part for part in (community.namespace, trial.REPOSITORY) if part)
        words = f"{self.manager.store.installation_id()} {community.id}"
        with self._trying, self.registry(opened, timeout=TRIAL_TIMEOUT) as registry:
            return list(trial.trial(self.manager, registry, opened, repository, words))

    @staticmethod
    def _lacks(community: Community) -> str:
        """Return the sentence on what a community's administrator must set before images can be kept in a registry."""
        where = f"the community {community.name!r}"
        if not community.registry_host:
            return (
                f"Images of {where} cannot be kept in a registry: its administrator must set a registry and a "
                "service agent."
            )
        if address.is_docker_hub(community.registry_host) and not community.namespace:
            return (
                f"Images of {where} cannot be kept in Docker Hub: its administrator must set the namespace, a user or "
                "an organisation there."
            )
        if not community.agent:
            return (
                f"Images of {where} cannot be kept in {community.registry_host}: its administrator must give a service "
                "agent (user and secret) that may push there."
            )
        if not community.agent_enabled:
            return (
                f"Images of {where} cannot be kept in {community.registry_host}: its administrator must enable the "
                f"service agent {community.agent!r}."
            )
        return ""

    def storage(self, actor: Actor, project_id: str) -> dict[str, Any]:
        """Return where images of a project can be kept, which way is the default, and why one is not there (R10)."""
        project = self.manager.projects.get(actor, project_id)
        community = self.of(project)
        lacks = self._lacks(community)
        where = "/".join(part for part in (community.registry_host, community.namespace) if part)
        return {
            "default": (Storage.LOCAL if lacks else Storage.REGISTRY).value,
            "choices": [
                {
                    "storage": Storage.REGISTRY.value,
                    "available": not lacks,
                    "reason": lacks,
                    "note": ""
                    if lacks
                    else f"Pushed to {where} after a successful check; others can pull it from there.",
                },
                {
                    "storage": Storage.LOCAL.value,
                    "available": True,
                    "reason": "",
                    "note": "Kept on this machine only, never uploaded; deleting it is final.",
                },
            ],
        }

    def choose(self, project: Project, storage: Storage | None) -> Storage:
        """Return where a new image of a project is kept: what was asked for, or the default (R10).

        Raises
        ------
        InvalidRequest
            A registry was asked for; the sentence names what the community's administrator must set.
        """
        if storage is Storage.LOCAL:
            return storage
        lacks = self._lacks(self.of(project))
        if not lacks:
            return Storage.REGISTRY
        if storage is Storage.REGISTRY:
            raise InvalidRequest(lacks)
        return Storage.LOCAL

    def repository(self, project: Project, name: str) -> str:
        """Return where an image of a project is pushed: ``host/namespace/project/name`` (R11).

        The project's part ends with the beginning of its id: two projects of one name are two. Docker Hub knows no
        path below its namespace, so there project and name are one word.

        Raises
        ------
        InvalidRequest
            The community has no registry, or the path would be too long for one.
        """
        community = self.of(project)
        lacks = self._lacks(community)
        if lacks:
            raise InvalidRequest(lacks)
        parts = [f"{reference.slug(project.name)}-{project.id[:8]}", reference.check_name(name)]
        if address.is_docker_hub(community.registry_host):
            parts = ["-".join(parts)]
        path = "/".join(part for part in (community.namespace, *parts) if part)
        if len(path) > REPOSITORY_LENGTH:
            raise InvalidRequest(
                f"The repository {path!r} would be longer than the {REPOSITORY_LENGTH} letters that registries take; "
                "choose a shorter name, or a shorter namespace of the community."
            )
        return f"{community.registry_host}/{path}"
