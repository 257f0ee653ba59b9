from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


async def test_a_folder_becomes_a_project(call: Any, jp_root_dir: Path, jp_fetch: Any) -> None:
    (jp_root_dir / "a b").mkdir()
    code, made = await call("POST", "projects", {"path": "a b"})
    assert code == 201
    assert made["name"] == "a b"
    assert made["jupyter_path"] == "a b"
    assert made["path"] == str((jp_root_dir / "a b").resolve())
    assert made["active_image"] is None
    assert made["stale_kernels"] == []
    assert (await call("GET", f"projects/{made['id']}")) == (200, made)
    assert (await call("GET", "projects")) == (200, {"items": [made]})


async def test_location_has_the_base_url(jp_fetch: Any, jp_root_dir: Path, jp_base_url: str) -> None:
    (jp_root_dir / "x").mkdir()
    answer = await jp_fetch("image-manager", "v1", "projects", method="POST", body='{"path": "x"}')
    assert answer.headers["Location"].startswith(f"{jp_base_url}image-manager/v1/projects/")


async def test_the_nearest_project_of_a_path(call: Any, project: Any, jp_root_dir: Path) -> None:
    for path in ("science", "science/deep/er.ipynb", "/science/"):
        code, found = await call("GET", "projects", path=path)
        assert (code, found["id"]) == (200, project["id"])
    assert (await call("GET", "projects", path="elsewhere.ipynb")) == (200, None)


async def test_the_root_is_the_default_project(call: Any, jp_root_dir: Path) -> None:
    code, root = await call("POST", "projects", {"path": ""})
    assert code == 201
    assert root["is_default"] is True
    assert root["jupyter_path"] == ""


async def test_change_and_delete(call: Any, project: Any, jp_root_dir: Path) -> None:
    code, changed = await call("PATCH", f"projects/{project['id']}", {"name": "New", "run_settings": {"memory": "2g"}})
    assert code == 200
    assert changed["name"] == "New"
    assert changed["run_settings"]["memory"] == 2 << 30
    assert (await call("DELETE", f"projects/{project['id']}")) == (204, None)
    code, refused = await call("GET", f"projects/{project['id']}")
    assert (code, refused["code"]) == (404, "project_not_found")
    assert (jp_root_dir / "science").is_dir()


@pytest.mark.parametrize("path", ["../other", "science/../../x", "a/.."])
async def test_no_path_leads_out_of_the_root(call: Any, path: str) -> None:
    code, refused = await call("POST", "projects", {"path": path})
    assert (code, refused["code"]) == (400, "invalid_request")
    code, _ = await call("GET", "projects", path=path)
    assert code == 400
    code, _ = await call("GET", "notebook", path=path)
    assert code == 400


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({}, "path"),
        ({"path": 3}, "path"),
        ({"path": None}, "path"),
        ({"path": "x", "nested": "yes"}, "nested"),
        ({"path": "x", "colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_key_is_named(call: Any, body: Any, key: str) -> None:
    code, refused = await call("POST", "projects", body)
    assert code == 400
    assert refused["code"] == "invalid_request"
    assert refused["details"] == {"key": key}
    assert key in refused["message"]


@pytest.mark.parametrize("body", ["{", "[]", "3", '{"path": NaN}', b"\xff\xfe", "[" * 100_000])
async def test_a_body_that_is_no_json_object(call: Any, body: Any) -> None:
    code, refused = await call("POST", "projects", body)
    assert (code, refused["code"]) == (400, "invalid_request")


async def test_what_a_notebook_remembers(call: Any, jp_root_dir: Path) -> None:
    memory = '{"image": "geo:3", "digest": "sha256:1", "project": "p"}'
    (jp_root_dir / "n.ipynb").write_text('{"cells": [], "metadata": {"image_manager": ' + memory + "}}")
    code, found = await call("GET", "notebook", path="n.ipynb")
    assert (code, found["image"]) == (200, "geo:3")
    assert (await call("GET", "notebook", path="absent.ipynb")) == (200, None)
    code, refused = await call("GET", "notebook")
    assert (code, refused["code"]) == (400, "invalid_request")
