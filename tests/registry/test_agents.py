"""Secrets of service agents: where they are, and where they never are."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from traitlets.config import Config

from jupyter_image_manager.errors import ImageManagerError, InvalidRequest, StoreError
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, Community, as_json
from jupyter_image_manager.registry import agents as agents_module

SECRET = "hush-hush 'это' \"тайна\" \n$x"


def manager_in(folder: Path, **agents: str) -> ImageManager:
    (folder / "root").mkdir(exist_ok=True)
    place = {"data_dir": str(folder / "data"), "root_dir": str(folder / "root")}
    return ImageManager(config=Config({"ImageManager": place, "ServiceAgents": agents}))


@pytest.fixture
def service(tmp_path: Path) -> ImageManager:
    return manager_in(tmp_path)


def with_registry(service: ImageManager, actor: Actor, host: str = "harbor.example.org") -> Community:
    community = service.communities.list(actor)[0]
    return service.communities.update(actor, community.id, registry_host=host, namespace="team")


def everything_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_secret_is_nowhere_in_clear_text(
    service: ImageManager, actor: Actor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    community = with_registry(service, actor)
    changed = service.communities.set_agent(actor, community.id, "robot$images", SECRET)
    assert (changed.agent, changed.agent_enabled) == ("robot$images", True)
    access = service.communities.access(changed)
    assert access is not None and access.secret == SECRET and access.username == "robot$images"
    service.store.close()
    for shown in (everything_below(tmp_path).decode("latin1"), repr(access), str(access), repr(changed), caplog.text):
        for word in ("hush-hush", SECRET):
            assert word not in shown
            assert word.encode().decode("latin1") not in shown
    assert "hush" not in json.dumps(as_json(service.communities.list(actor)))
    assert "hush" not in json.dumps(service.configuration())
    assert "hush" not in json.dumps([as_json(change) for change in service.changes(actor, 0)], default=str)


def test_the_key_is_readable_by_its_owner_only(service: ImageManager, actor: Actor, tmp_path: Path) -> None:
    community = with_registry(service, actor)
    changed = service.communities.set_agent(actor, community.id, "agent", SECRET)
    key = tmp_path / "data" / "agents.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o644)
    with pytest.raises(StoreError, match="chmod 600"):
        service.communities.access(changed)
    key.chmod(0o600)
    assert service.communities.access(changed)


def test_a_secret_is_rotated_without_restart(service: ImageManager, actor: Actor, tmp_path: Path) -> None:
    community = with_registry(service, actor)
    service.communities.set_agent(actor, community.id, "agent", "first")
    other = manager_in(tmp_path)  # another process
    assert other.communities.access(other.communities.get(actor, community.id)).secret == "first"  # type: ignore[union-attr]
    service.communities.set_agent(actor, community.id, "agent", "second")
    assert other.communities.access(other.communities.get(actor, community.id)).secret == "second"  # type: ignore[union-attr]
    service.communities.set_agent(actor, community.id, "", "")
    gone = other.communities.get(actor, community.id)
    assert (gone.agent, gone.agent_enabled, other.communities.access(gone)) == ("", False, None)
    assert service.store.sealed_secret(community.id) == ""


def test_the_key_is_replaced_without_losing_secrets(service: ImageManager, actor: Actor, tmp_path: Path) -> None:
    community = service.communities.set_agent(actor, with_registry(service, actor).id, "agent", "old")
    key = tmp_path / "data" / "agents.key"
    before, new = key.read_bytes(), Fernet.generate_key()
    key.write_bytes(new + b"\n" + before)
    assert service.communities.access(community).secret == "old"  # type: ignore[union-attr]
    community = service.communities.set_agent(actor, community.id, "agent", "new")
    key.write_bytes(new + b"\n")
    assert service.communities.access(community).secret == "new"  # type: ignore[union-attr]


@pytest.mark.parametrize("broken", ["absent", "other", "empty", "rubbish", "folder"])
def test_without_its_key_a_secret_is_asked_for_again(
    service: ImageManager, actor: Actor, tmp_path: Path, broken: str
) -> None:
    community = service.communities.set_agent(actor, with_registry(service, actor).id, "agent", SECRET)
    key = tmp_path / "data" / "agents.key"
    if broken in ("absent", "folder"):
        key.unlink()
    if broken == "folder":
        key.mkdir(mode=0o700)
    if broken == "other":
        key.write_bytes(Fernet.generate_key())
    if broken in ("empty", "rubbish"):
        key.write_bytes({"empty": b"", "rubbish": b"\xff rubbish"}[broken])
    with pytest.raises(StoreError, match=r"agents\.key") as raised:
        service.communities.access(community)
    assert raised.value.message.endswith(".")
    assert not key.exists() or key.is_dir() or broken != "absent"  # no new key is made where an old one is missed
    (finding,) = service.communities.test(actor, community.id)
    assert (finding.status, finding.message) == ("error", raised.value.message)


def test_a_secret_goes_to_no_other_registry_and_no_other_community(service: ImageManager, actor: Actor) -> None:
    community = service.communities.set_agent(actor, with_registry(service, actor).id, "agent", SECRET)
    moved = service.communities.update(actor, community.id, registry_host="evil.example.org")
    assert (moved.agent, moved.agent_enabled, service.store.sealed_secret(moved.id)) == ("", False, "")
    with pytest.raises(InvalidRequest, match="no service agent to enable"):
        service.communities.update(actor, community.id, agent_enabled=True)

    # Whoever can write the database cannot lead a secret elsewhere either.
    service.communities.set_agent(actor, community.id, "agent", SECRET)
    sealed = service.store.sealed_secret(community.id)
    other = service.communities.create(actor, "Other")
    other = service.store.set_community(other.id, registry_host="evil.example.org")
    other = service.store.set_agent(other.id, "agent", sealed, enabled=True)
    with pytest.raises(StoreError, match="another registry"):
        service.communities.access(other)
    redirected = service.store.set_community(community.id, registry_host="worse.example.org")
    with pytest.raises(StoreError, match="another registry"):
        service.communities.access(redirected)


def test_a_key_is_made_once_by_all_who_want_one(tmp_path: Path, actor: Actor) -> None:
    path, keys = tmp_path / "deep" / "agents.key", [Fernet.generate_key() for _ in range(8)]
    threads = [threading.Thread(target=agents_module._write_once, args=(path, key)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes().strip() in keys
    assert [found.name for found in path.parent.iterdir()] == ["agents.key"]


def test_the_key_may_be_elsewhere(tmp_path: Path, actor: Actor) -> None:
    service = manager_in(tmp_path, key_file=str(tmp_path / "vault" / "key"))
    community = service.communities.set_agent(actor, with_registry(service, actor).id, "agent", SECRET)
    assert (tmp_path / "vault" / "key").exists()
    assert not (tmp_path / "data" / "agents.key").exists()
    assert service.communities.access(community)


HELPER = f"""#!{sys.executable}
import json, pathlib, sys
kept = pathlib.Path(__file__).with_suffix(".json")
held = json.loads(kept.read_text()) if kept.exists() else {{}}
said, verb = sys.stdin.read(), sys.argv[1]
pathlib.Path(__file__).with_suffix(".log").open("a").write(" ".join(sys.argv[1:]) + "\\n")
if verb == "store":
    one = json.loads(said)
    held[one["ServerURL"]] = one
