"""Where images are kept, by REST: each direction over a real registry; usage and clean-up."""

from __future__ import annotations

import io
import os
import tarfile
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from jupyter_image_manager.engine.port import LABEL
from jupyter_image_manager.models import Image, ImageState, RegistryAccess, RegistryState, Storage
from jupyter_image_manager.registry.settings import RegistrySettings

from .. import registries
from ..store.values import a_recipe, an_image

SIZE = 200_000


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[registries.Registry]:
    with registries.running(tmp_path / "registry", accounts=registries.ACCOUNTS) as registry:
        yield registry


class Shelf:
    """Images of one project, made without a build."""

    def __init__(self, manager: Any, project: dict[str, Any], registry: registries.Registry | None = None) -> None:
        self.manager, self.project, self.registry = manager, project, registry
        if registry is not None:
            mine = manager.communities.of(manager.store.project(project["id"]))
            actor = manager.system_actor()
            manager.communities.update(actor, mine.id, registry_host=registry.address, namespace="team")
            manager.communities.set_agent(actor, mine.id, registry.user, registry.secret)

    def built(self) -> str:
        """Build an image of one random layer in the engine; return its id."""
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as tar:
            for name, content in (("Dockerfile", b"FROM scratch\nCOPY content /\n"), ("content", os.urandom(SIZE))):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        context.seek(0)
        labels = {f"{LABEL}.installation": self.manager.store.installation_id()}
        with docker.APIClient(version="auto") as client:
            said = [*client.build(fileobj=context, custom_context=True, labels=labels, decode=True, rm=True)]
        (id,) = [line["aux"]["ID"] for line in said if "aux" in line]
        return str(id)

    def local(self, **values: Any) -> Image:
        held, recipe = self.built(), a_recipe()
        reference = f"jim-test/shelf-{uuid.uuid4().hex[:8]}:1"
        self.manager.engine.tag(held, reference)
        image = an_image(
            self.project["id"],
            recipe,
            name=f"shelf-{uuid.uuid4().hex[:6]}",
            state=ImageState.READY,
            engine_image=held,
            digest=held,
            reference=reference,
            size=SIZE,
            optimized=True,
            architecture="amd64",
        )
        return self.manager.store.add_image(replace(image, **values), recipe)

    def pushed(self) -> Image:
        """Return an image that is in the registry, and cached here."""
        assert self.registry is not None
        image = self.local(storage=Storage.REGISTRY, optimized=False)
        repository = f"{self.registry.address}/team/{image.name}"
        auth = {"username": self.registry.user, "password": self.registry.secret}
        with docker.APIClient(version="auto") as client:
            digest = registries.push(client, image.reference, f"{repository}:1", auth)
        state = RegistryState.PRESENT
        return self.manager.store.set_image(
            image.id, repository=repository, digest=digest, registry_state=state, registry_size=SIZE
        )

    def delete_there(self, image: Image) -> None:
        """Delete an image's version in the registry, as somebody else does."""
        assert self.registry is not None
        access = RegistryAccess(self.registry.address, "team", self.registry.user, self.registry.secret)
        with RegistrySettings().client(access) as client:
            assert client.delete(image.repository, image.digest)


@pytest.fixture
def shelf(manager: Any, project: Any, registry: registries.Registry) -> Shelf:
    return Shelf(manager, project, registry)


@pytest.mark.engine
async def test_deleted_by_anyone_with_a_copy_it_works_and_the_copy_is_the_last(call: Any, shelf: Shelf) -> None:
    image = shelf.pushed()
    place = f"images/{image.id}"
    code, preview = await call("GET", f"{place}/storage", action="optimize")
    assert (code, preview["allowed"], preview["takes_engine"]) == (200, True, 0)
    code, now = await call("POST", f"{place}/optimize")
    assert (code, now["optimized"]) == (200, True)
    shelf.delete_there(image)
    code, preview = await call("GET", f"{place}/storage", action="unoptimize")
    assert (preview["allowed"], preview["final"], preview["frees_engine"]) == (True, True, SIZE)
    code, refused = await call("POST", f"{place}/unoptimize")
    assert (code, refused["code"]) == (409, "needs_confirmation")
    assert "not in the registry any more" in refused["message"]
    code, refused = await call("DELETE", f"{place}/original", confirm="true")
    assert (code, refused["code"]) == (400, "invalid_request")
    code, now = await call("POST", f"{place}/unoptimize", {"confirm": True})
    assert (code, now["optimized"], now["registry_state"]) == (200, False, "missing")
    assert image.engine_image not in shelf.manager.engine.image_tags()
    code, listed = await call("GET", f"projects/{image.project_id}/images")
    assert [each["id"] for each in listed["items"]] == [image.id]
    code, refused = await call("POST", f"{place}/optimize")
    assert code == 400
    assert "missing in the registry" in refused["message"]


