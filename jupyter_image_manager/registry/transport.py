"""How registries are spoken to: with bounds on time, TLS but where it was waived, and no sign-in that nobody chose."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema
from urllib3.util import Retry

from .address import is_loopback

if TYPE_CHECKING:
    from requests import Response

AGENT = "jupyter-image-manager"


class Bounded(HTTPAdapter):
    """Waits no longer than told, and speaks without TLS to none but the hosts that may be spoken to so."""

    def __init__(self, timeout: float, insecure: Collection[str] = ()) -> None:
        # One more try when a connection could not be made, or ended before an answer began. What the registry
        # answers is never tried again here: who asked knows whether it is worth the wait.
        tries = Retry(
            total=1,
            connect=1,
            read=1,
            redirect=0,
            status=0,
            other=0,
            backoff_factor=0.2,
            respect_retry_after_header=False,
        )
        super().__init__(max_retries=tries)
        self._timeout = timeout
        self._insecure = frozenset(insecure)

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send a request, unless secrets could be read on the way."""
        parts = urlsplit(request.url or "")
        if parts.scheme == "http" and not self.allows(parts.netloc):
            raise InvalidSchema(f"{parts.netloc} wants to be spoken to without TLS")
        kwargs["timeout"] = kwargs.get("timeout") or self._timeout
        return super().send(request, *args, **kwargs)

    def allows(self, host: str) -> bool:
        """Whether a host may be spoken to without TLS."""
        return is_loopback(host) or host in self._insecure


def prepared(session: Session, host: str, *, timeout: float, insecure: Collection[str] = ()) -> Bounded:
    """Make a session ours; return its bounds."""
    bounds = Bounded(timeout, insecure)
    session.mount("https://", bounds)
    session.mount("http://", bounds)
    # Without this a ~/.netrc would sign in as somebody else than the service agent.
    session.auth = _as_it_is
    session.headers["User-Agent"] = AGENT
    if is_loopback(host):
        session.trust_env = False  # no proxy of the environment reaches this machine
    return bounds


def _as_it_is(request: PreparedRequest) -> PreparedRequest:
    return request
