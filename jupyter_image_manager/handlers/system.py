"""Routes of the whole: templates, system images, kernels, the doctor, the state of things."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from .. import __version__, machine_room
from ..errors import ImageManagerError
from ..models import Actor
from ..patience import asked
from ..templates.conda import read_environment
from .base import ImageManagerHandler
from .body import parse, read, text

SPEC = Path(__file__).parent.parent / "rest-api.yml"
VERSION = "0.0.0-package"
"""What stands for the package's version in the file: there is one place for versions, and it is not that."""


class SystemHandler(ImageManagerHandler):
    """Base of the routes that belong to no project."""

    auth_resource = "image_manager:system"


class TemplatesHandler(SystemHandler):
    """``templates``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List the ready-made Dockerfiles."""
        await self.answer(lambda: {"items": self.manager.builds.templates()})


class RenderHandler(SystemHandler):
    """``templates/render``."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Show the Dockerfile that a template's choices give; the template names the wrong choice itself."""
        choices = parse(self.request.body)
        await self.answer(lambda: {"dockerfile": self.manager.builds.render_template(choices)})


class ParseHandler(SystemHandler):
    """``templates/parse``."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Show the choices that give a Dockerfile; null when it is no template's."""
        dockerfile = read(self.request.body, {"dockerfile": text})["dockerfile"]
        await self.answer(lambda: {"choices": self.manager.builds.parse_template(dockerfile)})


class EnvironmentHandler(SystemHandler):
    """``templates/environment``."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Show what of a conda environment.yml a template can take over."""
        await self.answer(read_environment, read(self.request.body, {"text": text})["text"])


class PackageVersionsHandler(SystemHandler):
    """``package-versions``."""

    slow = True

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List the versions of a package that builds could install."""
        wanted = self.word("name") or "", self.word("python") or ""
        builds = self.manager.builds
        await self.answer(lambda: {"items": builds.package_versions(*wanted)})


class LintHandler(SystemHandler):
    """``lint``."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Remark on a Dockerfile."""
        values = read(self.request.body, {"project_id": text, "dockerfile": text}, {"context": text})
        wanted = (values["project_id"], values["dockerfile"], values.get("context"))
        await self.answer(lambda: {"items": self.manager.builds.lint(self.actor, *wanted)})


class SystemImagesHandler(SystemHandler):
    """``system-images``."""

    slow = True

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List what every project can activate."""
        await self.answer(lambda: {"items": self.manager.images.system_images(self.actor)})


class KernelsHandler(SystemHandler):
    """``kernels``."""

    auth_resource = "image_manager:kernels"
    slow = True

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List all kernels that run in images."""
        await self.answer(lambda: {"items": asked(self.manager.kernels.list, self.actor)})


class DoctorHandler(SystemHandler):
    """``doctor``."""

    acts = frozenset({"GET"})  # it bounds its own time, and may be asked by many at once

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Look for what users could stumble over."""
        await self.answer(lambda: {"items": self.manager.doctor.run(self.actor, self.word("project"))})


class StatusHandler(SystemHandler):
    """``status``."""

    slow = True

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Say who we are and whether the parts that we need are there; answers also when they are not."""
        await self.answer(self._status, self.actor)

    def _status(self, actor: Actor) -> dict[str, Any]:
        engine: dict[str, Any] = {"ok": True, "message": "", "version": "", "builder": "", "architecture": ""}
        engine.update(memory=None, memory_in_use=None, cpus=None, gpus=[], gpu_devices=[])
        store: dict[str, Any] = {"ok": True, "message": ""}
        active = 0
        try:
            info = asked(lambda: self.manager.engine.info())
            engine.update(version=info.version, builder=info.builder, architecture=info.architecture)
            engine.update(memory=info.memory or None, cpus=info.cpus or None, gpus=list(info.gpus))
            engine.update(memory_in_use=machine_room.memory_in_use(info.memory))
            # Where the engine cannot give them to a container, their names help nobody.
            engine.update(gpu_devices=list(machine_room.gpus()) if info.gpus else [])
        except ImageManagerError as error:
            engine.update(ok=False, message=error.message)
        try:
            active = len(self.manager.builds.list(actor, active=True))
        except ImageManagerError as error:
            store.update(ok=False, message=error.message)
        return {
            "version": __version__,
            "engine": engine,
            "store": store,
            "active_builds": active,
            "kernels": self._limits(),
            "user": {"name": actor.name, "display_name": actor.display_name},
        }

    def _limits(self) -> dict[str, Any]:
        """Return what kernels may use; nothing is known of it where the service could not be made."""
        names = ("memory", "cpus", "processes", "shm_size", "max_memory", "max_cpus")
        try:
            limits = self.manager.kernels.limits()
        except ImageManagerError:
            return {**dict.fromkeys(names), "networks": [], "mounts": []}
        found = {name: getattr(limits, name) for name in names}
        return {**found, "networks": list(limits.networks), "mounts": list(limits.mounts)}


class LastChangeHandler(SystemHandler):
    """``last-change``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Say how far the changes have come, for pages that events do not reach."""
        await self.answer(lambda: {"sequence": self.manager.last_change(self.actor)})


class SpecHandler(SystemHandler):
    """``spec.yaml``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Give the description of this API."""
        self.write(await self.call(_spec))
        await self.finish(set_content_type="application/yaml")


@cache
def _spec() -> bytes:
    return SPEC.read_text(encoding="utf-8").replace(VERSION, __version__, 1).encode()
