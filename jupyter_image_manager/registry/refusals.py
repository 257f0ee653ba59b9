"""What a registry's refusal means, from its answer to our own requests."""

from __future__ import annotations

import email.utils
import json
import time
from typing import TYPE_CHECKING, Any

from ..errors import (
    ImageManagerError,
    ImageNotFound,
    NoSpaceLeft,
    PullLimited,
    RegistryRefused,
    RegistryUnavailable,
)

if TYPE_CHECKING:
    from requests import Response

    from ..models import RegistryAccess

TEXT_LIMIT = 500
DOING = {
    "pull": "look up or pull",
    "push": "push",
    "delete": "delete",
    "list": "list the tags of",
    "sign-in": "sign in for",
}


def retry_after(value: str | None) -> float | None:
    """Return the seconds of a ``Retry-After`` header, a number or a date; None when it says nothing."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def said_in(body: bytes) -> tuple[str, str]:
    """Return the code and the message of the first error of an answer's body; empty when it tells none."""
    try:
        first = json.loads(body)["errors"][0]
        return str(first.get("code", "")).upper(), " ".join(str(first.get("message", "")).split())[:TEXT_LIMIT]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return "", ""


def refusal(answer: Response, body: bytes, access: RegistryAccess, what: str, right: str) -> ImageManagerError:
    """Return the error that an answer of a registry, or of its token server, is.

    Parameters
    ----------
    what : str
        The repository, tag or digest in question, in full.
    right : str
        What was to be done: a key of :data:`DOING`.
    """
    status = answer.status_code
    code, message = said_in(body)
    agent = f"its service agent {access.username!r}" if access.username else "somebody who does not sign in"
    details: dict[str, Any] = {"host": access.host, "status": status, "right": right, "registry": message, "code": code}
    tail = f" It says: {message.rstrip('.')}." if message else ""
    wait = retry_after(answer.headers.get("Retry-After"))
    if status == 429 or code == "TOOMANYREQUESTS":
        told = f" (try again in {wait:.0f} s)" if wait is not None else ""
        return PullLimited(
            f"The registry {access.host} limits requests and takes no more for now{told}; wait, sign in as somebody "
            "whom it allows more, or use a mirror.",
            {**details, "retry_after": wait},
        )
    if code == "UNSUPPORTED" or status == 405:
        return unsupported(answer, body, access, what, right)
    scopes = "insufficient_scope" in answer.headers.get("WWW-Authenticate", "")
    if status == 401 and not access.username:
        return RegistryRefused(
            f"The registry {access.host} wants a sign-in before it lets anybody {DOING[right]} {what}; let the "
            f"community's administrator give it a service agent.{tail}",
            {**details, "reason": "unauthorized"},
        )
    if status == 401 and not scopes and code != "DENIED":
        return RegistryRefused(
            f"The registry {access.host} does not accept {agent}; let the community's administrator give the agent's "
            f"user and secret anew.{tail}",
            {**details, "reason": "unauthorized"},
        )
    if status in (401, 403):
        return RegistryRefused(
            f"The registry {access.host} does not let {agent} {DOING[right]} {what}; let the community's administrator "
            f"give it that right there.{tail}",
            {**details, "reason": "denied"},
        )
    if status == 404:
        return ImageNotFound(
            f"The registry {access.host} has no {what}, or does not show it to {agent}; look whether it was deleted "
            f"there, and at the agent's rights.{tail}",
            details,
        )
    if status in (413, 507):
        return NoSpaceLeft(
            f"The registry {access.host} has no room for {what}, or takes nothing as large; let its administrator make "
            f"room or raise the limit.{tail}",
            details,
        )
    if status >= 500:
        return RegistryUnavailable(
            f"The registry {access.host} is out of order (HTTP {status}), so it is not known how {what} is; look "
            f"whether it is up, then try again.{tail}",
            {**details, "retry_after": wait},
        )
    return RegistryRefused(
        f"The registry {access.host} answers HTTP {status} when asked to {DOING[right]} {what}; look at the registry's "
        f"host and the namespace.{tail}",
        {**details, "reason": "unexpected"},
    )


def unsupported(answer: Response, body: bytes, access: RegistryAccess, what: str, right: str) -> RegistryRefused:
    """Return the error of what a registry does for nobody."""
    code, message = said_in(body)
    tail = f" It says: {message.rstrip('.')}." if message else ""
    return RegistryRefused(
        f"The registry {access.host} cannot {DOING[right]} {what} for anybody; its administrator must allow that in "
        f"its settings, or do it there.{tail}",
        {"host": access.host, "status": answer.status_code, "right": right, "code": code, "reason": "unsupported"},
    )


def broken(access: RegistryAccess, reason: str, *, tls: bool) -> RegistryUnavailable:
    """Return the error of a request without an answer."""
    if tls:
        return RegistryUnavailable(
            f"The certificate of the registry {access.host} is not trusted here ({reason}); set "
            "BuildSettings.ca_bundle to a file with the certificates of its authority.",
            {"host": access.host, "reason": "certificate"},
        )
    return RegistryUnavailable(
        f"The registry {access.host} cannot be reached ({reason}); look at its host and at the network, then try "
        "again.",
        {"host": access.host, "reason": "unreachable"},
    )
