"""Hosts and namespaces of registries, as people type them; pure."""

from __future__ import annotations

import ipaddress
import re

from ..errors import InvalidRequest
from ..reference import HOST, PATH

HOST_LENGTH = 255
NAMESPACE_LENGTH = 160  # of the 255 letters of a repository; project and name follow
DOCKER_HUB = "docker.io"
DOCKER_HUB_API = "registry-1.docker.io"
_HUB_NAMES = frozenset({DOCKER_HUB, "index.docker.io", DOCKER_HUB_API, "hub.docker.com", "registry.hub.docker.com"})
EXAMPLE = "for example harbor.example.org or localhost:5000"


def check_host(text: str) -> str:
    """Return the host of a registry as references name it; empty when there is to be none.

    Raises
    ------
    InvalidRequest
        Says what is wrong with it.
    """
    host = text.strip().lower()
    if not host:
        return ""
    shown = repr(text if len(text) <= 60 else text[:57] + "...")
    if "@" in host:
        # It may hold a password: it is not repeated.
        raise InvalidRequest(
            f"A registry is named by its host alone, {EXAMPLE}; user and secret are the service agent's."
        )
    if "://" in host:
        raise InvalidRequest(f"{shown} is an address; a registry is named by its host alone, {EXAMPLE}.")
    if "/" in host:
        raise InvalidRequest(f"{shown} has a path; what follows the registry's host is the namespace.")
    name, port = _split(host)
    if len(host) > HOST_LENGTH or not HOST.fullmatch(host) or (port and not 1 <= int(port) <= 65535):
        raise InvalidRequest(
            f"{shown} is no host of a registry; one is a name or an address, perhaps with a port, {EXAMPLE}."
        )
    if name.startswith("["):
        try:
            ipaddress.IPv6Address(name[1:-1])
        except ValueError:
            raise InvalidRequest(f"{shown} is no address of a registry's host.") from None
    if host in _HUB_NAMES:
        return DOCKER_HUB
    if "." not in name and not port and name != "localhost" and not name.startswith("["):
        raise InvalidRequest(
            f"{shown} would be taken for a namespace of Docker Hub; write the registry's host in full or with its "
            f"port, {EXAMPLE}."
        )
    return host


def check_namespace(text: str) -> str:
    """Return the namespace below which images are pushed; empty when there is none.

    Raises
    ------
    InvalidRequest
        Says what is wrong with it, and what would do.
    """
    namespace = text.strip().strip("/")
    if not namespace:
        return ""
    if PATH.fullmatch(namespace) and len(namespace) <= NAMESPACE_LENGTH:
        return namespace
    shown = repr(text if len(text) <= 60 else text[:57] + "...")
    words = [re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in namespace.split("/")]
    better = "/".join(word for word in words if word)[:NAMESPACE_LENGTH].strip("-/") or "team"
    raise InvalidRequest(
        f"{shown} is no namespace in a registry: use small letters, digits and single . _ - between them, parts joined "
        f"by a slash, at most {NAMESPACE_LENGTH} letters, for example {better!r}.",
        {"suggestion": better},
    )


def is_docker_hub(host: str) -> bool:
    """Whether a host is Docker Hub, under whichever of its names."""
    return host in _HUB_NAMES


def api_host(host: str) -> str:
    """Return the host that answers for a registry's name: Docker Hub's is another than its name."""
    return DOCKER_HUB_API if is_docker_hub(host) else host


def is_loopback(host: str) -> bool:
    """Whether a host, perhaps with a port, is this machine."""
    name, _ = _split(host)
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _split(host: str) -> tuple[str, str]:
    name, colon, port = host.rpartition(":")
    if not colon or port.endswith("]") or not port.isdigit():
        return host, ""
    return name, port
