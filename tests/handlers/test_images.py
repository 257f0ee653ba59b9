from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_image_manager.models import (
    Image,
    ImageState,
    Layer,
    Package,
    Recipe,
    Report,
    SourceKind,
    Storage,
    utcnow,
)

from ..test_notebooks import write


def add(manager: Any, project_id: str, name: str = "geo", **changes: Any) -> Image:
    """Put an image into the store as a build would have."""
    import uuid

    recipe = Recipe(id=uuid.uuid4().hex, kind=SourceKind.DOCKERFILE, dockerfile="FROM scratch\n")
    image = Image(
        id=uuid.uuid4().hex,
        project_id=project_id,
        name=name,
        version=0,
        state=ImageState.UNUSABLE,
        storage=Storage.LOCAL,
        recipe_id=recipe.id,
        created=utcnow(),
        created_by="somebody",
        report=Report(ok=False, packages=(Package("numpy", "1.0"),)),
    )
    added: Image = manager.store.add_image(replace(image, **changes), recipe)
    return added


async def test_pages(call: Any, manager: Any, project: Any) -> None:
    images = [add(manager, project["id"]) for _ in range(5)]
    route, seen, after = f"projects/{project['id']}/images", [], {}
    while True:
        code, page = await call("GET", route, limit=2, **after)
        assert code == 200
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert sorted(seen) == sorted(image.id for image in images)
    assert len(seen) == 5
    assert all("report" not in item for item in page["items"])


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": "many"}, {"limit": 10**17}, {"state": "tired"}])
async def test_a_wrong_query_is_named(call: Any, project: Any, query: Any) -> None:
    code, refused = await call("GET", f"projects/{project['id']}/images", **query)
    assert code == 400
    assert refused["details"] == {"key": next(iter(query))}


async def test_filters(call: Any, manager: Any, project: Any) -> None:
    add(manager, project["id"], "geo")
    add(manager, project["id"], "text", state=ImageState.FAILED)
    _, found = await call("GET", f"projects/{project['id']}/images", state="failed")
    assert [item["spec"] for item in found["items"]] == ["text:1"]
    _, found = await call("GET", f"projects/{project['id']}/images", search="GE")
    assert [item["spec"] for item in found["items"]] == ["geo:1"]


async def test_one_image(call: Any, manager: Any, project: Any) -> None:
    image = add(manager, project["id"])
    code, shown = await call("GET", f"images/{image.id}")
    assert code == 200
    assert shown["spec"] == "geo:1"
    assert shown["report"]["packages"] == [{"name": "numpy", "version": "1.0"}]
    code, recipe = await call("GET", f"images/{image.id}/recipe")
    assert (code, recipe["dockerfile"]) == (200, "FROM scratch\n")
    assert (await call("GET", f"images/{image.id}/packages")) == (
        200,
        {"items": [{"name": "numpy", "version": "1.0"}]},
    )
    code, changed = await call("PATCH", f"images/{image.id}", {"description": "Maps", "labels": {"a": "b"}})
    assert (code, changed["description"], changed["labels"]) == (200, "Maps", {"a": "b"})
    code, refused = await call("PATCH", f"images/{image.id}", {"digest": "sha256:0"})
    assert (code, refused["details"]) == (400, {"key": "digest"})


async def test_diff(call: Any, manager: Any, project: Any) -> None:
    old = add(manager, project["id"])
    new = add(manager, project["id"], report=Report(ok=False, packages=(Package("numpy", "2.0"), Package("x", "1"))))
    code, diff = await call("GET", f"images/{old.id}/diff", **{"with": new.id})
    assert code == 200
    assert diff == {"added": [{"name": "x", "version": "1"}], "removed": [], "changed": [["numpy", "1.0", "2.0"]]}
    code, refused = await call("GET", f"images/{old.id}/diff")
    assert (code, refused["details"]) == (400, {"key": "with"})


async def test_the_server_environment_has_packages_too(call: Any, manager: Any, project: Any) -> None:
    image = add(manager, project["id"])
    code, found = await call("GET", "images/server-environment/packages")
    assert (code, "jupyter_server" in {each["name"] for each in found["items"]}) == (200, True)
    code, diff = await call("GET", "images/server-environment/diff", **{"with": image.id})
    differing = [each[0] for each in diff["changed"]] + [each["name"] for each in diff["added"]]
    assert (code, differing) == (200, ["numpy"])  # which the tests' own environment may have, or not


async def test_layers_say_who_has_them_too(call: Any, manager: Any, project: Any) -> None:
    report = Report(ok=True, layers=(Layer("RUN true", 7),))
    one, two = (add(manager, project["id"], report=report, engine_image="sha256:1") for _ in range(2))
    assert await call("GET", f"images/{one.id}/layers") == (
        200,
        {"items": [{"created_by": "RUN true", "size": 7, "shared_with": [two.spec]}]},
    )


async def test_a_deletion_names_the_notebooks_that_remember(
    call: Any, manager: Any, project: Any, jp_root_dir: Path
) -> None:
    image = add(manager, project["id"])
    memory = {"image": image.spec, "digest": "sha256:1", "project": project["id"]}
    write(jp_root_dir / "science" / "a.ipynb", memory)
    code, preview = await call("GET", f"images/{image.id}/deletion")
    assert (code, preview["allowed"], preview["used_by"]) == (200, True, [])
    assert (preview["notebooks"], preview["notebooks_complete"]) == (["a.ipynb"], True)
    assert (await call("DELETE", f"images/{image.id}"))[0] == 204


async def test_what_cannot_be_activated_is_refused(call: Any, manager: Any, project: Any) -> None:
    image = add(manager, project["id"])
    code, refused = await call("PUT", f"projects/{project['id']}/active-image", {"image_id": image.id})
    assert (code, refused["code"]) == (409, "image_unusable")
    assert (await call("GET", f"projects/{project['id']}/active-image")) == (200, None)


async def test_an_active_image_is_shown_with_its_project(call: Any, manager: Any, project: Any) -> None:
    image = add(manager, project["id"])
    manager.store.activate_image(project["id"], image.id)
    _, shown = await call("GET", f"projects/{project['id']}")
    assert shown["active_image"]["spec"] == "geo:1"
    assert shown["active_image"]["active"] is True
    assert (await call("GET", f"projects/{project['id']}/active-image")) == (200, shown["active_image"])
    code, shown = await call("DELETE", f"projects/{project['id']}/active-image")
    assert (code, shown["active_image"], shown["previous_image_id"]) == (200, None, image.id)
    code, _ = await call("PUT", f"projects/{project['id']}/active-image", {"image_id": None})
    assert code == 200


@pytest.mark.parametrize("part", ["", "/recipe", "/packages", "/layers", "/deletion"])
async def test_no_such_image(call: Any, part: str) -> None:
    for name in ("nothing", "%00", "..%2f..", "%F0%9F%90%8B"):
        code, refused = await call("GET", f"images/{name}{part}")
        assert (code, refused["code"]) == (404, "image_not_found")
