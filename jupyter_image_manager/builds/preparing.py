"""Help before a build: what would be sent, what will bite, ready-made Dockerfiles."""

from __future__ import annotations

import builtins
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Instance
from traitlets.config import Configurable

from .. import access
from ..models import Actor, ContextPreview
from ..package_index import versions
from .context import Context
from .ignoring import ignore
from .settings import BuildSettings

if TYPE_CHECKING:
    from ..manager import ImageManager
    from ..requirements import Checker
    from ..templates import TemplateCatalog


class Preparing(Configurable):
    """The half of :class:`.service.BuildService` that starts nothing."""

    _manager = Instance("jupyter_image_manager.manager.ImageManager")

    def __init__(self, *, manager: ImageManager, **kwargs: Any) -> None:
        super().__init__(_manager=manager, **kwargs)

    @property
    def manager(self) -> ImageManager:
        """The service that this is a part of."""
        found: ImageManager = self._manager
        return found

    @cached_property
    def settings(self) -> BuildSettings:
        """The administrator's settings for every build."""
        return BuildSettings(parent=self.manager)

    @cached_property
    def catalog(self) -> TemplateCatalog:
        """The ready-made Dockerfiles."""
        from ..base_image import recorded
        from ..templates import TemplateCatalog

        catalog = TemplateCatalog(parent=self.manager)
        catalog.local_bases = lambda: recorded(self.manager.data_path)
        return catalog

    @cached_property
    def checker(self) -> Checker:
        """The check of images."""
        from ..requirements import Checker

        return Checker(parent=self.manager, manager=self.manager)

    def preview_context(self, actor: Actor, project_id: str, context: str | None) -> ContextPreview:
        """Return what would be sent as a build's context (R3)."""
        project = self.manager.projects.get(actor, project_id)
        access.check(actor, "image.view", project)
        return Context(Path(project.path), context).survey(self.settings.context_limit)[0]

    def ignore(
        self, actor: Actor, project_id: str, path: str, context: str | None = None, *, ignored: bool = True
    ) -> ContextPreview:
        """Leave a file out of a context by its .dockerignore, or take that back; return what would be sent then."""
        project = self.manager.projects.get(actor, project_id)
        access.check(actor, "image.build", project)
        ignore(Context(Path(project.path), context).folder, path, ignored=ignored)
        return self.preview_context(actor, project_id, context)

    def lint(
        self, actor: Actor, project_id: str, dockerfile: str, context: str | None = None
    ) -> builtins.list[dict[str, Any]]:
        """Return what will bite in a Dockerfile with this context, each with its cure and the edit that does it."""
        from ..mends import remarks

        project = self.manager.projects.get(actor, project_id)
        access.check(actor, "image.view", project)
        files = Context(Path(project.path), context) if project.found else None
        return remarks(dockerfile, files=files, versions=self.checker.versions)

    def templates(self) -> builtins.list[dict[str, Any]]:
        """Return the ready-made Dockerfiles with their choices."""
        return self.catalog.list()

    def render_template(self, choices: dict[str, Any]) -> str:
        """Return the Dockerfile of a template with these choices."""
        return self.catalog.render(choices).dockerfile

    def package_versions(self, name: str, python: str = "") -> tuple[str, ...]:
        """Return the versions that the index of builds has of a package, newest first."""
        return versions(name, python, environment=self.settings.run_environment())

    def parse_template(self, dockerfile: str) -> dict[str, Any] | None:
        """Return the choices that give exactly this Dockerfile; None when it is no template's any more."""
        return self.catalog.parse(dockerfile)
