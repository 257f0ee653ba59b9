"""The client over real registries: plain, with accounts, with TLS of an own CA and tokens; and over a faulty line."""

from __future__ import annotations

import email.utils
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_image_manager.errors import (
    ImageManagerError,
    ImageNotFound,
    NoSpaceLeft,
    PullLimited,
    RegistryRefused,
    RegistryUnavailable,
)
from jupyter_image_manager.models import RegistryAccess
from jupyter_image_manager.registry import trial
from jupyter_image_manager.registry.client import Registry
from jupyter_image_manager.registry.limits import PullsLeft

from .. import faults, registries
from .answers import Answers, answering

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "accounts": {"accounts": registries.ACCOUNTS},
    "accounts and TLS": {"accounts": registries.ACCOUNTS, "tls": True},
    "tokens and TLS": {"token": True, "tls": True},
}
IMAGE = trial.tiny_image("one")
GONE = "sha256:" + "0" * 64


def access_to(registry: registries.Registry, **changes: str) -> RegistryAccess:
    values = {"host": registry.address, "username": registry.user, "secret": registry.secret, **changes}
    return RegistryAccess(**values)


def client_of(registry: registries.Registry, **changes: str) -> Registry:
    return Registry(access_to(registry, **changes), ca_bundle=str(registry.ca) if registry.ca else None, timeout=5)


