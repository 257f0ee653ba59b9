"""Which images a migration rebuilds, from what, and which it cannot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import access, lifecycle
from ..builds import sources
from ..errors import ImageManagerError, InvalidRequest, NotAllowed
from ..models import Actor, BuildRequest, Image, ImageState, Project, Recipe, Storage
from .bases import Replaced, replaced, replacement
from .items import Item, ItemState

if TYPE_CHECKING:
    from ..manager import ImageManager

MADE = (ImageState.READY, ImageState.UNUSABLE, ImageState.MISSING)
FOR_ALL = "It belongs to the whole server; its administrator declares a newer one in ImagePolicy.system_images."


def named(manager: ImageManager, actor: Actor, image_ids: Sequence[str], bases: Mapping[str, str]) -> list[Item]:
    """Return the items of images that somebody names: they are rebuilt whether they retire or not."""
    return [_item(manager, actor, manager.images.image(actor, image_id), bases) for image_id in image_ids]


def affected(
    manager: ImageManager,
    actor: Actor,
    bases: Mapping[str, str],
    *,
    project_id: str | None = None,
    community_id: str | None = None,
) -> list[Item]:
    """Return the items of the images that retire: all, of one project or of one community.

    Of each name the versions that are active are rebuilt, and the newest one unless a newer version works anyway.
    """
    hits = manager.retirements.hits(actor, project_id=project_id, community_id=community_id)
    by_name: dict[tuple[str, str], list[Image]] = {}
    for hit in hits:
        image = manager.store.image(hit.image_id)
        if image is not None and image.state in MADE:
            by_name.setdefault((image.project_id, image.name), []).append(image)
    active = {project.active_image_id for project in manager.store.projects()}
    found = []
    for (owner, name), images in by_name.items():
        old = {image.id for image in images}
        fresh = next(
            (i for i in manager.store.images_named(owner, name) if i.state is ImageState.READY and i.id not in old),
            None,
        )
        newest = max(images, key=lambda image: image.version)
        for image in sorted(images, key=lambda image: image.version):
            if image.id in active or (image is newest and fresh is None):
                found.append(_item(manager, actor, image, bases))
            else:
                why = f"{fresh.spec} is newer and works on" if fresh else f"{newest.spec}, a newer version, is migrated"
                found.append(_about(manager, image, ItemState.SKIPPED, f"It is not active, and {why}."))
    return found


def with_test(manager: ImageManager, actor: Actor, items: Iterable[Item], notebook: str) -> list[Item]:
    """Return the items with a notebook that is run as a test: in the new images of the notebook's own project.

    Raises
    ------
    InvalidRequest
        There is no such notebook, or none of the images is of its project.
    """
    path = Path(notebook)
    if not path.is_absolute() or not path.is_file():
        raise InvalidRequest(f"There is no notebook {notebook} that could be run as a test.", {"key": "test"})
    project = manager.projects.require(actor, notebook)
    found = [replace(item, test=notebook if item.project_id == project.id else "") for item in items]
    if found and not any(item.test for item in found):
        raise InvalidRequest(
            f"{path.name} belongs to the project {project.name!r}, and none of these images does; name a notebook of "
            "their project.",
            {"key": "test"},
        )
    return found


def request(image: Image, recipe: Recipe, bases: Mapping[str, str], *, fix: bool, cache: bool) -> BuildRequest:
    """Return what is asked to build as the next version of an image."""
    wanted = BuildRequest(
        name=image.name,
        description=image.description,
        # An image of a registry may have to stay here, where its community has none any more.
        storage=Storage.LOCAL if image.storage is Storage.LOCAL else None,
        fix=fix,
        confirm_context=True,  # it was, when the image was built
        no_cache=not cache,
    )
    text, changed = _text(recipe, bases)
    if not recipe.dockerfile and changed:
        return replace(wanted, reference=changed[0][1])
    return replace(wanted, from_image=image.id, dockerfile_text=text if changed else None)


def _text(recipe: Recipe, bases: Mapping[str, str]) -> tuple[str, Replaced]:
    if recipe.dockerfile:
        return replaced(recipe.dockerfile, recipe.build_args, bases)
    new = replacement(recipe.reference, bases) if recipe.reference else None
    return "", (((recipe.reference, new),) if new else ())


def _about(manager: ImageManager, image: Image, state: ItemState, reason: str) -> Item:
    project = manager.store.project(image.project_id)
    return Item(image.id, image.spec, image.project_id, project.name if project else "", state, reason)


def _item(manager: ImageManager, actor: Actor, image: Image, bases: Mapping[str, str]) -> Item:
    project = manager.store.project(image.project_id)
    if image.system or project is None:
        return _about(manager, image, ItemState.IMPOSSIBLE, FOR_ALL)
    access.check(actor, "image.build", project)
    access.check(actor, "image.activate", project)
    if image.state not in MADE:
        return _about(manager, image, ItemState.IMPOSSIBLE, lifecycle.why_unusable(image) or "It was never built.")
    recipe = manager.store.recipe(image.recipe_id)
    if recipe is None:
        return _about(manager, image, ItemState.IMPOSSIBLE, "Its recipe is not kept; build it anew.")
    item = _about(manager, image, ItemState.WAITING, "")
    changed = _text(recipe, bases)[1]
    if why := _hindrance(manager, actor, project, request(image, recipe, bases, fix=False, cache=False)):
        return replace(item, state=ItemState.IMPOSSIBLE, reason=why, bases=changed)
    return replace(item, bases=changed, warnings=(*lifecycle.rebuilding(recipe), *_again(manager, image)))


def _again(manager: ImageManager, image: Image) -> tuple[str, ...]:
    """Return the warning that what is made now retires as well, where a retirement reaches into the future."""
    found = manager.retirements.of(replace(image, created=manager.retirements.clock()))
    return () if found is None else (f"A version made now retires too, on {found.stops:%Y-%m-%d}; migrate it later.",)


def _hindrance(manager: ImageManager, actor: Actor, project: Project, wanted: BuildRequest) -> str:
    """Return why a recipe cannot be built again; empty when it can, as far as that is known beforehand."""
    try:
        sources.resolve(manager, actor, manager.projects.get(actor, project.id), wanted)
    except NotAllowed as error:
        return f"{error.message} A replacement may be named with --base OLD=NEW."
    except ImageManagerError as error:
        return error.message
    return ""
