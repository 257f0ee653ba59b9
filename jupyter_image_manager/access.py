"""Who may do what: the table of actions and roles (R50), and the one check.

On a personal server the owner is Admin of everything (R52); who may reach the server at all is its authorizer's matter.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from .errors import NotAllowed

if TYPE_CHECKING:
    from .models import Actor, Project


class Role(IntEnum):
    """Roles in a project, each including the one before."""

    VIEWER = 1
    DEVELOPER = 2
    EDITOR = 3
    ADMIN = 4


ACTIONS: dict[str, Role] = {
    "project.view": Role.VIEWER,
    "project.create": Role.DEVELOPER,
    "project.settings": Role.EDITOR,
    "project.delete": Role.ADMIN,
    "image.view": Role.VIEWER,
    "image.build": Role.DEVELOPER,
    "image.check": Role.DEVELOPER,
    "image.describe": Role.DEVELOPER,
    "image.activate": Role.DEVELOPER,
    "image.delete": Role.DEVELOPER,
    "image.pull": Role.VIEWER,
    "image.optimize": Role.DEVELOPER,
    "image.prune": Role.DEVELOPER,
    "usage.view": Role.VIEWER,
    "kernel.view": Role.VIEWER,
    "kernel.start": Role.VIEWER,
    "command.run": Role.DEVELOPER,
    "doctor.run": Role.VIEWER,
    "retirement.view": Role.VIEWER,
    "retirement.manage": Role.ADMIN,
    "migration.view": Role.VIEWER,
    "community.view": Role.VIEWER,
    "community.create": Role.DEVELOPER,
    "community.settings": Role.ADMIN,
    "community.test": Role.ADMIN,
    "community.delete": Role.ADMIN,
}
"""The least role for each action of the service."""


def role_of(actor: Actor, project: Project | None) -> Role:
    """Return an actor's role in a project: Admin, on a personal server."""
    return Role.ADMIN


def check(actor: Actor, action: str, project: Project | None) -> None:
    """Refuse an action for which the actor's role does not suffice.

    Raises
    ------
    NotAllowed
        Says which role is needed and which the actor has.
    """
    needed, has = ACTIONS[action], role_of(actor, project)
    if has < needed:
        where = f"the project {project.name!r}" if project else "this server"
        raise NotAllowed(
            f"{actor.display_name or actor.name} is {has.name.title()} of {where}; {action} needs "
            f"{needed.name.title()}: ask an Admin of it."
        )