@pytest.fixture(scope="module", params=KINDS, ids=KINDS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[registries.Registry]:
    with registries.running(tmp_path_factory.mktemp("registry"), **KINDS[request.param]) as registry:
        yield registry


@pytest.fixture
def client(running: registries.Registry) -> Iterator[Registry]:
    with client_of(running) as client:
        yield client


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[registries.Registry]:
    with registries.running(tmp_path_factory.mktemp("plain")) as registry:
        with client_of(registry) as client:
            trial.push(client, "team/tiny", IMAGE, "1")
        yield registry


@pytest.fixture
def line(plain: registries.Registry) -> Iterator[faults.FaultProxy]:
    """A line to a registry, on which faults can be made."""
    with faults.proxy(plain.address) as proxy:
        yield proxy


@pytest.fixture
def over(line: faults.FaultProxy) -> Iterator[Registry]:
    """A client over that line."""
    with Registry(RegistryAccess(line.address, "team", "agent", "hush-hush"), timeout=1) as client:
        yield client


@pytest.fixture
def answers() -> Iterator[Answers]:
    with answering() as found:
        yield found


def test_what_was_pushed_is_looked_up_listed_and_deleted(client: Registry, running: registries.Registry) -> None:
    other = trial.tiny_image("two")
    assert client.head("team/x", "1") is None
    assert client.tags("team/x") == []
    trial.push(client, "team/x", IMAGE, "1")
    trial.push(client, "team/x", IMAGE, "latest")
    trial.push(client, "team/x", other, "2")
    for reference in ("1", IMAGE.digest):
        facts = client.head(f"{running.address}/team/x", reference)
        assert facts is not None
        assert (facts.digest, facts.media_type, facts.size) == (IMAGE.digest, trial.IMAGE, len(IMAGE.manifest))
    found = client.manifest("team/x", IMAGE.digest)
    assert (found.digest, found.config.size, [blob.size for blob in found.layers]) == (
        IMAGE.digest,
        len(IMAGE.config),
        [len(IMAGE.layer)],
    )
    assert found.bytes == len(IMAGE.manifest) + len(IMAGE.config) + len(IMAGE.layer)
    assert client.tags("team/x") == ["1", "2", "latest"]
    assert client.sharing("team/x", IMAGE.digest) == ["1", "latest"]
    assert client.pulls_left() is None
    assert client.delete("team/x", IMAGE.digest) is True
    assert client.head("team/x", "1") is None
    assert client.sharing("team/x", IMAGE.digest) == []
    assert client.delete("team/x", IMAGE.digest) is False
    assert client.head("team/x", other.digest) is not None
    with pytest.raises(ImageNotFound, match="or does not show it"):
        client.manifest("team/x", IMAGE.digest)


def test_a_wrong_secret_and_no_secret_are_refused_in_words(running: registries.Registry) -> None:
    if not running.user:
        return
    with client_of(running, secret="wr0ng-secret") as client, pytest.raises(RegistryRefused) as raised:
        client.head("team/x", "1")
    assert "does not accept its service agent 'agent'" in raised.value.message
    assert "wr0ng" not in repr(raised.value.details) + raised.value.message
    with client_of(running, username="", secret="") as client, pytest.raises(RegistryRefused):
        client.head("team/x", "1")


def test_a_secret_that_is_changed_meanwhile_is_refused_and_the_new_one_accepted(tmp_path: Path) -> None:
    for kind in ({"accounts": registries.ACCOUNTS}, {"token": True}):
        with registries.running(tmp_path / str(len(kind)), **kind) as registry, client_of(registry) as client:
            client.ping()
            time.sleep(1.1)  # the registry looks at the file's time, in whole seconds
            registry.allow({"agent": "battery staple"})
            if registry.tokens is None:  # a token that was given holds to its end
                with pytest.raises(RegistryRefused):
                    client.ping()
            with client_of(registry, secret="battery staple") as renewed:
                renewed.ping()
            with client_of(registry) as old, pytest.raises(RegistryRefused):
                old.ping()


def test_each_right_gets_a_token_of_its_own_and_an_old_one_is_renewed(tmp_path: Path) -> None:
    with registries.running(tmp_path, token=True) as registry, client_of(registry) as client:
        assert registry.tokens is not None
        registry.tokens.life = -3600  # too old when it arrives
        with pytest.raises(RegistryRefused):
            client.head("team/x", "1")
        registry.tokens.life = 300
        assert client.head("team/x", "1") is None
        trial.push(client, "team/x", IMAGE, "1")
        assert client.delete("team/x", IMAGE.digest)
        scopes = [scope for _, asked in registry.tokens.asked for scope in asked]
        assert "repository:team/x:pull" in scopes
        assert any("push" in scope for scope in scopes)
        assert any("delete" in scope or "*" in scope for scope in scopes)
        registry.tokens.rights = {"agent": {"pull"}}
        with client_of(registry) as fresh, pytest.raises(RegistryRefused, match="does not let its service agent") as no:
            trial.push(fresh, "team/x", IMAGE, "1")
        assert no.value.details["reason"] == "denied"


def test_a_registry_that_never_deletes_says_so(tmp_path: Path) -> None:
    with registries.running(tmp_path, deletion=False) as registry, client_of(registry) as client:
        trial.push(client, "team/x", IMAGE, "1")
        with pytest.raises(RegistryRefused, match="for anybody") as raised:
            client.delete("team/x", IMAGE.digest)
        assert raised.value.details["reason"] == "unsupported"


def test_a_registry_that_knows_nothing_of_deleting_is_told_from_one_that_has_no_such_image(
    line: faults.FaultProxy, over: Registry
) -> None:
    line.rules[:] = [faults.Fault("^DELETE ", status=404, body="404 page not found")]
    with pytest.raises(RegistryRefused, match="for anybody"):
        over.delete("team/tiny", IMAGE.digest)
    assert over.delete("team/tiny", GONE) is False


def test_a_tag_is_never_deleted_by(over: Registry) -> None:
    with pytest.raises(ValueError, match="no digest"):
        over.delete("team/tiny", "1")


def test_an_own_authority_is_trusted_when_it_is_named_only(tmp_path: Path) -> None:
    with registries.running(tmp_path, tls=True) as registry:
        with client_of(registry) as client:
            client.ping()
        with Registry(access_to(registry)) as stranger, pytest.raises(RegistryUnavailable, match="ca_bundle") as raised:
            stranger.ping()
        assert raised.value.details["reason"] == "certificate"


def test_certificates_in_the_environment_do_not_stand_for_those_that_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.pem").write_text("")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "other.pem"))
    with registries.running(tmp_path, tls=True) as registry, client_of(registry) as client:
        client.ping()


def test_nobody_signs_in_from_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login agent password correct horse\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with (
        registries.running(tmp_path / "r", accounts=registries.ACCOUNTS) as registry,
        client_of(registry, username="", secret="") as client,
        pytest.raises(RegistryRefused, match="sign-in"),
    ):
        client.ping()


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (faults.Fault("^HEAD", status=401, headers={"WWW-Authenticate": "Basic realm=x"}), RegistryRefused, "accept"),
        (faults.Fault("^HEAD", status=403), RegistryRefused, "does not let"),
        (faults.Fault("^HEAD", status=429, headers={"Retry-After": "7"}), PullLimited, "try again in 7 s"),
        (faults.Fault("^HEAD", status=429), PullLimited, "mirror"),
        (faults.Fault("^HEAD", status=500), RegistryUnavailable, "HTTP 500"),
        (faults.Fault("^HEAD", status=503, headers={"Retry-After": "5"}), RegistryUnavailable, "HTTP 503"),
        (faults.Fault("^HEAD", status=507), NoSpaceLeft, "no room"),
        (faults.Fault("^HEAD", status=418), RegistryRefused, "HTTP 418"),
        (faults.Fault("^HEAD", hang=3), RegistryUnavailable, "cannot be reached"),
    ],
    ids=lambda value: f"{value.status}{value.headers}" if isinstance(value, faults.Fault) else "",
)
def test_each_fault_is_one_sentence_and_the_next_try_succeeds(
    line: faults.FaultProxy, over: Registry, fault: faults.Fault, kind: type[ImageManagerError], words: str
) -> None:
    line.rules[:] = [fault]
    with pytest.raises(kind, match=words) as raised:
        over.head("team/tiny", "1")
    assert raised.value.message.endswith(".")
    assert "hush" not in f"{raised.value.message} {raised.value.details}"
    line.rules.clear()
    assert over.head("team/tiny", "1")


