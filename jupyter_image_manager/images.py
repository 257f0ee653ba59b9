"""Images of projects: look up, activate, compare, delete."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from traitlets import Instance
from traitlets.config import LoggingConfigurable

from . import access, lifecycle
from .engine.port import LABEL
from .errors import (
    Conflict,
    EngineUnavailable,
    ImageInUse,
    ImageNotFound,
    ImageUnusable,
    InvalidRequest,
    NeedsConfirmation,
    NotFound,
    QuotaExceeded,
)
from .models import (
    Actor,
    DeletionPreview,
    Image,
    ImageState,
    ImageSummary,
    Package,
    PackageDiff,
    Project,
    Recipe,
    RunningKernel,
)
from .reference import parse_spec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .manager import ImageManager

ID_PREFIX = 6
SERVER_ENVIRONMENT = "server-environment"
"""Id under which the way back, no image at all, stands among the system images (R55)."""


class ImageService(LoggingConfigurable):
    """What may be done with an image that exists. None of it changes its content (R7)."""

    manager: ImageManager = Instance("jupyter_image_manager.manager.ImageManager")

    # Look
    def list(
        self,
        actor: Actor,
        project_id: str,
        *,
        state: ImageState | None = None,
        search: str = "",
        after: str | None = None,
        limit: int | None = None,
    ) -> list[ImageSummary]:
        """Return a project's images, newest first, without their reports."""
        project = self.manager.projects.get(actor, project_id)
        access.check(actor, "image.view", project)
        images = self.manager.store.images(project_id, state=state, search=search, after=after, limit=limit)
        return self._summaries(images, {project_id: project})

    def get(self, actor: Actor, image_id: str) -> ImageSummary:
        """Return an image with its report.

        Raises
        ------
        ImageNotFound
            There is none with this id.
        """
        image = self.manager.store.image(image_id)
        if image is None:
            raise ImageNotFound("There is no such image; list the images again.", {"image_id": image_id})
        project = self._project(image)
        access.check(actor, "image.view", project)
        return self._summaries([image], {image.project_id: project})[0]

    def _project(self, image: Image) -> Project | None:
        return self.manager.store.project(image.project_id)

    def _summaries(self, images: Iterable[Image], projects: dict[str, Project | None]) -> list[ImageSummary]:
        running = self._running_kernels()
        found = []
        for image in images:
            project = projects.get(image.project_id)
            found.append(
                ImageSummary(
                    image=image,
                    project=project.name if project else "",
                    active=project is not None and project.active_image_id == image.id,
                    warnings=self._warnings(image),
                    running_kernels=running.get(image.id, 0),
                )
            )
        return found

    @staticmethod
    def _warnings(image: Image) -> tuple[str, ...]:
        warnings = []
        if image.state is ImageState.MISSING:
            warnings.append("It is no longer in the engine: build it again from its recipe.")
        if image.report is not None:
            warnings += [item.message or item.title for item in image.report.items if not item.ok and not item.required]
        return tuple(warnings)

    def _running_kernels(self) -> dict[str, int]:
        """Return how many kernels run in each image; nothing when the engine cannot be asked."""
        count: dict[str, int] = {}
        try:
            for kernel in self._kernels():
                count[kernel.image_id] = count.get(kernel.image_id, 0) + 1
        except EngineUnavailable:
            return {}
        return count

    def _kernels(self) -> list[RunningKernel]:
        return self.manager.kernels.list(self.manager.system_actor())

    def find(self, actor: Actor, project_id: str, text: str) -> ImageSummary:
        """Return the image that ``NAME`` (its newest ready version), ``NAME:VERSION`` or an id means.

        Raises
        ------
        ImageNotFound
            Says which versions or names there are.
        """
        if len(text) >= ID_PREFIX and all(c in "0123456789abcdef" for c in text):
            ids = self.manager.store.find_image_ids(text)
            if len(ids) == 1:
                return self.get(actor, ids[0])
        project = self.manager.projects.get(actor, project_id)
        access.check(actor, "image.view", project)
        name, version = parse_spec(text)
        versions = self.manager.store.images_named(project_id, name)
        if not versions:
            raise self._no_such_name(project, name)
        if version is not None:
            for image in versions:
                if image.version == version:
                    return self.get(actor, image.id)
            there = ", ".join(str(image.version) for image in reversed(versions))
            raise ImageNotFound(f"{name!r} has no version {version}; it has: {there}.")
        ready = [image for image in versions if image.state is ImageState.READY]
        if not ready:
            raise ImageNotFound(
                f"{name!r} has no ready version (its newest, {versions[0].spec}, is {versions[0].state.value}); "
                f"name a version, for example {versions[0].spec}."
            )
        return self.get(actor, ready[0].id)

    def _no_such_name(self, project: Project, name: str) -> ImageNotFound:
        names = sorted({image.name for image in self.manager.store.images(project.id)})
        near = get_close_matches(name, names, n=3)
        if near:
            hint = f"did you mean {' or '.join(near)}?"
        elif names:
            hint = f"there are: {', '.join(names[:8])}{' …' if len(names) > 8 else ''}."
        else:
            hint = f"it has none yet; build one with `jupyter image build {name}`."
        return ImageNotFound(f"The project {project.name!r} has no image {name!r}; {hint}")

    def recipe(self, actor: Actor, image_id: str) -> Recipe:
        """Return what an image is built from."""
        image = self.get(actor, image_id).image
        recipe = self.manager.store.recipe(image.recipe_id)
        if recipe is None:
            raise NotFound(f"The recipe of {image.spec} is not kept.")
        return recipe

    def packages(self, actor: Actor, image_id: str) -> tuple[Package, ...]:
        """Return the Python packages in an image, by name."""
        image = self.get(actor, image_id).image
        if image.report is None:
            raise Conflict(f"{image.spec} has not been checked yet; run `jupyter image check {image.spec}`.")
        return tuple(sorted(image.report.packages, key=lambda package: package.name.lower()))

    def diff(self, actor: Actor, old_id: str, new_id: str) -> PackageDiff:
        """Return what differs between the packages of two images."""
        old = {p.name.lower(): p for p in self.packages(actor, old_id)}
        new = {p.name.lower(): p for p in self.packages(actor, new_id)}
        return PackageDiff(
            added=tuple(new[name] for name in sorted(new.keys() - old.keys())),
            removed=tuple(old[name] for name in sorted(old.keys() - new.keys())),
            changed=tuple(
                (new[name].name, old[name].version, new[name].version)
                for name in sorted(old.keys() & new.keys())
                if old[name].version != new[name].version
            ),
        )

    # Change what may change
    def update(
        self, actor: Actor, image_id: str, *, description: str | None = None, labels: dict[str, str] | None = None
    ) -> ImageSummary:
        """Change the words about an image; its content never changes."""
        image = self.get(actor, image_id).image
        access.check(actor, "image.describe", self._project(image))
        changes: dict[str, Any] = {}
        if description is not None:
            if len(description) > 2000:
                raise InvalidRequest("A description has at most 2000 letters.")
            changes["description"] = description
        if labels is not None:
            changes["labels"] = dict(labels)
        if changes:
            self.manager.store.set_image(image_id, **changes)
        return self.get(actor, image_id)

    # Activate
    def usable(self, image: Image) -> None:
        """Refuse an image that cannot run kernels; asks the engine, and remembers what it says (R48).

        Raises
        ------
        ImageUnusable
            Says why, and what to do.
        EngineUnavailable
            The engine cannot be asked.
        """
        engine = self.manager.engine
        if image.state in (ImageState.READY, ImageState.MISSING) and image.engine_image:
            try:
                held = engine.inspect_image(image.engine_image)
            except ImageNotFound:
                if image.state is ImageState.READY:
                    image = self.manager.store.set_image(image.id, state=ImageState.MISSING)
            else:
                if image.state is ImageState.MISSING:
                    image = self.manager.store.set_image(image.id, state=ImageState.READY)
                machine = engine.info().architecture
                if held.architecture != machine:
                    raise ImageUnusable(
                        f"{image.spec} is made for {held.architecture} and this machine is {machine}; "
                        "build it again from its recipe here."
                    )
        why = lifecycle.why_unusable(image)
        if why is not None:
            raise ImageUnusable(why, {"image_id": image.id, "state": image.state.value})

    def activate(self, actor: Actor, project_id: str, image_id: str | None) -> Project:
        """Make an image the one in which the project's kernels run; None goes back to the server's environment."""
        project = self.manager.projects.get(actor, project_id)
        access.check(actor, "image.activate", project)
        if image_id == SERVER_ENVIRONMENT:
            image_id = None
        if image_id is not None:
            image = self.get(actor, image_id).image
            if image.project_id != project.id and not image.system:
                raise ImageUnusable(f"{image.spec} belongs to another project; build or import it in this one.")
            self.usable(image)
        if project.active_image_id == image_id:
            return project
        if not project.found:
            raise Conflict(
                f"The folder {project.path} of the project {project.name!r} is not there; say where it is now with "
                f"`jupyter image project relocate {project.id[:8]} DIR`."
            )
        return self.manager.store.put_project(
            replace(project, active_image_id=image_id, previous_image_id=project.active_image_id)
        )

    def undo_activation(self, actor: Actor, project_id: str) -> Project:
        """Go back to what was active before."""
        project = self.manager.projects.get(actor, project_id)
        previous = project.previous_image_id
        if previous is not None and self.manager.store.image(previous) is None:
            raise Conflict("What was active before has been deleted; activate another image.")
        return self.activate(actor, project_id, previous)

    # Delete
    def deletion(self, actor: Actor, image_id: str) -> DeletionPreview:
        """Say what deleting an image would do: who uses it, and how many bytes it really frees (R24)."""
        summary = self.get(actor, image_id)
        image = summary.image
        users = [
            f"active in the project {project.name!r}"
            for project in self.manager.store.projects()
            if project.active_image_id == image_id
        ]
        users += [
            f"kernel {kernel.kernel_id[:8]} runs in it" + (f" ({kernel.notebook})" if kernel.notebook else "")
            for kernel in self._kernels()
            if kernel.image_id == image_id
        ]
        if image.state is ImageState.BUILDING:
            users.append("it is being built")
        return DeletionPreview(
            image_id=image_id,
            allowed=not users,
            final=bool(image.engine_image),
            frees=self._frees(image),
            used_by=tuple(users),
            reason=f"{image.spec} is in use: {'; '.join(users)}." if users else "",
        )

    def _frees(self, image: Image) -> int:
        """Return the bytes that only this image holds: layers that no other image of ours shares."""
        if not image.engine_image:
            return 0
        engine = self.manager.engine
        labels = {f"{LABEL}.installation": self.manager.store.installation_id()}
        try:
            mine = engine.layers(image.engine_image)
            others = [held for held in engine.list_images(labels) if held.id != image.engine_image]
            same = any(
                other.engine_image == image.engine_image and other.id != image.id
                for other in self.manager.store.images(image.project_id)
            )
        except ImageNotFound:
            return 0
        if same:
            return 0
        shared = 0
        for held in others:
            common = 0
            for a, b in zip(mine, engine.layers(held.id), strict=False):
                if a != b:
                    break
                common += a.size
            shared = max(shared, common)
        # What was there before our first layer is the base: it stays for other builds.
        return max(0, sum(layer.size for layer in mine) - shared)

    def delete(self, actor: Actor, image_id: str, *, confirm: bool = False) -> None:
        """Delete an image. Its build's log stays; its version number never comes again.

        Raises
        ------
        ImageInUse
            It is active, running or being built; says where.
        NeedsConfirmation
            What is deleted from this machine cannot be had again but by building.
        """
        image = self.get(actor, image_id).image
        access.check(actor, "image.delete", self._project(image))
        preview = self.deletion(actor, image_id)
        if not preview.allowed:
            raise ImageInUse(f"{preview.reason} Change that first.", {"used_by": list(preview.used_by)})
        if preview.final and not confirm:
            raise NeedsConfirmation(f"Deleting {image.spec} is final; confirm it.", {"frees": preview.frees})
        if image.reference:
            self.manager.engine.remove_image(image.reference)
        self.manager.store.delete_image(image_id)

    # The rest of the list
    def system_images(self, actor: Actor) -> list[dict[str, Any]]:
        """Return what every project can activate; first the server's own environment (R55)."""
        access.check(actor, "image.view", None)
        import platform

        first = {
            "id": SERVER_ENVIRONMENT,
            "name": "Server environment",
            "python_version": platform.python_version(),
            "description": "No image: kernels run in the Jupyter server's own environment.",
        }
        return [first, *(s.as_json() for s in self._summaries(self.manager.store.images(None), {}))]

    def check_quota(self, project: Project) -> None:
        """Refuse a new image above the administrator's quotas; the message has the present use (R54)."""
        policy = self.manager.policy
        images = self.manager.store.images(project.id)
        if policy.max_images and len(images) >= policy.max_images:
            raise QuotaExceeded(
                f"The project {project.name!r} has {len(images)} of {policy.max_images} images; delete one first.",
                {"images": len(images), "max_images": policy.max_images},
            )
        used = sum(image.size for image in images)
        if policy.max_bytes and used >= policy.max_bytes:
            raise QuotaExceeded(
                f"The images of the project {project.name!r} take {used / 1e9:.1f} of {policy.max_bytes / 1e9:.1f} GB; "
                "delete one first.",
                {"bytes": used, "max_bytes": policy.max_bytes},
            )

    def usage(self, actor: Actor, project_id: str) -> dict[str, Any]:
        """Return what a project's images take, its quotas, and what is free on the engine's disk."""
        project = self.manager.projects.get(actor, project_id)
        access.check(actor, "image.view", project)
        images = self.manager.store.images(project_id)
        policy = self.manager.policy
        disk = None
        try:
            disk = self.manager.engine.disk()
        except EngineUnavailable as error:
            self.log.debug("The engine's disk is not known: %s", error)
        return {
            "images": len(images),
            "ready": sum(image.state is ImageState.READY for image in images),
            "bytes": sum(image.size for image in images),
            "max_images": policy.max_images or None,
            "max_bytes": policy.max_bytes or None,
            "disk_free": disk.free if disk else None,
            "disk_total": disk.total if disk else None,
        }
