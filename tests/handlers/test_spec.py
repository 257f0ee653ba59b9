from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate

import jupyter_image_manager
from jupyter_image_manager.handlers import ROUTES, routes

SPEC = yaml.safe_load((Path(jupyter_image_manager.__file__).parent / "rest-api.yml").read_text())
VERBS = ("get", "post", "put", "patch", "delete")


def in_code() -> set[tuple[str, str]]:
    found = set()
    for (route, _), (_, handler) in zip(ROUTES, routes(), strict=True):
        found |= {(verb, f"/{route}") for verb in VERBS if verb in vars(handler)}
    return found


def in_spec() -> set[tuple[str, str]]:
    return {(verb, path) for path, operations in SPEC["paths"].items() for verb in operations if verb in VERBS}


OPERATIONS = sorted(in_code())


def test_the_spec_is_valid_openapi() -> None:
    validate(SPEC)
    assert SPEC["openapi"] == "3.1.0"


def test_every_route_is_in_the_spec_and_back() -> None:
    assert in_code() == in_spec()


def test_every_schema_is_used() -> None:
    text = str(SPEC)
    for name in SPEC["components"]["schemas"]:
        assert f"#/components/schemas/{name}'" in text, name


async def test_the_server_gives_the_spec(jp_fetch: Any) -> None:
    answer = await jp_fetch("image-manager", "v1", "spec.yaml")
    assert answer.headers["Content-Type"] == "application/yaml"
    given = yaml.safe_load(answer.body)
    assert given["info"]["version"] == jupyter_image_manager.__version__
    assert {**given, "info": {}} == {**SPEC, "info": {}}


@pytest.mark.parametrize(("verb", "path"), OPERATIONS)
async def test_who_is_not_signed_in_is_refused(call: Any, verb: str, path: str) -> None:
    code, refused = await call(verb.upper(), path.strip("/").format(id="x"), headers={"Authorization": "token wrong"})
    assert code == 403
    assert refused["code"] == "not_allowed"
    assert set(refused) == {"message", "code", "details"}