def test_404_is_an_answer_to_a_look_and_both_its_meanings_are_said_to_a_pull(
    line: faults.FaultProxy, over: Registry
) -> None:
    line.rules[:] = [faults.Fault("manifests", status=404)]
    assert over.head("team/tiny", "1") is None
    with pytest.raises(ImageNotFound, match=r"has no .*, or does not show it to its service agent"):
        over.manifest("team/tiny", "1")


@pytest.mark.parametrize(
    "fault",
    [
        faults.Fault("^GET", cut_after=60, times=2),
        faults.Fault("^GET", flip_at=30),
        faults.Fault("^GET", status=200, body="<html>a sign-in page</html>"),
        faults.Fault("^GET", status=200, body="[]"),
    ],
    ids=["cut", "wrong byte", "no registry", "no manifest"],
)
def test_a_manifest_that_is_not_whole_or_not_the_one_is_never_taken(
    line: faults.FaultProxy, over: Registry, fault: faults.Fault
) -> None:
    line.rules[:] = [fault]
    with pytest.raises(RegistryUnavailable):
        over.manifest("team/tiny", IMAGE.digest)
    line.rules.clear()
    assert over.manifest("team/tiny", IMAGE.digest).digest == IMAGE.digest


def test_a_connection_that_is_cut_before_an_answer_is_tried_once_more(line: faults.FaultProxy, over: Registry) -> None:
    over.ping()
    line.rules[:] = [faults.Fault("^HEAD", hang=0.001, times=1)]
    assert over.head("team/tiny", "1")


def test_a_slow_registry_is_waited_for(line: faults.FaultProxy, over: Registry) -> None:
    line.rules[:] = [faults.Fault("^GET", rate=2000)]
    assert over.manifest("team/tiny", "1").digest == IMAGE.digest


def test_what_never_ends_is_not_read_for_ever(answers: Answers) -> None:
    answers.told["/v2/"] = (200, {}, b"")
    answers.told["/v2/team/x/tags/list?n=1000"] = (200, {}, b"[" + b"1," * (5 << 20))
    with Registry(RegistryAccess(answers.address)) as client, pytest.raises(RegistryUnavailable, match="too much"):
        client.tags("team/x")


@pytest.mark.parametrize("seconds", [0, 90])
def test_a_date_to_try_again_at_is_seconds_from_now(line: faults.FaultProxy, over: Registry, seconds: int) -> None:
    when = email.utils.formatdate(time.time() + seconds, usegmt=True)
    line.rules[:] = [faults.Fault("^HEAD", status=429, headers={"Retry-After": when})]
    with pytest.raises(PullLimited) as raised:
        over.head("team/tiny", "1")
    assert seconds - 30 < raised.value.details["retry_after"] <= seconds


def test_nobody_there(tmp_path: Path) -> None:
    for host in (f"127.0.0.1:{registries.free_port()}", "no-such-host.invalid"):
        with Registry(RegistryAccess(host), timeout=2) as client, pytest.raises(RegistryUnavailable, match="reached"):
            client.ping()


# What no real registry here answers
def manifest(answers: Answers, reference: str, content: dict[str, Any], kind: str, **headers: str) -> bytes:
    body = json.dumps(content).encode()
    answers.told[f"/v2/team/x/manifests/{reference}"] = (200, {"Content-Type": kind, **headers}, body)
    return body


OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONTENT = {"config": {"digest": GONE, "size": 5}, "layers": [{"digest": GONE.replace("0", "1"), "size": 7}] * 2}


def test_a_digest_is_computed_where_the_registry_leaves_it_out(answers: Answers) -> None:
    body = manifest(answers, "1", CONTENT, OCI)
    with Registry(RegistryAccess(answers.address)) as client:
        facts = client.head("team/x", "1")
        assert facts and facts.digest == "sha256:" + hashlib.sha256(body).hexdigest()
        assert client.manifest("team/x", "1").bytes == len(body) + 12  # a layer that comes twice is there once
    accepted = next(headers["Accept"] for what, headers in answers.asked if "manifests" in what)
    assert len(accepted.split(", ")) == 4


def test_sha512_is_a_digest_too(answers: Answers) -> None:
    body = json.dumps(CONTENT).encode()
    digest = "sha512:" + hashlib.sha512(body).hexdigest()
    manifest(answers, digest, CONTENT, OCI, **{"Docker-Content-Digest": digest})
    with Registry(RegistryAccess(answers.address)) as client:
        assert client.head("team/x", digest)
        assert client.manifest("team/x", digest).digest == digest
        manifest(answers, digest, {**CONTENT, "layers": []}, OCI)
        with pytest.raises(RegistryUnavailable, match="something else") as raised:
            client.manifest("team/x", digest)
        assert raised.value.details["wanted"] == digest


