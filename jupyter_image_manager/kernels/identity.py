"""As whom a kernel runs, so that its files belong to the right person (R41)."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from ..engine.port import EngineInfo
from ..errors import KernelStartError

IMAGE_UID = 1000
"""The uid of `jupyter`, the user that every usable image has (R30)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A user of this machine, and what it is inside the container."""

    uid: int  # on this machine: who owns the files that the kernel writes
    gid: int
    groups: tuple[int, ...] = ()
    name: str = ""
    rootless: bool = False  # root of the container is this user; every other uid would be a stranger

    @property
    def user(self) -> str:
        """The user of the container, as the engine wants it."""
        return "0:0" if self.rootless else f"{self.uid}:{self.gid}"

    @property
    def inside_uid(self) -> int:
        """The uid that the kernel sees."""
        return 0 if self.rootless else self.uid

    @property
    def owner(self) -> tuple[int, int] | None:
        """To whom the kernel's private folder must be given; None when it is this process's user already."""
        return (self.uid, self.gid) if os.getuid() == 0 and self.uid != 0 and not self.rootless else None


def of_folder(folder: Path, info: EngineInfo) -> Identity:
    """Return who a kernel in this project folder is.

    A server that is not root runs kernels as itself; a root server as the folder's owner.
    """
    if info.rootless:
        return Identity(os.getuid(), os.getgid(), name=_name(os.getuid()), rootless=True)
    if os.getuid() != 0:
        groups = tuple(g for g in os.getgroups() if g != os.getgid())
        return Identity(os.getuid(), os.getgid(), groups, _name(os.getuid()))
    found = folder.stat()
    if found.st_uid == 0:
        return Identity(0, 0, name="root")
    try:
        entry = pwd.getpwuid(found.st_uid)
    except KeyError:
        return Identity(found.st_uid, found.st_gid)
    groups = tuple(g for g in {*os.getgrouplist(entry.pw_name, entry.pw_gid), found.st_gid} if g != entry.pw_gid)
    return Identity(found.st_uid, entry.pw_gid, groups, entry.pw_name)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def access(folder: Path, identity: Identity) -> tuple[bool, bool]:
    """Tell whether the identity may enter and read the folder, and whether it may write there.

    The container mounts the folder itself, so only its own permissions count, not its parents'.
    """
    if os.getuid() == identity.uid and identity.uid != 0:
        return os.access(folder, os.R_OK | os.X_OK), os.access(folder, os.W_OK | os.X_OK)
    found = folder.stat()
    mode = found.st_mode
    if found.st_uid == identity.uid:
        bits = mode >> 6
    elif found.st_gid in (identity.gid, *identity.groups):
        bits = mode >> 3
    else:
        bits = mode
    read_only = bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    return bool(bits & 0o5 == 0o5), bool(bits & 0o3 == 0o3) and not read_only


def require_access(folder: Path, identity: Identity, *, allow_read_only: bool) -> bool:
    """Raise when the kernel could not work in the folder; return whether it may write there.

    Raises
    ------
    KernelStartError
        With what to do about it.
    """
    try:
        mode = folder.stat().st_mode
    except OSError as error:
        raise KernelStartError(
            f"The project folder {folder} cannot be opened ({error.strerror}); check that it is still there."
        ) from error
    if not stat.S_ISDIR(mode):
        raise KernelStartError(f"The project folder {folder} is not a folder.")
    readable, writable = access(folder, identity)
    who = identity.name or f"the user with uid {identity.uid}"
    if not readable:
        raise KernelStartError(
            f"The project folder {folder} cannot be read by {who}, as whom its kernels run; "
            f"give access with `chmod u+rwx` or `chown {identity.uid}`."
        )
    if not writable and not allow_read_only:
        raise KernelStartError(
            f"The project folder {folder} cannot be written by {who}, as whom its kernels run; give access with "
            f"`chmod u+w` or `chown {identity.uid}`, or set KernelService.allow_read_only to start kernels anyway."
        )
    return writable


def passwd_line(identity: Identity, home: str) -> str:
    """Return the entry that the image's /etc/passwd lacks."""
    name = identity.name or f"user{identity.uid}"
    return f"{name}:x:{identity.uid}:{identity.gid}:{name}:{home}:/bin/sh\n"


def with_user(passwd: str, identity: Identity, home: str) -> str:
    """Return the image's passwd with the identity as only bearer of its uid, and its name taken by nobody else."""
    line = passwd_line(identity, home)
    name = line.partition(":")[0]
    kept = []
    for entry in passwd.splitlines():
        fields = entry.split(":")
        if len(fields) < 4 or fields[2] == str(identity.uid) or fields[0] == name:
            continue
        kept.append(entry)
    return "\n".join([*kept, line])


def with_groups(group: str, identity: Identity) -> str:
    """Return the image's group file with the identity's groups named."""
    known = {fields[2] for entry in group.splitlines() if len(fields := entry.split(":")) >= 3}
    names = {entry.partition(":")[0] for entry in group.splitlines()}
    added = []
    for gid in (identity.gid, *identity.groups):
        if str(gid) in known:
            continue
        try:
            name = grp.getgrgid(gid).gr_name
        except KeyError:
            name = f"group{gid}"
        if name in names:
            name = f"{name}{gid}"
        known.add(str(gid))
        names.add(name)
        added.append(f"{name}:x:{gid}:")
    return "\n".join([group.rstrip("\n"), *added, ""])


def home_in(passwd: str, uid: int) -> str:
    """Return the home that a passwd file gives to a uid; empty when it does not know it."""
    for entry in passwd.splitlines():
        fields = entry.split(":")
        if len(fields) >= 6 and fields[2] == str(uid):
            return fields[5]
    return ""
