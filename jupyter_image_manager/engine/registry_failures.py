"""What a registry's refusal means, as the engine tells it when it pulls or pushes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import (
    EngineError,
    ImageManagerError,
    ImageNotFound,
    NoSpaceLeft,
    PullLimited,
    RegistryRefused,
    RegistryUnavailable,
)
from .translate import meaning

if TYPE_CHECKING:
    from ..models import RegistryAccess

_LIMITED = re.compile(r"toomanyrequests|too many requests|rate limit|\bhttp 429\b|status:? 429")
_WAIT = re.compile(r"retry[- ]after:?\s*(\d+)|in (\d+) seconds")
_SPACE = re.compile(r"no space left on device|disk quota exceeded|insufficient storage|status:? 507")
_LARGE = re.compile(r"request entity too large|\bhttp 413\b|status:? 413")
_UNKNOWN_NAME = re.compile(r"name unknown|repository .* (?:does not exist|not found)|name invalid")
_SIGN_IN = re.compile(r"unauthorized|authentication required|no basic auth credentials|status:? 401|http 401")
_DENIED = re.compile(r"denied|forbidden|insufficient_scope|status:? 403|http 403")
_TRUST = re.compile(r"x509|certificate|server gave http response to https client")
_ABSENT = re.compile(
    r"no such host|server misbehaving|temporary failure in name resolution|timeout|network is unreachable"
    r"|connection refused|connection reset|broken pipe|\beof\b|no route to host|dial tcp|failed to do request"
    r"|(?:status|http):? 5\d\d|internal server error|bad gateway|service unavailable"
)
_WRONG = re.compile(r"verification failed|digest mismatch|unexpected commit digest")
_GONE = re.compile(r"manifest unknown|manifest for .* not found|not found: manifest|blob unknown")


def refusal(
    reference: str, access: RegistryAccess | None, *, push: bool = False
) -> Callable[[str, int | None], ImageManagerError]:
    """Return what makes an error of each text that the engine gives while it pulls or pushes a reference.

    Parameters
    ----------
    access : RegistryAccess or None
        As whom it is done; None where nobody of ours is signed in, as for the base of an import.
    """

    def told(text: str, status: int | None) -> ImageManagerError:
        if access is None:
            return meaning(text, reference, status)
        return _meant(text, reference, access, status, push=push)

    return told


def _meant(text: str, reference: str, access: RegistryAccess, status: int | None, *, push: bool) -> ImageManagerError:
    lower = text.lower()
    details = {"engine": text[:2000], "status": status, "host": access.host}
    agent = f"its service agent {access.username!r}" if access.username else "a service agent without a name"
    what = "pushed" if push else "pulled"
    if _LIMITED.search(lower):
        wait = _WAIT.search(lower)
        seconds = float(wait[1] or wait[2]) if wait else None
        told = f" (try again in {seconds:.0f} s)" if seconds is not None else ""
        return PullLimited(
            f"The registry {access.host} limits requests and takes no more for now{told}; wait, sign in as somebody "
            "whom it allows more, or use a mirror.",
            {**details, "retry_after": seconds},
        )
    if _SPACE.search(lower):
        where = f"the registry {access.host}, or of the engine," if push else "the engine"
        return NoSpaceLeft(
            f"{reference} cannot be {what}: the disk of {where} is full; make room there, then try again.", details
        )
    if _LARGE.search(lower):
        return RegistryRefused(
            f"The registry {access.host} takes no layer as large as one of {reference}; let its administrator raise "
            "the limit of its proxy, or build the image from smaller steps.",
            details,
        )
    if _TRUST.search(lower):
        return RegistryUnavailable(
            f"The engine does not trust the registry {access.host}; give the engine the registry's certificate, in "
            f"/etc/docker/certs.d/{access.host}/ca.crt for Docker.",
            details,
        )
    if _GONE.search(lower) and not push:
        return ImageNotFound(
            f"The registry has no {reference} any more, or does not show it to {agent}; look whether it was deleted "
            "there, and at the agent's rights.",
            details,
        )
    if _WRONG.search(lower):
        return RegistryUnavailable(
            f"The registry {access.host} delivered something else than {reference}, and the engine refused it; let the "
            "registry's administrator look why.",
            {**details, "reason": "digest"},
        )
    if _SIGN_IN.search(lower):
        return RegistryRefused(
            f"The registry {access.host} does not accept {agent}, so {reference} cannot be {what}; let the community's "
            "administrator give the agent's name and secret anew.",
            {**details, "reason": "unauthorized"},
        )
    if _DENIED.search(lower) or (push and _UNKNOWN_NAME.search(lower)):
        return RegistryRefused(
            f"The registry {access.host} does not let {agent} {'push' if push else 'pull'} {reference}; let the "
            "community's administrator give it that right there, or make the repository where the registry wants that.",
            {**details, "reason": "denied"},
        )
    if _ABSENT.search(lower):
        return RegistryUnavailable(
            f"The registry {access.host} cannot be reached, or broke off, so {reference} was not {what}; look whether "
            "it is up, then try again: what is there already is not sent again.",
            details,
        )
    known = meaning(text, reference, status)
    if type(known) is EngineError:
        known = EngineError(f"{reference} could not be {what}: {' '.join(text.split())[:500]}; try again.", details)
    known.details = {**details, **known.details}
    return known
