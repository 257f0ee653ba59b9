"""Real registries of the tests' own on loopback: plain, with accounts, with TLS of an own CA, with token sign-in.

::

    from tests import registries

    with registries.running(tmp_path) as registry:                                  # anybody may do anything
        registry.address                                                            # 127.0.0.1:PORT
    with registries.running(tmp_path, accounts=registries.ACCOUNTS) as registry:    # basic authentication
        registry.user, registry.secret
    with registries.running(tmp_path, tls=True, token=True) as registry:            # own CA; tokens of our own server
        registry.ca, registry.tokens
    with registries.running(tmp_path) as registry, faults.proxy(registry.address) as proxy:
        proxy.rules.append(faults.Fault("^GET .*/blobs/", rate=10_000))             # see tests/faults.py

Engines trust 127.0.0.0/8 without TLS and with any certificate, so each of them serves the shared engine too. A registry
may be stopped and started again at its address; its blobs stay in its folder. Deletion is on unless told otherwise.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import docker

from . import certificates, tokens

PROGRAM = Path(__file__).parents[1] / "machine" / "registry"

# What `htpasswd -B` makes of each secret, by secret.
HASHES = {
    "correct horse": "$2b$04$w6KwJrbweanTOEYhkqWNWe/KoUJnRLwcTEI2oiRelv42ilCss4uVe",
    "battery staple": "$2b$04$zizpVVsQoY03TswV/kFCKenXZksIVEt8F56xiZvTtV74kEEISjEo2",
}
ACCOUNTS = {"agent": "correct horse"}


@dataclass
class Registry:
    """A registry that runs; whom it lets in, and where it keeps what it was given."""

    address: str
    folder: Path
    user: str = ""
    secret: str = ""
    ca: Path | None = None
    tokens: tokens.TokenServer | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it, again if need be, at its address."""
        program = subprocess.run([PROGRAM], check=True, capture_output=True, text=True).stdout.strip()
        log = self.folder / "registry.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [program, "serve", self.folder / "registry.yml"], stdout=output, stderr=output
            )
        end = time.monotonic() + 30
        while not self._answers():
            assert self._process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it; what it was given stays in its folder."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def allow(self, accounts: Mapping[str, str]) -> None:
        """Say anew who may sign in, while it runs."""
        if self.tokens is not None:
            self.tokens.accounts = dict(accounts)
            return
        file = self.folder / "htpasswd"
        file.write_text("".join(f"{user}:{HASHES[secret]}\n" for user, secret in accounts.items()))

    def collect_garbage(self) -> str:
        """Remove the blobs that no manifest needs any more, as only the registry's own program can; stop it first."""
        program = subprocess.run([PROGRAM], check=True, capture_output=True, text=True).stdout.strip()
        command = [program, "garbage-collect", "--delete-untagged", self.folder / "registry.yml"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    @property
    def url(self) -> str:
        """Its address, with how it is spoken to."""
        return f"{'https' if self.ca else 'http'}://{self.address}"

    def _answers(self) -> bool:
        context = ssl.create_default_context(cafile=str(self.ca)) if self.ca else None
        try:
            urllib.request.urlopen(f"{self.url}/v2/", timeout=5, context=context).close()
        except urllib.error.HTTPError as error:
            return error.code == 401
        except OSError:
            return False
        return True


@contextmanager
def running(
    folder: Path,
    *,
    accounts: Mapping[str, str] | None = None,
    tls: bool = False,
    token: bool = False,
    deletion: bool = True,
) -> Iterator[Registry]:
    """Run a registry that keeps its blobs in a folder.

    Parameters
    ----------
    accounts : dict, optional
        Users and their secrets (out of :data:`HASHES`); without them everybody may do everything.
    tls : bool
        Speak TLS, with a certificate of a CA of its own.
    token : bool
        Let a token server of ours say who may do what, instead of the registry itself.
    deletion : bool
        Whether manifests may be deleted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    registry = Registry(f"127.0.0.1:{free_port()}", folder)
    config = {
        "version": 0.1,
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "blobs")},
            "delete": {"enabled": deletion},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": registry.address},
    }
    with ExitStack() as stack:
        if tls:
            made = certificates.make(folder)
            registry.ca = made.ca
            config["http"]["tls"] = {"certificate": str(made.certificate), "key": str(made.key)}
        if token:
            accounts = accounts if accounts is not None else ACCOUNTS
            registry.tokens = stack.enter_context(tokens.serving(folder, accounts))
            config["auth"] = {"token": registry.tokens.settings()}
        elif accounts is not None:
            config["auth"] = {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}
        if accounts:
            registry.allow(accounts)
            registry.user, registry.secret = next(iter(accounts.items()))
        (folder / "registry.yml").write_text(json.dumps(config))  # JSON is YAML
        stack.callback(registry.stop)
        registry.start()
        yield registry


def free_port() -> int:
    """Return a port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def push(client: docker.APIClient, image: str, reference: str, auth: dict[str, str] | None = None) -> str:
    """Push an image of the engine under a reference; return the digest that the registry gave it."""
    repository, _, tag = reference.rpartition(":")
    client.tag(image, repository, tag)
    try:
        said = list(client.push(repository, tag, stream=True, decode=True, auth_config=auth))
    finally:
        client.remove_image(reference)
    (digest,) = (line["aux"]["Digest"] for line in said if "Digest" in line.get("aux", {}))
    return str(digest)
