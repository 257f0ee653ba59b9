"""What is known of an image before it is judged: free of I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..models import Package

USER = "jupyter"
UID = 1000
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Account:
    """A line of ``/etc/passwd``."""

    name: str
    uid: int
    gid: int
    home: str = ""
    shell: str = ""


def accounts(passwd: str) -> tuple[Account, ...]:
    """Read ``/etc/passwd``; lines that are none are left out, as the C library does.

    So is the line that Podman writes into a container for a uid that the image has no name for: its name is the uid.
    """
    found = []
    for line in passwd.splitlines():
        parts = line.split(":")
        if len(parts) == 7 and parts[2].isdigit() and parts[3].isdigit():
            if parts[0] == parts[2]:
                continue
            found.append(Account(parts[0], int(parts[2]), int(parts[3]), parts[5], parts[6]))
    return tuple(found)


def group_names(group: str) -> dict[str, int]:
    """Read ``/etc/group``: name to number."""
    parts = [line.split(":") for line in group.splitlines()]
    return {part[0]: int(part[2]) for part in parts if len(part) == 4 and part[2].isdigit()}


def os_release(text: str) -> dict[str, str]:
    """Read ``/etc/os-release``."""
    pairs = [line.strip().split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#")]
    return {key: value.strip("\"'") for key, value in pairs}


@dataclass(frozen=True, slots=True)
class PipFacts:
    """How pip behaves for the user of the kernels."""

    version: str = ""  # empty: there is no pip for this Python
    path: str = ""
    site: str = ""
    ok: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found in an image, whatever way it could be looked into."""

    architecture: str = ""
    engine_architecture: str = ""
    user: str = ""  # the image's own USER
    path: str | None = None  # PATH of its environment, None when it sets none
    os_release: dict[str, str] = field(default_factory=dict)
    accounts: tuple[Account, ...] = ()
    groups: dict[str, int] = field(default_factory=dict)
    libc: str = ""
    libc_version: str = ""
    tools: frozenset[str] = frozenset()
    python_version: str = ""
    python_path: str = ""
    python3_on_path: bool = False
    other_pythons: tuple[str, ...] = ()  # paths such as /usr/bin/python3.11, newest first
    runs_as_user: bool = False
    run_message: str = ""  # why Python does not run as the user
    pip: PipFacts = PipFacts()
    conda: bool = False
    venv: bool = False
    externally_managed: bool = False
    ensurepip: bool = False
    user_site: bool = True
    prefix: str = ""
    real_path: str = ""  # of the interpreter, links followed
    stdlib: str = ""
    packages: tuple[Package, ...] = ()
    kernelspecs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def account(self, name: str) -> Account | None:
        """Return the account of this name."""
        return next((account for account in self.accounts if account.name == name), None)

    def accounts_of(self, uid: int) -> tuple[Account, ...]:
        """Return the accounts with this number."""
        return tuple(account for account in self.accounts if account.uid == uid)

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders on PATH; those that the engine gives when the image names none."""
        return tuple(part for part in (DEFAULT_PATH if self.path is None else self.path).split(":") if part)

    @property
    def foreign(self) -> bool:
        """Whether the engine cannot run the image's programs."""
        return bool(self.engine_architecture and self.architecture and self.architecture != self.engine_architecture)

    @property
    def ipykernel(self) -> str:
        """Version of ipykernel, or empty."""
        return next((p.version for p in self.packages if p.name.lower() == "ipykernel"), "")

    @property
    def family(self) -> str:
        """Kind of distribution: debian, fedora, alpine, suse, or empty when it has no package manager we know."""
        kinds = {self.os_release.get("ID", ""), *self.os_release.get("ID_LIKE", "").split()}
        for family, names, tools in FAMILIES:
            if kinds & names:
                # A stripped image says "debian" and has no apt: then nothing can be installed.
                return family if self.tools & tools else ""
        return next((family for family, _, tools in FAMILIES if self.tools & tools), "")


FAMILIES: tuple[tuple[str, frozenset[str], frozenset[str]], ...] = (
    ("debian", frozenset({"debian", "ubuntu"}), frozenset({"apt-get"})),
    ("fedora", frozenset({"fedora", "rhel", "centos"}), frozenset({"dnf", "microdnf", "yum"})),
    ("alpine", frozenset({"alpine"}), frozenset({"apk"})),
    ("suse", frozenset({"suse", "opensuse", "sles"}), frozenset({"zypper"})),
)
