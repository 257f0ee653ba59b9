"""What every command works with: the service, who acts, where, and how to write."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..models import Actor, ImageSummary, Project
from .output import Console

if TYPE_CHECKING:
    from ..manager import ImageManager


class WrongUsage(Exception):
    """The words of the call are off: exit code 2."""


@dataclass
class Context:
    """One run of the command line."""

    args: argparse.Namespace
    console: Console
    overrides: list[str] = field(default_factory=list)

    @cached_property
    def manager(self) -> ImageManager:
        """The service, configured as the server's."""
        from ..manager import ImageManager
        from .config import load_config

        return ImageManager(config=load_config(self.overrides))

    @cached_property
    def actor(self) -> Actor:
        """Who runs the command."""
        name = getpass.getuser()
        return Actor(name=name, display_name=name, via="cli")

    @property
    def folder(self) -> Path:
        """The folder that ``--project`` names, or the current one."""
        return Path(self.args.project or ".").expanduser().absolute()

    def project(self) -> Project:
        """Return the nearest project of the folder.

        Raises
        ------
        ProjectNotFound
            When no project encloses it.
        """
        return self.manager.projects.require(self.actor, str(self.folder))

    @contextmanager
    def project_or_new(self) -> Iterator[Project]:
        """Give the nearest project; make the folder one when there is none, unless what follows is refused."""
        found = self.manager.projects.enclosing(self.actor, str(self.folder))
        if found is not None and not (found.is_default and Path(found.path) != self.folder.resolve()):
            yield found
            return
        made = self.manager.projects.create(self.actor, str(self.folder))
        try:
            yield made
        except BaseException:
            self.manager.projects.delete(self.actor, made.id)
            raise
        self.console.note(f"{made.path} is now the project {made.name!r}.")

    def image(self, text: str, project: Project | None = None) -> ImageSummary:
        """Return the image that ``NAME``, ``NAME:VERSION`` or an id means in the project."""
        return self.manager.images.find(self.actor, (project or self.project()).id, text)

    def close(self) -> None:
        """Let go of the service, if it was used."""
        if "manager" in self.__dict__:
            self.manager.close()
