"""What rest-api.yml says of an answer."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

import jupyter_image_manager

SPEC: dict[str, Any] = yaml.safe_load((Path(jupyter_image_manager.__file__).parent / "rest-api.yml").read_text())


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = SPEC
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


@cache
def patterns() -> list[tuple[re.Pattern[str], str]]:
    # Literal paths come before those with a place for an id.
    paths = sorted(SPEC["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.escape(path).replace(r"\{id\}", "[^/]+")), path) for path in paths]


def check_answer(method: str, route: str, code: int, content_type: str, body: Any) -> None:
    """Fail unless an answer is as rest-api.yml says: route, verb, status, type and content."""
    path = next(path for pattern, path in patterns() if pattern.fullmatch(f"/{route}"))
    operation = SPEC["paths"][path][method.lower()]
    response = operation["responses"].get(str(code))
    assert response is not None, f"{method} {route} answers {code}, which is not described: {body}"
    content = resolved(response).get("content")
    if content is None:
        assert body is None, f"{method} {route} answers {code} with a body that is not described"
        return
    kind = content_type.split(";")[0]
    assert kind in content, f"{method} {route} answers {code} with {kind}"
    if kind == "application/json":
        schema = {**content[kind]["schema"], "components": SPEC["components"]}
        Draft202012Validator(schema).validate(body)