@pytest.mark.engine
async def test_without_a_copy_the_original_stays_while_it_is_used(call: Any, shelf: Shelf) -> None:
    image = shelf.pushed()
    place = f"images/{image.id}"
    shelf.manager.store.activate_image(image.project_id, image.id)
    code, refused = await call("DELETE", f"{place}/original", confirm="true")
    assert (code, refused["code"]) == (409, "image_in_use")
    assert "Optimize it first" in refused["message"]
    await call("POST", f"{place}/optimize")
    code, refused = await call("DELETE", f"{place}/original")
    assert (code, refused["code"]) == (409, "needs_confirmation")
    assert "garbage collection" in refused["message"]
    code, now = await call("DELETE", f"{place}/original", confirm="true")
    assert (code, now["optimized"], now["registry_state"]) == (200, True, "missing")
    code, refused = await call("POST", f"{place}/unoptimize", {"confirm": True})
    assert (code, refused["code"]) == (409, "image_in_use")
    assert "the last there is" in refused["message"]
    code, now = await call("GET", place)
    assert (now["optimized"], now["active"]) == (True, True)


@pytest.mark.engine
async def test_back_to_the_registry_and_from_there(call: Any, shelf: Shelf) -> None:
    image = shelf.pushed()
    place = f"images/{image.id}"
    await call("POST", f"{place}/optimize")
    code, now = await call("POST", f"{place}/unoptimize")
    assert (code, now["optimized"]) == (200, False)
    assert image.engine_image not in shelf.manager.engine.image_tags()
    code, preview = await call("GET", f"{place}/storage", action="optimize")
    assert preview["takes_engine"] == SIZE
    code, pull = await call("POST", f"{place}/optimize")
    assert (code, pull["image_id"], pull["optimize"]) == (202, image.id, True)
    shelf.manager.pulls.wait(shelf.manager.system_actor(), pull["id"], timeout=120)
    code, now = await call("GET", place)
    assert (now["optimized"], now["registry_state"]) == (True, "present")
    assert image.engine_image in shelf.manager.engine.image_tags()


@pytest.mark.engine
async def test_an_image_is_deleted_everywhere_where_that_is_said(call: Any, shelf: Shelf) -> None:
    image = shelf.pushed()
    code, preview = await call("GET", f"images/{image.id}/deletion")
    assert preview["in_registry"] == image.pinned
    code, _ = await call("DELETE", f"images/{image.id}", confirm="true", original="true")
    assert code == 204
    access = RegistryAccess(shelf.registry.address, "team", shelf.registry.user, shelf.registry.secret)  # type: ignore[union-attr]
    with RegistrySettings().client(access) as client:
        assert client.head(image.repository, image.digest) is None


@pytest.mark.engine
async def test_a_local_image_has_no_registry_to_go_back_to(call: Any, manager: Any, project: Any) -> None:
    image = Shelf(manager, project).local()
    code, refused = await call("POST", f"images/{image.id}/unoptimize", {"confirm": True})
    assert code == 400
    assert "kept on this machine only" in refused["message"]
    code, preview = await call("GET", f"images/{image.id}/storage", action="delete-original")
    assert (preview["allowed"], "no version in a registry" in preview["reason"]) == (False, True)


@pytest.mark.engine
async def test_a_clean_up_says_what_it_would_do_and_does_it(call: Any, manager: Any, project: Any) -> None:
    shelf = Shelf(manager, project)
    image, active = shelf.local(), shelf.local()
    left = shelf.built()
    manager.store.activate_image(project["id"], active.id)
    code, preview = await call("GET", "prune", days=0)
    assert code == 200
    assert {(item["kind"], item["image_id"]) for item in preview["items"]} == {("image", image.id), ("leftover", left)}
    assert (preview["frees"], preview["done"]) == (2 * SIZE, False)
    code, young = await call("GET", "prune", days=9, project=project["id"])
    assert [item["kind"] for item in young["items"]] == ["leftover"] or young["items"] == []
    code, done = await call("POST", "prune", {"days": 0})
    assert (code, done["done"], done["failed"], done["frees"]) == (200, True, [], 2 * SIZE)
    held = manager.engine.image_tags()
    assert (image.engine_image in held, left in held, active.engine_image in held) == (False, False, True)
    code, _ = await call("POST", "prune", {"days": -1})
    assert code == 400


@pytest.mark.engine
async def test_usage_is_reported(call: Any, manager: Any, project: Any) -> None:
    image = Shelf(manager, project).local()
    manager.accounting.meter()
    code, report = await call("GET", "usage", project=project["id"])
    assert code == 200
    (row,) = report["images"]
    assert (row["image_id"], row["storage"], row["bytes"], row["unique"]) == (image.id, "optimized", SIZE, SIZE)
    assert report["deletable"] == {"image_ids": [image.id], "specs": [image.spec], "frees": SIZE}
    code, history = await call("GET", "usage/history", days=2)
    assert [(day["project"], day["bytes"]) for day in history["items"]] == [("Science", SIZE)]
    code, mine = await call("GET", f"projects/{project['id']}/usage")
    assert (mine["optimized_bytes"], mine["warnings"]) == (SIZE, [])
    code, refused = await call("GET", "usage", month="later")
    assert (code, refused["code"]) == (400, "invalid_request")
    code, _ = await call("GET", "usage", community="x")
    assert code == 404


async def test_an_unknown_action_is_refused_with_what_there_is(call: Any) -> None:
    code, refused = await call("GET", "images/x/storage", action="burn")
    assert code == 400
    assert "optimize, unoptimize, delete-original" in refused["message"]
