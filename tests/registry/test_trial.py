"""A registry is tried by a real push, pull and delete, and the right that is missing is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from jupyter_image_manager.cli.main import run
from jupyter_image_manager.engine.port import LABEL
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, RegistryAccess
from jupyter_image_manager.registry.client import Registry

from .. import faults, registries
from .answers import answering


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ImageManager]:
    (tmp_path / "root").mkdir()
    place = {"data_dir": str(tmp_path / "data"), "root_dir": str(tmp_path / "root")}
    # These are about registries: no engine answers here.
    nowhere = {"host": f"unix://{tmp_path}/no.sock"}
    manager = ImageManager(config=Config({"ImageManager": place, "DockerEngine": nowhere}))
    yield manager
    manager.close()


def tried(service: ImageManager, actor: Actor, address: str, user: str = "agent", secret: str = "x") -> dict[str, Any]:
    community = service.communities.list(actor)[0]
    service.communities.update(actor, community.id, registry_host=address, namespace="team")
    service.communities.set_agent(actor, community.id, user, secret)
    found = {one.id.removeprefix("registry-"): one for one in service.communities.test(actor, community.id)}
    engine = found.pop("engine", None)
    assert engine is None or (engine.status == "info" and "no engine answers" in engine.message)
    return found


def left_in(registry: registries.Registry) -> list[str]:
    with Registry(RegistryAccess(registry.address, username=registry.user, secret=registry.secret)) as client:
        return client.tags("team/jupyter-image-manager-test")


@pytest.mark.parametrize(
    "kind", [{}, {"accounts": registries.ACCOUNTS}, {"token": True}], ids=["plain", "basic", "token"]
)
def test_all_rights_are_seen_and_nothing_stays(
    service: ImageManager, actor: Actor, tmp_path: Path, kind: dict[str, Any]
) -> None:
    with registries.running(tmp_path / "r", **kind) as registry:
        for _ in range(2):
            found = tried(service, actor, registry.address, registry.user or "agent", registry.secret or "x")
            assert {right: finding.status for right, finding in found.items()} == {
                "push": "ok",
                "pull": "ok",
                "delete": "ok",
            }
        assert left_in(registry) == []


@pytest.mark.parametrize(
    ("rights", "statuses"),
    [
        ({"pull"}, {"push": "error"}),
        ({"pull", "push"}, {"push": "ok", "pull": "ok", "delete": "warning"}),
        (set(), {"push": "error"}),
    ],
)
def test_the_missing_right_is_named(
    service: ImageManager, actor: Actor, tmp_path: Path, rights: set[str], statuses: dict[str, str]
) -> None:
    with registries.running(tmp_path / "r", token=True) as registry:
        assert registry.tokens is not None
        registry.tokens.rights = {"agent": rights}
        found = tried(service, actor, registry.address, registry.user, registry.secret)
        assert {right: finding.status for right, finding in found.items()} == statuses
        missing = next(finding for finding in found.values() if finding.status != "ok")
        assert "does not let its service agent 'agent'" in missing.message
        assert f"right to {missing.id.removeprefix('registry-')}" in missing.cure


def test_a_registry_without_deletion_keeps_one_image_and_says_which(
    service: ImageManager, actor: Actor, tmp_path: Path
) -> None:
    with registries.running(tmp_path / "r", deletion=False) as registry:
        for _ in range(2):
            found = tried(service, actor, registry.address)
            assert found["delete"].status == "warning"
            assert "storage.delete.enabled" in found["delete"].cure
        (tag,) = left_in(registry)
        assert f":{tag} stays there" in found["delete"].message


def test_a_wrong_secret_a_strange_certificate_and_nobody_are_told_apart(
    service: ImageManager, actor: Actor, tmp_path: Path
) -> None:
    with registries.running(tmp_path / "r", accounts=registries.ACCOUNTS) as registry:
        found = tried(service, actor, registry.address, "agent", "wr0ng")
        assert list(found) == ["sign-in"]
        assert "does not accept" in found["sign-in"].message
        assert "community agent" in found["sign-in"].cure
        assert "wr0ng" not in str(found)
    assert "cannot be reached" in tried(service, actor, registry.address)["sign-in"].message
    with registries.running(tmp_path / "t", tls=True) as registry:
        assert "ca_bundle" in tried(service, actor, registry.address)["sign-in"].message
        service.config.merge({"BuildSettings": {"ca_bundle": str(registry.ca)}})
        trusting = ImageManager(config=service.config)
        assert "push" in tried(trusting, actor, registry.address)
        trusting.close()


@pytest.mark.parametrize(
    ("fault", "right"),
    [
        (faults.Fault("^POST ", status=403), "push"),
        (faults.Fault("^PUT .*/manifests/", status=500), "push"),
        (faults.Fault("^GET .*/blobs/", status=404), "pull"),
        (faults.Fault("^GET .*/blobs/", flip_at=20), "pull"),
        (faults.Fault("^GET .*/manifests/", status=429, headers={"Retry-After": "9"}), "pull"),
        (faults.Fault("^DELETE ", status=405), "delete"),
        (faults.Fault("^DELETE ", status=202), "delete"),
    ],
    ids=["push", "manifest", "blob", "wrong byte", "limit", "405", "only said"],
)
def test_what_fails_is_said_of_the_right_that_it_is_about(
    service: ImageManager, actor: Actor, tmp_path: Path, fault: faults.Fault, right: str
) -> None:
    with registries.running(tmp_path / "r") as registry, faults.proxy(registry.address) as line:
        line.rules[:] = [fault]
        found = tried(service, actor, line.address)
        assert [name for name, finding in found.items() if finding.status != "ok"] == [right]
        assert found[right].message.endswith(".")
        if right == "pull":
            assert left_in(registry) == []  # cleaned up all the same


@pytest.mark.engine
@pytest.mark.parametrize(
    "kind", [{"accounts": registries.ACCOUNTS}, {"token": True, "tls": True}], ids=["basic", "token"]
)
def test_the_engine_pulls_too_and_keeps_nothing(
    manager: ImageManager, actor: Actor, tmp_path: Path, kind: dict[str, Any]
) -> None:
    with registries.running(tmp_path / "r", **kind) as registry:
        if registry.ca:
            manager.config.BuildSettings.ca_bundle = str(registry.ca)
        community = manager.communities.list(actor)[0]
        manager.communities.update(actor, community.id, registry_host=registry.address)
        manager.communities.set_agent(actor, community.id, registry.user, registry.secret)
        found = {finding.id: finding for finding in manager.communities.test(actor, community.id)}
        assert found["registry-engine"].status == "ok", found
        assert found["registry-delete"].status == "ok"
        assert manager.engine.list_images({f"{LABEL}.installation": manager.store.installation_id()}) == []


def test_the_doctor_tries_each_registry(service: ImageManager, actor: Actor, tmp_path: Path) -> None:
    assert not [one for one in service.doctor.run(actor) if one.id.startswith("registry-")]
    with registries.running(tmp_path / "r") as registry:
        tried(service, actor, registry.address)
        found = {one.id: one.status for one in service.doctor.run(actor)}
        assert {found[f"registry-{right}"] for right in ("push", "pull", "delete")} == {"ok"}


def test_pulls_that_are_left_are_shown_where_a_registry_tells_them(service: ImageManager, actor: Actor) -> None:
    with answering() as answers:
        limits = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600"}
        answers.told["/v2/"] = (200, limits, b"")
        found = tried(service, actor, answers.address)
        assert (found["pulls"].status, found["pulls"].message) == ("warning", "0 of 100 pulls are left in 6 h.")


def test_the_command_line_sets_and_tries_a_registry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = [f"--ImageManager.data_dir={tmp_path}/data", f"--ImageManager.root_dir={tmp_path}"]
    monkeypatch.chdir(tmp_path)

    def said(*words: str, code: int = 0) -> str:
        assert run(["community", *words, *place]) == code, capsys.readouterr()
        return capsys.readouterr().out

    with registries.running(tmp_path / "r", accounts=registries.ACCOUNTS) as registry:
        assert json.loads(said("list", "--json"))[0]["personal"] is True
        said("create", "Science")
        assert "namespace        team" in said("set", "Science", f"registry={registry.address}", "namespace=team")
        (tmp_path / "secret").write_text(registry.secret + "\r\n")
        said("agent", "Science", "--user", "agent", "--secret-file", str(tmp_path / "secret"))
        assert "agent" in said("show", "Science")
        assert "ok    Push" in said("test", "Science")
        monkeypatch.setenv("SECRET_OF_TEST", "wr0ng")
        said("agent", "Science", "--secret-env", "SECRET_OF_TEST")
        (finding,) = json.loads(said("test", "Science", "--json", code=1))
        assert finding["id"] == "registry-sign-in"
        assert "off" in said("set", "Science", "agent=off")
        assert "none" in said("agent", "Science", "--remove")
        assert "must give a service agent" in said("test", "Science", code=1)
        assert registry.address in said("list")
        for words in (
            ["show", "Nowhere"],
            ["set", "Science"],
            ["set", "Science", "colour=red"],
            ["set", "Science", "agent=maybe"],
            ["agent", "Science", "--secret-env", "NO_SUCH_VARIABLE", "--user", "x"],
            ["agent", "Science", "--secret-file", "/no/such/file", "--user", "x"],
            ["agent", "Science", "--secret-env", "SECRET_OF_TEST"],
        ):
            said(*words, code=2)
        said("set", "Science", "registry=https://x", code=1)
        said("delete", "Science")
        assert "Science" not in said("list")
