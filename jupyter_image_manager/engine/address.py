"""Where the engine is looked for, and who said so."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ..errors import EngineUnavailable

SCHEMES = ("unix://", "http+unix://", "tcp://", "http://", "https://")


def find_address() -> str:
    """Return the engine's address: DOCKER_HOST, the Docker context, or the first socket that is there."""
    said = os.environ.get("DOCKER_HOST")
    if said:
        return said
    context = context_name()
    address = context_address(context) if context else None
    if address:
        return address
    for candidate in usual_sockets():
        if candidate.exists():
            return f"unix://{candidate}"
    return "unix:///var/run/docker.sock"


def said_by() -> str:
    """Return who named the address that :func:`find_address` finds, in words; empty when it was only looked for."""
    if os.environ.get("DOCKER_HOST"):
        return "the variable DOCKER_HOST"
    context = context_name()
    return f"the Docker context {context}" if context and context_address(context) else ""


def usual_sockets() -> list[Path]:
    """Return where engines of this machine listen, the first choice first."""
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}"))
    own, system = runtime / "docker.sock", Path("/var/run/docker.sock")
    docker = [system, own] if os.getuid() == 0 else [own, system]
    return [*docker, runtime / "podman" / "podman.sock", Path("/run/podman/podman.sock")]


def context_name() -> str:
    """Return the Docker context that the user chose; empty when none but the default."""
    name = os.environ.get("DOCKER_CONTEXT")
    if not name:
        try:
            name = json.loads((_folder() / "config.json").read_text()).get("currentContext")
        except (OSError, ValueError, AttributeError):
            return ""
    return "" if not name or name == "default" else str(name)


def context_address(name: str) -> str | None:
    """Return the address that a Docker context has; None when there is no such context."""
    for meta in (_folder() / "contexts" / "meta").glob("*/meta.json"):
        try:
            found = json.loads(meta.read_text())
            if found.get("Name") == name:
                return str(found["Endpoints"]["docker"]["Host"])
        except (OSError, ValueError, KeyError, AttributeError):
            continue
    return None


def _folder() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker")))


def is_remote(address: str) -> bool:
    """Whether folders of this machine cannot be mounted by an engine at the address."""
    return not address.startswith(("unix://", "http+unix://"))


def require_address(address: str) -> None:
    """Refuse what is no address of an engine that can be used.

    Raises
    ------
    EngineUnavailable
        With what to write instead.
    """
    if address.startswith("ssh://"):
        raise EngineUnavailable(
            f"The engine at {address} is on another machine, where folders of this one cannot be mounted; use an "
            "engine of this machine.",
            {"reason": "remote"},
        )
    if not address.startswith(SCHEMES):
        raise EngineUnavailable(
            f"{address!r} is no address of an engine; write it like unix:///var/run/docker.sock.",
            {"reason": "address"},
        )
