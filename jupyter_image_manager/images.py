"""Images of projects: look up, activate, compare, delete."""

from __future__ import annotations

import platform
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from traitlets import Instance
from traitlets.config import LoggingConfigurable

from . import access, deletion, lifecycle, packages, presence, system_images, usage
from .errors import (
    Conflict,
    ImageInUse,
    ImageNotFound,
    ImageUnusable,
    InvalidRequest,
    NeedsConfirmation,
    NotFound,
)
from .models import (
    Actor,
    Build,
    DeletionPreview,
    Image,
    ImageState,
    ImageSummary,
    Package,
    PackageDiff,
    Project,
    Recipe,
    RegistryState,
    RunningKernel,
    SharedLayer,
)
from .patience import awake
from .reference import parse_spec
from .summaries import Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .manager import ImageManager

Documents = list[dict[str, Any]]
ID_PREFIX = 6
DESCRIPTION_LENGTH = 2000
LABELS = 50
LABEL_LENGTH = 200
SERVER_ENVIRONMENT = "server-environment"
"""Id under which the way back, no image at all, stands among the system images (R55)."""


class ImageService(LoggingConfigurable):
    """What may be done with an image that exists. None of it changes its content (R7)."""

    manager: ImageManager = Instance("jupyter_image_manager.manager.ImageManager")  # type: ignore[assignment]  # traitlets' descriptor gives the instance

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
        return [*self.each(actor, project_id, state=state, search=search, after=after, limit=limit)]

    def each(
        self,
        actor: Actor,
        project_id: str,
        *,
        state: ImageState | None = None,
        search: str = "",
        after: str | None = None,
        limit: int | None = None,
    ) -> Iterator[ImageSummary]:
        """Yield what :meth:`list` returns, one by one: of thousands, few are then in memory at a time."""
        project = self.manager.projects.get(actor, project_id)
        access.check(actor, "image.view", project)
        images = self.manager.store.each_image(project_id, state=state, search=search, after=after, limit=limit)
        return Surroundings(self.manager).each(images, project)

    def get(self, actor: Actor, image_id: str) -> ImageSummary:
        """Return an image with its report.

        Raises
        ------
        ImageNotFound
            There is none with this id.
        """
        image = self.image(actor, image_id)
        return Surroundings(self.manager).summary(image, self._project(image), look=True)

    def image(self, actor: Actor, image_id: str) -> Image:
        """Return an image as the store has it: the engine is not asked what it knows of it.

        Raises
        ------
        ImageNotFound
            There is none with this id.
        """
        image = self.manager.store.image(image_id)
        if image is None:
            raise ImageNotFound("There is no such image; list the images again.", {"image_id": image_id})
        access.check(actor, "image.view", self._project(image))
        return image

    def _project(self, image: Image) -> Project | None:
        return self.manager.store.project(image.project_id)

    def _kernels(self) -> Sequence[RunningKernel]:
        return self.manager.kernels.list(self.manager.system_actor())

    def find(self, actor: Actor, project_id: str, text: str) -> ImageSummary:
        """Return the image that ``NAME`` (its newest ready version), ``NAME:VERSION`` or an id means.

        Raises
        ------
        ImageNotFound
            Says which versions or names there are.
        """
        project = self.manager.projects.get(actor, project_id)
        access.check(actor, "image.view", project)
        # A name comes first: `facade` is a good name, and might be the beginning of an id.
        looks_like_id = ID_PREFIX <= len(text) <= 32 and not set(text) - set("0123456789abcdef")
        if looks_like_id and not self.manager.store.images_named(project_id, text):
            ids = self.manager.store.find_image_ids(text)
            if len(ids) == 1:
                return self.get(actor, ids[0])
            if ids:
                raise ImageNotFound(f"{text} is the beginning of {len(ids)} images' ids; give more of it.")
        name, version = parse_spec(text)
        versions = self.manager.store.images_named(project_id, name)
        if not versions:
            raise self._no_such_name(project, name)
        if version is not None:
            for image in versions:
                if image.version == version:
                    return self.get(actor, image.id)
            there = ", ".join(image.spec for image in reversed(versions))
            raise ImageNotFound(f"There is no {name}:{version}; there are: {there}.")
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
        image = self.image(actor, image_id)
        recipe = self.manager.store.recipe(image.recipe_id)
        if recipe is None:
            raise NotFound(f"The recipe of {image.spec} is not kept.")
        return recipe

    def packages(self, actor: Actor, image_id: str) -> tuple[Package, ...]:
        """Return the Python packages in an image, or in the server environment, by name."""
        if image_id == SERVER_ENVIRONMENT:
            access.check(actor, "image.view", None)
            return packages.of_server()
        return packages.of_image(self.image(actor, image_id))

    def diff(self, actor: Actor, old_id: str, new_id: str) -> PackageDiff:
        """Return what differs between the packages of two images; either may be the server environment."""
        return packages.difference(self.packages(actor, old_id), self.packages(actor, new_id))

    def layers(self, actor: Actor, image_id: str) -> tuple[SharedLayer, ...]:
        """Return an image's layers, oldest first, each with the images of its project that have it too."""
        image = self.image(actor, image_id)
        others = self.manager.store.images(image.project_id, with_report=True)
        return usage.shared_layers(image, others)

    # Change what may change
    def update(
        self, actor: Actor, image_id: str, *, description: str | None = None, labels: dict[str, str] | None = None
    ) -> ImageSummary:
        """Change the words about an image; its content never changes."""
        image = self.image(actor, image_id)
        access.check(actor, "image.describe", self._project(image))
        changes: dict[str, Any] = {}
        if description is not None:
            if len(description) > DESCRIPTION_LENGTH:
                raise InvalidRequest(f"A description has at most {DESCRIPTION_LENGTH} letters.")
            changes["description"] = description
        if labels is not None:
            texts = [text for pair in labels.items() for text in pair]
            if len(labels) > LABELS or not all(isinstance(t, str) and len(t) <= LABEL_LENGTH for t in texts):
                raise InvalidRequest(f"Labels are at most {LABELS} names with texts of up to {LABEL_LENGTH} letters.")
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
        self.manager.retirements.refuse(image)
        engine = self.manager.engine
        if image.state in (ImageState.READY, ImageState.MISSING) and image.engine_image:
            held = presence.held(engine, image)
            if held is None:
                image = self._pullable(image)
            if image.state is ImageState.MISSING:
                image = self.manager.store.set_image(image.id, state=ImageState.READY)
            made, machine = held.architecture if held is not None else image.architecture, engine.info().architecture
            if made != machine:
                raise ImageUnusable(
                    f"{image.spec} is made for {made} and this machine is {machine}; build it again from its recipe "
                    "here.",
                    {"image_id": image.id, "architecture": made, "machine": machine},
                )
        why = lifecycle.why_unusable(image)
        if why is not None:
            raise ImageUnusable(why, {"image_id": image.id, "state": image.state.value})

    def _pullable(self, image: Image) -> Image:
        """Refuse an image that the engine does not hold, unless its registry can give it: then a pull follows."""
        if not image.pinned:
            raise self.gone(image)
        try:
            self.manager.pulls.pullable(image)
        except ImageNotFound as error:
            if image.state is ImageState.READY:
                self.manager.store.set_image(image.id, state=ImageState.MISSING)
            raise ImageUnusable(error.message, {"image_id": image.id, "state": ImageState.MISSING.value}) from None
        return self.manager.store.image(image.id) or image

    def gone(self, image: Image) -> ImageUnusable:
        """Return the error for an image that the engine does not hold; one that it made itself is missing from now."""
        info = self.manager.engine.info()
        why = lifecycle.why_absent(image, presence.identity(info), info.address)
        if image.state is ImageState.READY and image.engine_id in ("", presence.identity(info)):
            image = self.manager.store.set_image(image.id, state=ImageState.MISSING)
        return ImageUnusable(why, {"image_id": image.id, "state": image.state.value, "engine": info.address})

    def activate(self, actor: Actor, project_id: str, image_id: str | None, *, lock: bool = True) -> Project:
        """Make an image the one in which the project's kernels run; None goes back to the server's environment.

        Parameters
        ----------
        lock : bool
            Write it into the project's ``image.lock``, if there is one.
        """
        project = self.manager.projects.get(actor, project_id)
        access.check(actor, "image.activate", project)
        if image_id == SERVER_ENVIRONMENT:
            image_id = None
        if image_id is not None:
            image = self.image(actor, image_id)
            if image.project_id != project.id and not image.system:
                raise ImageUnusable(f"{image.spec} belongs to another project; build or import it in this one.")
            if image.engine_image:
                awake(self.manager.engine)
            self.usable(image)
            if image.engine_image:
                self.manager.pulls.ensure(actor, image, unattended=True)
        if project.active_image_id == image_id:
            return project
        if not project.found:
            raise Conflict(
                f"The folder {project.path} of the project {project.name!r} is not there; say where it is now with "
                f"`jupyter image project relocate {project.id[:8]} DIR`."
            )
        activated = self.manager.store.activate_image(project.id, image_id)
        if image_id is not None and lock:
            self.manager.portable.relock(activated, image)
        return activated

    def check_first(self, actor: Actor, project_id: str, image_id: str | None) -> Build | None:
        """Start the check without which an image cannot be activated, and which activates it; None: none is needed.

        Only a system image can be without one: what is built here is checked by its build.
        """
        if image_id in (None, SERVER_ENVIRONMENT):
            return None
        image = self.image(actor, image_id)
        if not image.system or image.report is not None:
            return None
        self.manager.retirements.refuse(image)
        project = self.manager.projects.get(actor, project_id)
        access.check(actor, "image.activate", project)
        return self.manager.builds.check(actor, image.id, project.id, activate=True)

    def undo_activation(self, actor: Actor, project_id: str) -> Project:
        """Go back to what was active before."""
        project = self.manager.projects.get(actor, project_id)
        previous = project.previous_image_id
        if previous is None and project.active_image_id is None:
            raise Conflict(f"Nothing was active before in the project {project.name!r}.")
        if previous is not None and self.manager.store.image(previous) is None:
            raise Conflict("What was active before has been deleted; activate another image.")
        return self.activate(actor, project_id, previous)

    # Delete
    def deletion(self, actor: Actor, image_id: str) -> DeletionPreview:
        """Say what deleting an image would do: who uses or remembers it, and how many bytes it really frees (R24)."""
        image = self.image(actor, image_id)
        if image.engine_image:
            awake(self.manager.engine)
        return deletion.preview(self.manager, image, self._project(image), self._kernels)

    def delete(self, actor: Actor, image_id: str, *, confirm: bool = False, original: bool = False) -> None:
        """Delete an image, and the logs of its builds; its version number never comes again.

        Parameters
        ----------
        original : bool
            Also its version in the registry; otherwise that stays there.

        Raises
        ------
        ImageInUse
            It is active, running or being built; says where.
        NeedsConfirmation
            What is deleted from this machine cannot be had again but by building.
        """
        image = self.image(actor, image_id)
        access.check(actor, "image.delete", self._project(image))
        if image.engine_image:
            awake(self.manager.engine)
        if users := deletion.users(self.manager, image, self._kernels):
            raise ImageInUse(f"{deletion.in_use(image, users)} Change that first.", {"used_by": users})
        if image.engine_image and not confirm:
            frees = usage.frees(self.manager, image)
            raise NeedsConfirmation(f"Deleting {image.spec} is final; confirm it.", {"frees": frees})
        if original and image.repository:
            self.manager.registry_states.look([image_id])  # whoever was first there: it is to be gone, and is
            if self.image(actor, image_id).registry_state is not RegistryState.MISSING:
                self.manager.storage.delete_original(actor, image_id, confirm=confirm)
        if image.pinned:
            self.manager.pulls.forget(image_id)
        if image.engine_image or image.reference:
            self.manager.storage.remove_copy(image)
        self.manager.store.delete_image(image_id)
        self.manager.builds.forget(image_id)
        if image.engine_image and not self.manager.store.images_of_engine(image.engine_image):
            from .kernels import prepare

            prepare.forget(self.manager.data_path, image.engine_image)

    # The rest of the list
    def system_images(self, actor: Actor) -> Documents:
        """Return what every project can activate; first the server's own environment (R55)."""
        access.check(actor, "image.view", None)
        first = {
            "id": SERVER_ENVIRONMENT,
            "name": "Server environment",
            "python_version": platform.python_version(),
            "description": "No image: kernels run in the Jupyter server's own environment.",
        }
        images, absent = system_images.present(self.manager, actor)
        return [first, *(each.as_json() for each in Surroundings(self.manager).each(images, None)), *absent]

    def check_quota(self, project: Project) -> None:
        """Refuse a new image above the administrator's quotas; the message has the present use (R54).

        Raises
        ------
        QuotaExceeded
            Names the use and the limit.
        """
        usage.check_quota(self.manager, project)

    def usage(self, actor: Actor, project_id: str) -> dict[str, Any]:
        """Return what a project's images take, its quotas, and what is free on the engine's disk."""
        project = self.manager.projects.get(actor, project_id)
        access.check(actor, "image.view", project)
        return usage.of_project(self.manager, project)
