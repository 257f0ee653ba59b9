"""Whether a registry can be reached, without pulling anything (a question to ``/v2/`` counts as no pull)."""

from __future__ import annotations

from . import address

DOCKER_HUB = address.DOCKER_HUB_API


def host_of(reference: str) -> str:
    """Return the registry's host of an image reference, as the engine would resolve it."""
    first, slash, _ = reference.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return address.api_host(first)
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
    import requests

    from .transport import prepared

    place = host if "://" in host else f"https://{host}"
    name = place.partition("://")[2].partition("/")[0]
    with requests.Session() as session:
        # A mirror's address says itself how it is spoken to; nobody signs in here.
        prepared(session, name, timeout=timeout, insecure=(name,))
        if proxies is not None:
            session.trust_env = False
            session.proxies.update(proxies)
        try:
            answer = session.get(f"{place.rstrip('/')}/v2/", stream=True)
        except (requests.RequestException, ValueError) as error:
            return reason(error)
        with answer:
            # It wants a sign-in or refuses this address: it is there. A gateway that answers in its stead is not it.
            there = answer.ok or answer.status_code in (401, 404, 405, 429)
            there = there or "Docker-Distribution-Api-Version" in answer.headers
            return "" if there else f"HTTP {answer.status_code} {answer.reason}"


def reason(error: Exception) -> str:
    """Return the innermost words of a failed request: those that say why."""
    cause: BaseException = error
    while True:
        inner = getattr(cause, "reason", None) or next(
            (arg for arg in getattr(cause, "args", ()) if isinstance(arg, BaseException)), None
        )
        if not isinstance(inner, BaseException):
            break
        cause = inner
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause).rpartition("): ")[2] or type(cause).__name__