def test_an_index_leads_to_the_image_of_a_platform(answers: Answers) -> None:
    body = json.dumps(CONTENT).encode()
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    manifest(answers, digest, CONTENT, OCI)
    platforms = [
        {"digest": GONE, "platform": {"os": "unknown", "architecture": "unknown"}},
        {"digest": GONE, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        {"digest": digest, "platform": {"os": "linux", "architecture": "amd64"}},
    ]
    index = manifest(answers, "1", {"manifests": platforms}, INDEX)
    with Registry(RegistryAccess(answers.address)) as client:
        found = client.manifest("team/x", "1")
        assert (found.digest, found.index) == (digest, "sha256:" + hashlib.sha256(index).hexdigest())
        assert [one.architecture for one in found.platforms] == ["arm64", "amd64"]
        with pytest.raises(ImageNotFound, match="only for: linux/arm64, linux/amd64"):
            client.manifest("team/x", "1", architecture="s390x")


def test_tags_come_in_pages(answers: Answers) -> None:
    for page, following in ((1, '</v2/team/x/tags/list?last=a>; rel="next"'), (2, "")):
        place = "/v2/team/x/tags/list?" + ("n=1000" if page == 1 else "last=a")
        answers.told[place] = (
            200,
            {"Link": following} if following else {},
            json.dumps({"tags": [f"t{page}"]}).encode(),
        )
    answers.told["/v2/team/none/tags/list?n=1000"] = (200, {}, b'{"tags": null}')
    with Registry(RegistryAccess(answers.address)) as client:
        assert client.tags("team/x") == ["t1", "t2"]
        assert client.tags("team/none") == []


def test_a_redirect_is_followed_without_taking_the_secret_along(answers: Answers) -> None:
    with answering() as other:
        body = json.dumps(CONTENT).encode()
        port = other.address.rpartition(":")[2]
        place = f"http://localhost:{port}/storage"  # another host, as storages are
        answers.told["/v2/team/x/manifests/1"] = (307, {"Location": place}, b"")
        other.told["/storage"] = (200, {"Content-Type": OCI}, body)
        answers.told["/v2/"] = (401, {"WWW-Authenticate": "Basic realm=x"}, b"")
        with Registry(RegistryAccess(answers.address, username="agent", secret="hush")) as client:
            client._agent._basic = True  # signed in before
            assert client.manifest("team/x", "1").layers
        assert [headers.get("Authorization") for _, headers in other.asked] == [None]
        assert any("Authorization" in headers for _, headers in answers.asked)


def test_what_a_registry_sends_elsewhere_goes_there_without_the_secret(answers: Answers) -> None:
    with answering() as other:
        port = other.address.rpartition(":")[2]
        answers.told["/v2/"] = (401, {"WWW-Authenticate": "Basic realm=x"}, b"")
        following = f'<http://localhost:{port}/more>; rel="next"'
        answers.told["/v2/team/x/tags/list?n=1000"] = (200, {"Link": following}, b'{"tags": ["1"]}')
        other.told["/more"] = (401, {"WWW-Authenticate": "Basic realm=x"}, b"")
        with Registry(RegistryAccess(answers.address, username="agent", secret="hush")) as client:
            with pytest.raises(RegistryRefused):
                client.ping()
            with pytest.raises(RegistryRefused):
                client.tags("team/x")
        assert any("Authorization" in headers for _, headers in answers.asked)
        assert [headers.get("Authorization") for _, headers in other.asked] == [None]


def test_a_redirect_to_where_everybody_can_listen_is_not_followed(answers: Answers) -> None:
    answers.told["/v2/team/x/manifests/1"] = (307, {"Location": "http://registry.invalid/storage"}, b"")
    with Registry(RegistryAccess(answers.address)) as client, pytest.raises(RegistryUnavailable, match="without TLS"):
        client.manifest("team/x", "1")


def test_tokens_are_asked_for_where_nobody_listens_only(answers: Answers) -> None:
    challenge = 'Bearer realm="http://tokens.invalid/token",service="x"'
    answers.told["/v2/"] = (401, {"WWW-Authenticate": challenge}, b"")
    with (
        Registry(RegistryAccess(answers.address, username="agent", secret="hush")) as client,
        pytest.raises(RegistryUnavailable, match="without TLS"),
    ):
        client.ping()


@pytest.mark.parametrize(
    ("challenge", "told"),
    [
        ("Bearer service=x", None),
        ("Negotiate", None),
        ("", None),
        ('Bearer realm="http://{address}/token"', (200, {}, b"no JSON")),
        ('Bearer realm="http://{address}/token"', (200, {}, b"{}")),
        ('Bearer realm="http://{address}/token"', (403, {}, b"")),
    ],
)
def test_a_sign_in_that_leads_nowhere_is_refused_in_words(answers: Answers, challenge: str, told: Any) -> None:
    answers.told["/v2/"] = (401, {"WWW-Authenticate": challenge.format(address=answers.address)}, b"")
    if told:
        answers.told["/token"] = told
    with (
        Registry(RegistryAccess(answers.address, username="agent", secret="hush")) as client,
        pytest.raises((RegistryRefused, RegistryUnavailable)),
    ):
        client.ping()


def test_a_limited_token_server_is_a_limit(answers: Answers) -> None:
    challenge = f'Bearer realm="http://{answers.address}/token"'
    answers.told["/v2/"] = (401, {"WWW-Authenticate": challenge}, b"")
    answers.told["/token"] = (429, {"Retry-After": "60"}, b"")
    with Registry(RegistryAccess(answers.address)) as client, pytest.raises(PullLimited) as raised:
        client.ping()
    assert raised.value.details["retry_after"] == 60


def test_pulls_left_are_told_where_the_registry_tells_them(answers: Answers) -> None:
    answers.told["/v2/"] = (
        200,
        {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600", "docker-ratelimit-source": "192.0.2.1"},
        b"",
    )
    with Registry(RegistryAccess(answers.address)) as client:
        left = client.pulls_left()
        assert (left, str(left)) == (PullsLeft(76, 100, 21600), "76 of 100 pulls are left in 6 h")
        answers.told["/v2/"] = (200, {"ratelimit-limit": "many"}, b"")
        assert client.pulls_left() is None


def test_docker_hub_is_asked_by_a_look_at_its_repository_for_that(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600"}
    answers.told["HEAD /v2/ratelimitpreview/test/manifests/latest"] = (200, headers, b"")
    with Registry(RegistryAccess("docker.io")) as client:
        monkeypatch.setattr(client, "_origin", lambda: f"http://{answers.address}")
        assert client.pulls_left() == PullsLeft(0, 100, 21600)
    assert [what for what, _ in answers.asked] == ["HEAD /v2/ratelimitpreview/test/manifests/latest"]


def test_a_host_may_do_without_tls_when_the_administrator_says_so() -> None:
    with Registry(RegistryAccess("registry.lab:5000")) as strict:
        assert not strict._bounds.allows("registry.lab:5000")
        assert strict._origin() == "https://registry.lab:5000"
    with Registry(RegistryAccess("registry.lab:5000"), insecure=["registry.lab:5000"]) as lax:
        assert lax._bounds.allows("registry.lab:5000")
