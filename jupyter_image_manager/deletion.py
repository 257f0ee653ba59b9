"""Who uses an image and who remembers it: what is said before it is deleted (R24)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from . import notebooks, system_images, usage
from .models import BuildKind, DeletionPreview, Image, ImageState, Project, RegistryState, RunningKernel

if TYPE_CHECKING:
    from .manager import ImageManager

Kernels = Callable[[], Sequence[RunningKernel]]


def users(manager: ImageManager, image: Image, kernels: Kernels) -> list[str]:
    """Return who forbids that an image is deleted, each in words.

    Raises
    ------
    EngineUnavailable
        Which kernels run in it cannot be asked.
    """
    store = manager.store
    found = [f"active in the project {p.name!r}" for p in store.projects() if p.active_image_id == image.id]
    if image.engine_image:
        found += [
            f"kernel {kernel.kernel_id[:8]} runs in it" + (f" ({kernel.notebook})" if kernel.notebook else "")
            for kernel in kernels()
            if kernel.image_id == image.id
        ]
    if image.state is ImageState.BUILDING:
        found.append("it is being built")
    for kind, words in ((BuildKind.CHECK, "it is being checked"), (BuildKind.PUSH, "it is being pushed")):
        if store.active_of_kind(image.id, kind) is not None:
            found.append(words)
    if image.system and system_images.declared(manager, image):
        found.append("the administrator declares it in ImagePolicy.system_images")
    return found


def in_use(image: Image, found: Sequence[str]) -> str:
    """Return the sentence that says who uses an image; empty when nobody does."""
    return f"{image.spec} is in use: {'; '.join(found)}." if found else ""


def preview(manager: ImageManager, image: Image, project: Project | None, kernels: Kernels) -> DeletionPreview:
    """Say what deleting an image would do.

    Raises
    ------
    EngineUnavailable
        The engine cannot be asked.
    """
    using = users(manager, image, kernels)
    remembered = notebooks.Found()
    if project is not None:
        remembered = notebooks.remembering(project, image, manager.store.projects())
    return DeletionPreview(
        image_id=image.id,
        allowed=not using,
        final=bool(image.engine_image),
        frees=usage.frees(manager, image),
        used_by=tuple(using),
        reason=in_use(image, using),
        notebooks=remembered.notebooks,
        notebooks_complete=remembered.complete,
        in_registry="" if image.registry_state is RegistryState.MISSING else image.pinned,
    )
