"""Values for tests of the store."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from jupyter_image_manager.models import (
    Build,
    BuildState,
    Image,
    ImageState,
    Project,
    Recipe,
    SourceKind,
    Storage,
    utcnow,
)


def new_id() -> str:
    return uuid.uuid4().hex


def a_project(path: str | Path, **values: Any) -> Project:
    defaults = {"id": new_id(), "name": Path(path).name, "path": str(path), "owner": "ada", "created": utcnow()}
    return Project(**(defaults | values))


def a_recipe(**values: Any) -> Recipe:
    id = new_id()
    return Recipe(**({"id": id, "kind": SourceKind.DOCKERFILE, "dockerfile": "FROM x\n", "digest": id} | values))


def an_image(project_id: str, recipe: Recipe, **values: Any) -> Image:
    defaults: dict[str, Any] = {
        "id": new_id(),
        "project_id": project_id,
        "name": "analysis",
        "version": 0,
        "state": ImageState.BUILDING,
        "storage": Storage.LOCAL,
        "recipe_id": recipe.id,
        "created": utcnow(),
        "created_by": "ada",
    }
    return Image(**(defaults | values))


def a_build(image: Image, **values: Any) -> Build:
    defaults: dict[str, Any] = {
        "id": new_id(),
        "project_id": image.project_id,
        "image_id": image.id,
        "state": BuildState.QUEUED,
        "requested_by": "ada",
        "created": utcnow(),
    }
    return Build(**(defaults | values))
