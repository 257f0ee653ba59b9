"""Archives and lock files through the API; what they are for is seen in tests/portable."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_image_manager.models import ImageState

from ..store.values import a_recipe, an_image

DIGEST = "sha256:" + "a" * 64


async def test_a_lock_file_is_written_shown_and_synced_from(
    call: Any, manager: Any, project: Any, jp_root_dir: Path
) -> None:
    lock = f"projects/{project['id']}/lock"
    code, refused = await call("GET", lock)
    assert (code, refused["code"]) == (404, "not_found")
    assert (await call("PUT", lock))[0] == 409  # nothing is active
    recipe = a_recipe(digest="sha256:" + "b" * 64)
    image = an_image(project["id"], recipe, name="geo", state=ImageState.READY, digest=DIGEST)
    manager.store.add_image(replace(image, python_version="3.11.7"), recipe)
    code, written = await call("PUT", lock, {"image_id": image.id})
    assert (code, written["digest"]) == (200, DIGEST)
    assert (await call("GET", lock))[1] == written
    assert json.loads((jp_root_dir / "science" / "image.lock").read_text())["name"] == "geo"
    code, sync = await call("POST", f"projects/{project['id']}/sync")
    assert (code, sync["how"], sync["image_id"], sync["build"]) == (200, "here", image.id, None)
    assert (await call("PUT", f"projects/{project['id']}/sync", {}))[0] == 400
    (jp_root_dir / "science" / "image.lock").write_text("{}")
    assert (await call("GET", lock))[0] == 400


async def test_archives_that_cannot_be_are_refused(call: Any, manager: Any, project: Any, jp_root_dir: Path) -> None:
    load = f"projects/{project['id']}/load"
    (jp_root_dir / "science" / "none.tar").write_text("no archive")
    for path in ("science/absent.tar", "science/none.tar", "../outside.tar"):
        code, refused = await call("POST", load, {"path": path})
        assert (code, refused["code"]) == (400, "invalid_request"), path
    recipe = a_recipe()
    image = manager.store.add_image(an_image(project["id"], recipe, state=ImageState.FAILED), recipe)
    code, refused = await call("POST", f"images/{image.id}/export", {"path": "science/geo.tar"})
    assert (code, refused["code"]) == (409, "image_unusable")
    assert (await call("POST", "images/nothing/export", {"path": "science/geo.tar"}))[0] == 404