elif said.strip() not in held:
    sys.exit("credentials not found in native keychain")
elif verb == "get":
    print(json.dumps(held[said.strip()]))
else:
    del held[said.strip()]
kept.write_text(json.dumps(held))
"""


def test_a_credential_helper_keeps_the_secret_and_gets_it_by_no_argument(
    tmp_path: Path, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "docker-credential-tests"
    program.parent.mkdir()
    program.write_text(HELPER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    service = manager_in(tmp_path, kept_in="helper", helper="tests")
    community = service.communities.set_agent(actor, with_registry(service, actor).id, "agent", SECRET)
    assert service.communities.access(community).secret == SECRET  # type: ignore[union-attr]
    assert not (tmp_path / "data" / "agents.key").exists()
    held = json.loads(program.with_suffix(".json").read_text())
    assert list(held) == [f"https://harbor.example.org/jupyter-image-manager/{community.id}"]
    service.communities.set_agent(actor, community.id, "agent", "rotated")
    assert service.communities.access(community).secret == "rotated"  # type: ignore[union-attr]
    service.communities.set_agent(actor, community.id, "", "")
    assert json.loads(program.with_suffix(".json").read_text()) == {}
    assert set(program.with_suffix(".log").read_text().split()) == {"store", "get", "erase"}

    community = service.communities.set_agent(actor, community.id, "agent", SECRET)
    program.with_suffix(".json").write_text("{}")
    with pytest.raises(StoreError, match="no such secret"):
        service.communities.access(community)
    program.unlink()
    with pytest.raises(StoreError, match="docker-credential-tests does not work") as raised:
        service.communities.set_agent(actor, community.id, "agent", SECRET)
    assert "hush" not in raised.value.message
    service.communities.set_agent(actor, community.id, "", "")  # goes though the helper is gone


def test_the_platforms_keyring_keeps_the_secret(tmp_path: Path, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring
    import keyring.backend
    import keyring.errors

    class Memory(keyring.backend.KeyringBackend):
        priority = 1
        locked = False
        held: dict[tuple[str, str], str] = {}

        def set_password(self, service: str, username: str, password: str) -> None:
            if self.locked:
                raise keyring.errors.PasswordSetError(f"locked: {password}")
            self.held[service, username] = password

        def get_password(self, service: str, username: str) -> str | None:
            return self.held.get((service, username))

        def delete_password(self, service: str, username: str) -> None:
            del self.held[service, username]

    before, memory = keyring.get_keyring(), Memory()
    keyring.set_keyring(memory)
    try:
        service = manager_in(tmp_path, kept_in="keyring")
        community = service.communities.set_agent(actor, with_registry(service, actor).id, "agent", SECRET)
        assert service.communities.access(community).secret == SECRET  # type: ignore[union-attr]
        assert len(memory.held) == 1
        assert b"hush" not in everything_below(tmp_path)
        memory.locked = True
        with pytest.raises(StoreError, match="unlock it") as raised:
            service.communities.set_agent(actor, community.id, "agent", SECRET)
        assert "hush" not in raised.value.message
        service.communities.set_agent(actor, community.id, "", "")
        assert memory.held == {}
    finally:
        keyring.set_keyring(before)


def test_a_keyring_that_is_not_installed_is_named(
    tmp_path: Path, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    service = manager_in(tmp_path, kept_in="keyring")
    with pytest.raises(InvalidRequest, match="package keyring"):
        service.communities.set_agent(actor, with_registry(service, actor).id, "agent", SECRET)


def test_a_way_of_keeping_that_is_not_known_is_an_error_of_ours(service: ImageManager, actor: Actor) -> None:
    community = service.communities.set_agent(actor, with_registry(service, actor).id, "agent", SECRET)
    for sealed in ("", "vault:x", "fernet:", "fernet:rubbish", "rubbish"):
        with pytest.raises(ImageManagerError):
            service.communities.agents.open(replace(community), sealed)


def test_the_command_line_takes_no_secret_and_shows_none(tmp_path: Path) -> None:
    place = [f"--ImageManager.data_dir={tmp_path}/data", f"--ImageManager.root_dir={tmp_path}"]

    def run(*words: str, said: str = "") -> subprocess.CompletedProcess[str]:
        command = [Path(sys.executable).with_name("jupyter-image"), "community", *words, *place]
        return subprocess.run(command, input=said, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert run("set", "registry=harbor.example.org", "namespace=team").returncode == 0
    for words in (["--secret", "hush"], ["--secret=hush"]):
        refused = run("agent", "--user", "agent", *words)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "seen by others" in refused.stderr and "hush" not in refused.stderr
    assert run("agent", "--user", "agent", "Nowhere", "hush").returncode == 2
    given = run("agent", "--user", "agent", "--json", said="hush-hush\n")
    assert given.returncode == 0, given.stderr
    assert json.loads(given.stdout)["agent"] == "agent"
    assert "hush" not in given.stdout + given.stderr
    service = manager_in(tmp_path)
    (community,) = service.store.communities()
    assert service.communities.access(community).secret == "hush-hush"  # type: ignore[union-attr]
