from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

import jupyter_image_manager
from jupyter_image_manager import errors
from jupyter_image_manager.handlers import ROUTES, routes

from .described import resolved

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


def schemas_with_examples() -> list[tuple[str, Any]]:
    return [
        (name, example)
        for name, schema in SPEC["components"]["schemas"].items()
        for example in schema.get("examples", [])
    ]


@pytest.mark.parametrize(("name", "example"), schemas_with_examples())
def test_an_example_is_what_its_schema_says(name: str, example: Any) -> None:
    schema = {**SPEC["components"]["schemas"][name], "components": SPEC["components"]}
    Draft202012Validator(schema).validate(example)


def test_the_main_requests_and_answers_have_examples() -> None:
    shown = {name for name, _ in schemas_with_examples()}
    assert shown >= {"Project", "Image", "Build", "DeletionPreview", "PackageDiff", "LogLine", "Status"}
    for operations in SPEC["paths"].values():
        for verb in set(operations) & set(VERBS):
            body = operations[verb].get("requestBody")
            if body:
                (reference,) = body["content"]["application/json"]["schema"].values()
                name = reference.rpartition("/")[2]
                assert name in shown | {"Nothing", "TemplateChoices"}, name


def test_every_error_is_listed_with_its_route() -> None:
    """Each status with the codes that come with it, as errors.py has them; nothing hides behind a `default`."""
    listed: dict[str, set[int]] = {}
    for operations in SPEC["paths"].values():
        for verb in set(operations) & set(VERBS):
            answers = operations[verb]["responses"]
            assert "default" not in answers
            for status, answer in answers.items():
                if int(status) >= 400:
                    schema = resolved(answer)["content"]["application/json"]["schema"]
                    for code in schema["allOf"][1]["properties"]["code"]["enum"]:
                        listed.setdefault(code, set()).add(int(status))
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]
    known = {kind.code: {kind.status} for kind in kinds}
    for elsewhere in ("kernel_start_failed", "build_failed"):  # said in a notebook, and in a build's own failure
        known.pop(elsewhere)
    assert listed == known


def test_examples_of_errors_are_errors() -> None:
    for name, answer in SPEC["components"]["responses"].items():
        content = answer["content"]["application/json"]
        schema = {**content["schema"], "components": SPEC["components"]}
        Draft202012Validator(schema).validate(content["example"])
        assert content["example"]["message"].endswith("."), name


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
