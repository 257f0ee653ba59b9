"""Images that the administrator declares for every project (R55).

They are rows without a project, made when a declared reference is first found in the engine, and checked when one is
first activated, which then is long work. A reference that is declared no more leaves the list; where it is active it
goes on working.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from . import presence
from .errors import EngineError, EngineUnavailable, ImageNotFound, InvalidReference
from .models import Actor, Image, ImageState, Recipe, SourceKind, Storage, utcnow
from .patience import asked
from .reference import parse_reference, suggestion

if TYPE_CHECKING:
    from .manager import ImageManager

NO_PROJECT = ""
"""Project id of rows that belong to no project."""


def _full(reference: str) -> str:
    try:
        return str(parse_reference(reference))
    except InvalidReference:
        return reference


def declared(manager: ImageManager, image: Image) -> bool:
    """Tell whether the administrator still declares the reference that this image was made from."""
    recipe = manager.store.recipe(image.recipe_id)
    return recipe is not None and recipe.reference in {_full(text) for text in manager.policy.system_images}


def present(manager: ImageManager, actor: Actor) -> tuple[list[Image], list[dict[str, Any]]]:
    """Return the declared images that the engine holds, as rows, and documents that say which are absent, and why.

    What a reference means now is one version; when the administrator pulls another content, it is the next one.
    """
    if not manager.policy.system_images:
        return [], []
    rows = {image.engine_image: image for image in manager.store.images(None)}
    found, absent = [], []
    for text in manager.policy.system_images:
        try:
            reference = str(parse_reference(text))
            held = asked(manager.engine.inspect_image, reference)
        except ImageNotFound:
            absent.append(_absent(text, f"{text} is not in the engine; the administrator can pull it."))
        except (InvalidReference, EngineError, EngineUnavailable) as error:
            absent.append(_absent(text, error.message))
        else:
            row = rows.get(held.id)
            found.append(row if row is not None else _add(manager, actor, reference, held.id, held.architecture))
    return found, absent


def _absent(reference: str, why: str) -> dict[str, Any]:
    return {"id": None, "name": reference, "state": ImageState.MISSING.value, "system": True, "warnings": [why]}


def _add(manager: ImageManager, actor: Actor, reference: str, engine_image: str, architecture: str) -> Image:
    parsed = parse_reference(reference)
    recipe = Recipe(
        id=uuid.uuid4().hex, kind=SourceKind.IMPORT, reference=reference, digest=f"{reference}@{engine_image}"
    )
    image = Image(
        id=uuid.uuid4().hex,
        project_id=NO_PROJECT,
        name=suggestion(parsed.repository.rpartition("/")[2]),
        version=0,
        # Not usable before the check has found it so; it runs when the image is first activated.
        state=ImageState.UNUSABLE,
        storage=Storage.LOCAL,
        recipe_id=recipe.id,
        created=utcnow(),
        created_by=actor.name,
        description=reference,
        digest=engine_image,
        engine_image=engine_image,
        architecture=architecture,
        engine_id=presence.identity(manager.engine.info()),
        optimized=True,
        system=True,
    )
    return manager.store.add_image(image, recipe)
