"""Why no engine answers, and what to do: the cure depends on who named its address and on what is installed."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .engine import address as addresses
from .errors import EngineTimeout, ImageManagerError
from .models import Finding

if TYPE_CHECKING:
    from .manager import ImageManager

SETUP = "`jupyter image setup` installs and starts one where that is possible."


def findings(manager: ImageManager, error: ImageManagerError | None) -> Iterator[Finding]:
    """Say why the engine cannot be used."""
    message = error.message if error else "It does not answer."
    yield Finding("engine", "Engine", "error", message, cure(manager, error))
    yield from other_engines(getattr(manager.engine, "address", ""))


def cure(manager: ImageManager, error: ImageManagerError | None) -> str:
    """Return what a person must do so that the engine answers."""
    reason = error.details.get("reason") if error else None
    named = named_by(manager)
    if isinstance(error, EngineTimeout):
        return "Restart the engine: it takes connections and does not answer."
    if reason == "permission":
        return permission()
    if reason == "old":
        return "Install Docker Engine 20.10 or newer in its place."
    if named:
        context = named.startswith("the Docker context")
        undo = "choose another by `docker context use default`" if context else "take that away"
        return f"Its address comes from {named}: correct it, start that engine, or {undo}."
    if shutil.which("dockerd") or Path("/usr/sbin/dockerd").exists():
        return "Docker Engine is installed and does not run: `jupyter image setup` starts it."
    if shutil.which("podman"):
        user = "" if os.getuid() == 0 else " --user"
        return f"Podman is installed: `systemctl{user} enable --now podman.socket` lets it answer. Or {SETUP}"
    return SETUP


def named_by(manager: ImageManager) -> str:
    """Return who named the engine's address, in words; empty when the usual sockets were tried."""
    return "the setting DockerEngine.host" if getattr(manager.engine, "host", "") else addresses.said_by()


def permission() -> str:
    """Return how this user gets to use a rootful engine's socket."""
    name = pwd.getpwuid(os.getuid()).pw_name
    try:
        group = grp.getgrnam("docker")
    except KeyError:
        return f"`jupyter image setup` makes the group docker and puts {name} into it; or use a rootless engine."
    if name in group.gr_mem and group.gr_gid not in os.getgroups():
        return (
            f"{name} is in the group docker, and this session began before that: log out and in again (or start "
            "`newgrp docker`), and start the Jupyter server anew."
        )
    return (
        f"Run `sudo usermod -aG docker {name}` (`jupyter image setup` does), then log out and in again. Whoever is in "
        "that group has the rights of root; a rootless engine gives none."
    )


def other_engines(address: str) -> Iterator[Finding]:
    """Name sockets of this machine that could be used instead."""
    for path in addresses.usual_sockets():
        other = f"unix://{path}"
        if other != address and path.is_socket() and os.access(path, os.W_OK):
            yield Finding(
                "other-engine", "Other engine", "info", f"{path} is there: DOCKER_HOST={other} makes us use it."
            )


def context() -> Iterator[Finding]:
    """Whether the Docker context that the user chose exists, and whether DOCKER_HOST overrides it."""
    name = addresses.context_name()
    if not name:
        return
    if addresses.context_address(name) is None:
        yield Finding(
            "context",
            "Docker context",
            "warning",
            f"the chosen Docker context {name} does not exist; the usual sockets are tried.",
            "Choose one that does: `docker context ls`, `docker context use default`.",
        )
    elif os.environ.get("DOCKER_HOST"):
        yield Finding(
            "context", "Docker context", "info", f"DOCKER_HOST is set, so the Docker context {name} is not used."
        )
