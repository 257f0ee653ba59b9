"""What an action on where an image is kept would do, said before it is done (R21, R22)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .. import usage
from ..accounting.forest import Forest
from ..accounting.parts import Blobs
from ..errors import ImageManagerError
from ..models import Image, ImageState, Layer, RegistryState, Storage, StorageAction, StoragePreview
from ..pulls import source
from ..registry.states import access_of, state_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..manager import ImageManager

LOOK_SECONDS = 10.0
COLLECTED = "The registry gives the room back when its own garbage collection runs; that is its administrator's to do."


def of(manager: ImageManager, image: Image, action: StorageAction) -> StoragePreview:
    """Return the preview of an action.

    Raises
    ------
    EngineUnavailable
        What the engine holds cannot be asked.
    """
    look = {
        StorageAction.OPTIMIZE: _optimize,
        StorageAction.UNOPTIMIZE: _unoptimize,
        StorageAction.DELETE_ORIGINAL: _delete_original,
    }
    return look[action](manager, image)


def here(manager: ImageManager, image: Image) -> bool:
    """Return whether the engine holds an image."""
    return bool(image.engine_image) and image.engine_image in manager.engine.image_tags()


def kernels_in(manager: ImageManager, image: Image) -> int:
    """Return how many kernels run in an image."""
    return sum(each.image_id == image.id for each in manager.kernels.list(manager.system_actor()))


def users(manager: ImageManager, image: Image) -> tuple[str, ...]:
    """Return who would be left without an image that works, in words."""
    store = manager.store
    found = [f"active in the project {p.name!r}" for p in store.projects() if p.active_image_id == image.id]
    if kernels := kernels_in(manager, image):
        found.append(f"{kernels} kernel{'s' if kernels > 1 else ''} run{'' if kernels > 1 else 's'} in it")
    found += _published(manager, image)
    return tuple(found)


def same_version(manager: ImageManager, image: Image) -> list[Image]:
    """Return the images that are this one version in the registry, itself among them."""
    if not image.repository:
        return [image]
    return [
        each
        for project in manager.store.projects()
        for each in manager.store.images(project.id)
        if (each.repository, each.digest) == (image.repository, image.digest)
    ]


def _published(manager: ImageManager, image: Image) -> list[str]:
    names = {each.id: each.name for each in manager.store.communities()}
    return [f"published to {names.get(id, id)!r}" for _, id in manager.store.publications(image_id=image.id)]


def _refused(image: Image, action: StorageAction, reason: str, used_by: Iterable[str] = ()) -> StoragePreview:
    return StoragePreview(image.id, action, allowed=False, reason=reason, used_by=tuple(used_by))


# Each action
def _optimize(manager: ImageManager, image: Image) -> StoragePreview:
    action = StorageAction.OPTIMIZE
    if image.storage is Storage.LOCAL:
        return _refused(
            image, action, f"{image.spec} is kept on this machine only, and so is optimized already: nothing is to do."
        )
    there = here(manager, image)
    if not there and image.registry_state is RegistryState.MISSING:
        return _refused(
            image,
            action,
            f"{image.spec} is missing in the registry and not on this machine, so that there is nothing to copy; build "
            f"it again with `jupyter image build {image.name} --from-image {image.spec}`.",
        )
    if not there and not image.repository:
        return _refused(
            image,
            action,
            f"{image.spec} was not pushed and is not on this machine; build it again with `jupyter image build "
            f"{image.name} --from-image {image.spec}`.",
        )
    return StoragePreview(
        image.id,
        action,
        allowed=True,
        takes_engine=0 if there else _takes(manager, image),
        works_after=(
            "Projects start in it from this machine's copy, whatever becomes of the registry.",
            "The copy is not evicted; it counts as storage of its own until it is given up.",
        ),
    )


def _unoptimize(manager: ImageManager, image: Image) -> StoragePreview:
    action = StorageAction.UNOPTIMIZE
    if image.storage is Storage.LOCAL:
        return _refused(
            image,
            action,
            f"{image.spec} is kept on this machine only: it has no version in a registry to go back to; what can be "
            f"done is `jupyter image delete {image.spec}`, which is final.",
        )
    if not image.optimized:
        return _refused(image, action, f"{image.spec} has no optimized copy.")
    if published := _published(manager, image):
        return _refused(
            image,
            action,
            f"{image.spec} is {'; '.join(published)}, which needs its optimized copy; unpublish it first.",
            published,
        )
    lost = _why_lost(manager, image)
    if lost and (used := users(manager, image)):
        return _refused(
            image,
            action,
            f"{lost} Its copy is the last there is, and it is {'; '.join(used)}: change that first.",
            used,
        )
    return StoragePreview(
        image.id,
        action,
        allowed=True,
        final=bool(lost),
        frees_engine=0 if kernels_in(manager, image) else usage.frees(manager, image),
        works_after=()
        if lost
        else (f"It goes back to its version in the registry, {image.pinned}, which is pulled when a project starts.",),
        lost=(lost, f"Without its copy {image.spec} cannot be used again.") if lost else (),
    )


def _why_lost(manager: ImageManager, image: Image) -> str:
    """Return why an image cannot go back to a registry, or may not be able to; empty when it can."""
    if not image.repository:
        return f"{image.spec} was not pushed to a registry."
    error = source.look(manager, image, access_of(manager, image), timeout=LOOK_SECONDS)
    if error is None:
        return ""
    if state_of(error) is RegistryState.MISSING:
        return f"{image.spec} is not in the registry any more."
    return f"Whether {image.spec} is still in the registry cannot be told now ({error.message.rstrip('.')})."


def _delete_original(manager: ImageManager, image: Image) -> StoragePreview:
    action = StorageAction.DELETE_ORIGINAL
    if not image.repository:
        return _refused(image, action, f"{image.spec} has no version in a registry.")
    error = source.look(manager, image, access_of(manager, image), timeout=LOOK_SECONDS)
    if error is not None and state_of(error) is RegistryState.MISSING:
        return _refused(image, action, f"{image.spec} is not in the registry any more: there is nothing to delete.")
    versions = same_version(manager, image)
    without = [each for each in versions if not (each.optimized and here(manager, each))]
    for each in without:
        if used := users(manager, each):
            return _refused(
                image,
                action,
                f"{each.spec} has no optimized copy on this machine and is {'; '.join(used)}: without its version in "
                f"the registry it could not be used again. Optimize it first: `jupyter image optimize {each.spec}`.",
                used,
            )
    return StoragePreview(
        image.id,
        action,
        allowed=True,
        final=True,
        frees_registry=_in_registry(manager, versions),
        works_after=tuple(
            f"{each.spec} goes on working from its optimized copy, which is then the only one."
            for each in versions
            if each not in without
        ),
        lost=(
            f"{image.pinned} is deleted there for everybody who pulls it by its digest or by a tag of it. {COLLECTED}",
            *(f"{each.spec} has no optimized copy and cannot be used again." for each in without),
        ),
        shared_with=tuple(each.spec for each in versions if each.id != image.id) + _tags(manager, image),
    )


def _tags(manager: ImageManager, image: Image) -> tuple[str, ...]:
    """Return the other tags in the registry that go with a version."""
    try:
        access = access_of(manager, image)
        with manager.communities.registry(access, timeout=LOOK_SECONDS) as registry:
            tags = registry.sharing(image.repository, image.digest)
    except ImageManagerError as error:
        manager.log.debug("Which tags mean %s is not known: %s", image.pinned, error)
        return ()
    return tuple(f"{image.repository}:{tag}" for tag in tags if tag != str(image.version))


# Bytes
def _takes(manager: ImageManager, image: Image) -> int:
    """Return the bytes that an image will take in the engine beside what is there; all, where layers are not known."""
    contents = manager.accounting.contents
    mine = contents.known([image.engine_image]).get(image.engine_image)
    if mine is None:
        return image.size
    there = contents.of_engine(manager.engine.image_tags(), keep=False)
    return Forest({**there, image.engine_image: mine}).frees([image.engine_image])


def _in_registry(manager: ImageManager, versions: list[Image]) -> int:
    """Return the bytes that only these versions have in their registry, as far as we know what is there."""
    host = versions[0].repository.partition("/")[0]
    kept = {
        each.id: each
        for project in manager.store.projects()
        for each in manager.store.images(project.id)
        if each.state is not ImageState.BUILDING
        and each.repository.partition("/")[0] == host
        and each.registry_state is not RegistryState.MISSING
    }
    kept |= {each.id: replace(each) for each in versions}
    blobs = manager.accounting.contents.known(each.digest for each in kept.values())
    parts = Blobs({id: (host, blobs.get(each.digest) or (Layer(id, each.registry_size),)) for id, each in kept.items()})
    same = [each.id for each in versions]
    return parts.frees(same) if versions[0].digest in blobs else versions[0].registry_size
