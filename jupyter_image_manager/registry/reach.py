"""Whether a registry can be reached, without pulling anything (a question to ``/v2/`` counts as no pull)."""

from __future__ import annotations

import urllib.error
import urllib.request

DOCKER_HUB = "registry-1.docker.io"


def host_of(reference: str) -> str:
    """Return the registry's host of an image reference, as the engine would resolve it."""
    first, slash, _ = reference.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return DOCKER_HUB if first in ("docker.io", "index.docker.io") else first
    return DOCKER_HUB


def unreachable(host: str, *, proxies: dict[str, str] | None = None, timeout: float = 4.0) -> str:
    """Return why a registry cannot be reached from this machine; empty when it answers, whatever it answers.

    Parameters
    ----------
    host : str
        Host, perhaps with a port, or a whole address such as a mirror's.
    proxies : dict, optional
        ``http`` and ``https`` proxies; default: those of the environment.
    timeout : float
        Seconds to wait.
    """
    address = host if "://" in host else f"https://{host}"
    handlers = [] if proxies is None else [urllib.request.ProxyHandler(proxies)]
    opener = urllib.request.build_opener(*handlers)
    try:
        opener.open(f"{address.rstrip('/')}/v2/", timeout=timeout).close()
    except urllib.error.HTTPError as error:
        # It wants a sign-in or refuses this address: it is there. A gateway that answers in its stead is not it.
        return (
            ""
            if error.code in (401, 404, 405, 429) or error.headers.get("Docker-Distribution-Api-Version")
            else str(error)
        )
    except urllib.error.URLError as error:
        return str(error.reason)
    except (OSError, ValueError) as error:
        return str(error)
    return ""
