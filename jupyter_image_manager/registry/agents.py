"""Secrets of service agents: sealed before they are kept, opened at the moment of use and nowhere else.

A sealed secret is a text that begins with how it is kept: ``fernet:`` (encrypted here, the rest is the ciphertext),
``keyring:`` or ``helper:NAME:`` (kept by the platform, the rest is the name under which it is found again). Whatever
way is chosen, what is sealed says whose it is and for which registry: copied to another community, or to one whose
registry was changed, it does not open.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Enum, Instance, Unicode
from traitlets.config import LoggingConfigurable

from ..errors import InvalidRequest, StoreError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

    from ..manager import ImageManager
    from ..models import Community

SERVICE = "jupyter-image-manager"
GIVE_AGAIN = "give the service agent's secret again with `jupyter image community agent`"
HELPER_TIMEOUT = 30.0


class ServiceAgents(LoggingConfigurable):
    """Seals and opens the secrets of communities' service agents."""

    manager: ImageManager = Instance("jupyter_image_manager.manager.ImageManager")  # type: ignore[assignment]  # traitlets' descriptor gives the instance

    key_file = Unicode(
        "",
        help="""File with the key that seals the secrets of service agents; made when it is not there, readable by its
        owner only. Several keys, one a line: the first seals, all open, so that a key can be replaced. Default:
        `agents.key` in the data folder; elsewhere, a copy of the data folder alone opens nothing.""",
    ).tag(config=True)
    kept_in = Enum(
        ["store", "keyring", "helper"],
        "store",
        help="""Where the secrets of service agents are kept: `store`, sealed with the key of `key_file`; `keyring`, the
        platform's keyring (needs the Python package keyring); `helper`, the credential helper of `helper`. A change
        holds for secrets given from then on.""",
    ).tag(config=True)
    helper = Unicode(
        "",
        help="""Credential helper of Docker that keeps the secrets, the part after `docker-credential-`, for example
        `pass` or `secretservice`.""",
    ).tag(config=True)

    def seal(self, community: Community, user: str, secret: str) -> str:
        """Keep a secret as the administrator says; return what the store keeps of it."""
        text = json.dumps({"community": community.id, "host": community.registry_host, "user": user, "secret": secret})
        name = f"{community.id}@{community.registry_host}"
        if self.kept_in == "keyring":
            self._keyring().set_password(SERVICE, name, text)
            return f"keyring:{name}"
        if self.kept_in == "helper":
            if not self.helper:
                raise InvalidRequest(
                    "Secrets are to be kept by a credential helper, but none is named; set ServiceAgents.helper."
                )
            address = f"https://{community.registry_host}/{SERVICE}/{community.id}"
            self._ask_helper(self.helper, "store", json.dumps({"ServerURL": address, "Username": user, "Secret": text}))
            return f"helper:{self.helper}:{address}"
        return "fernet:" + self._keys(make=True).encrypt(text.encode()).decode()

    def open(self, community: Community, sealed: str) -> str:
        """Return a secret in clear text, for use in memory.

        Raises
        ------
        StoreError
            It cannot be opened, or was sealed for another community, agent or registry.
        """
        way, _, rest = sealed.partition(":")
        if way == "fernet":
            text = self._decrypt(community, rest)
        elif way == "keyring":
            text = self._keyring().get_password(SERVICE, rest) or ""
        elif way == "helper":
            helper, _, address = rest.partition(":")
            text = json.loads(self._ask_helper(helper, "get", address)).get("Secret", "")
        else:
            raise StoreError(f"How the secret of {community.name!r} is kept is not known here; {GIVE_AGAIN}.")
        try:
            kept = json.loads(text)
            bound = (kept["community"], kept["host"], kept["user"])
            secret = str(kept["secret"])
        except (ValueError, KeyError, TypeError):
            raise StoreError(f"The secret of the community {community.name!r} is not there; {GIVE_AGAIN}.") from None
        if bound != (community.id, community.registry_host, community.agent):
            raise StoreError(
                f"The secret of the community {community.name!r} was given for another registry or user; {GIVE_AGAIN}."
            )
        return secret

    def forget(self, sealed: str) -> None:
        """Remove what a keyring or a helper keeps; what the store keeps goes with its row."""
        way, _, rest = sealed.partition(":")
        try:
            if way == "keyring":
                self._keyring().delete_password(SERVICE, rest)
            elif way == "helper":
                helper, _, address = rest.partition(":")
                self._ask_helper(helper, "erase", address)
        except (InvalidRequest, StoreError) as error:
            # The row goes all the same: a secret that cannot be reached any more must not hold the community.
            self.log.warning("A secret may stay behind where it was kept: %s", error)

    # The store's own way
    @property
    def key_path(self) -> Path:
        """The file of the key."""
        return Path(self.key_file).expanduser() if self.key_file else self.manager.data_path / "agents.key"

    def _decrypt(self, community: Community, token: str) -> str:
        from cryptography.fernet import InvalidToken

        try:
            return self._keys(make=False).decrypt(token.encode()).decode()
        except InvalidToken:
            raise StoreError(
                f"The secret of the community {community.name!r} does not open with the key in {self.key_path}; "
                f"bring back the key with which it was sealed, or {GIVE_AGAIN}."
            ) from None

    def _keys(self, *, make: bool) -> MultiFernet:
        """Return the keys; read at each use, so that a replaced file holds at once."""
        from cryptography.fernet import Fernet, MultiFernet

        path = self.key_path
        try:
            if make and not path.exists():
                _write_once(path, Fernet.generate_key())
            if stat.S_IMODE(path.stat().st_mode) & 0o037:
                raise StoreError(
                    f"The key file {path} can be read or changed by others; take their rights with "
                    f"`chmod 600 {path}`, and replace the key if others may have seen it."
                )
            lines = path.read_bytes().split()
            return MultiFernet([Fernet(line) for line in lines])
        except OSError as error:
            raise StoreError(
                f"The key file {path} of the service agents' secrets cannot be used ({error.strerror}); bring it "
                f"back or set ServiceAgents.key_file, or {GIVE_AGAIN}."
            ) from error
        except ValueError:
            raise StoreError(
                f"The key file {path} holds no key; it should hold what `Fernet.generate_key()` of the Python package "
                "cryptography gives, one a line."
            ) from None

    # The platform's ways
    @staticmethod
    def _keyring() -> Any:
        try:
            import keyring
            import keyring.errors
        except ImportError:
            raise InvalidRequest(
                "Secrets are to be kept in the platform's keyring, which needs the Python package keyring: install "
                "it, or set ServiceAgents.kept_in to 'store'."
            ) from None
        return _Keyring(keyring, keyring.errors.KeyringError)

    @staticmethod
    def _ask_helper(helper: str, verb: str, said: str) -> str:
        """Ask a credential helper; what is secret goes through its standard input, never its arguments."""
        program = f"docker-credential-{helper}"
        try:
            answer = subprocess.run(
                [program, verb], input=said, capture_output=True, text=True, timeout=HELPER_TIMEOUT, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StoreError(
                f"The credential helper {program} does not work ({getattr(error, 'strerror', '') or 'no answer'}); "
                "install it, or set ServiceAgents.kept_in to 'store'."
            ) from None
        if answer.returncode:
            reason = (answer.stdout or answer.stderr).strip().splitlines()
            if verb == "get":
                raise StoreError(f"The credential helper {program} has no such secret; {GIVE_AGAIN}.")
            raise StoreError(
                f"The credential helper {program} refused to {verb} a secret ({reason[0] if reason else 'no reason'}); "
                "see that it works by itself."
            )
        return answer.stdout


class _Keyring:
    """The platform's keyring, whose failures are ours."""

    def __init__(self, module: Any, failure: type[Exception]) -> None:
        self._module, self._failure = module, failure

    def __getattr__(self, verb: str) -> Any:
        def call(*words: str) -> Any:
            try:
                return getattr(self._module, verb)(*words)
            except self._failure as error:
                # Its message may quote what it was given.
                raise StoreError(
                    f"The platform's keyring refused ({type(error).__name__}); unlock it, or set "
                    "ServiceAgents.kept_in to 'store'."
                ) from None

        return call


def _write_once(path: Path, key: bytes) -> None:
    """Write a key readable by its owner only; of several writers the first wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".agents-")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(name, path)
        except FileExistsError:
            return
    finally:
        Path(name).unlink()
