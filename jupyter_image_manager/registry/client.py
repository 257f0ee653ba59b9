"""A registry, asked as its community's service agent (OCI distribution specification).

What is asked here is small: manifests, tags, deletions. Layers go through the engine. The sign-in and requests are
those of the libraries oras and requests; looking up is by ``HEAD``, which registries do not count as a pull.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from ..errors import ImageManagerError, ImageNotFound, RegistryUnavailable
from ..reference import DIGEST
from . import address
from .limits import PullsLeft, counted
from .manifests import ACCEPT, INDEXES, Manifest, ManifestFacts, parsed, platforms_of
from .refusals import broken, refusal, unsupported

if TYPE_CHECKING:
    from requests import Response

    from ..models import RegistryAccess

BODY_LIMIT = 8 << 20  # registries take manifests of up to 4 MiB
TAG_PAGES = 200
HUB_LIMITS = "ratelimitpreview/test"
"""A repository of Docker Hub that is there to be asked for the limits."""


class Registry:
    """One registry, asked as one service agent; for one thread at a time, cheap to make.

    Parameters
    ----------
    access : RegistryAccess
        Where, and as whom.
    ca_bundle : str, optional
        File with the certificates to trust; default: those of this machine.
    timeout : float
        Seconds to wait for a connection, and for each piece of an answer.
    insecure : collection of str
        Hosts that may be spoken to without TLS; loopback always may.
    """

    def __init__(
        self,
        access: RegistryAccess,
        *,
        ca_bundle: str | None = None,
        timeout: float = 30.0,
        insecure: Collection[str] = (),
    ) -> None:
        import requests

        from .signing_in import ServiceAgent
        from .transport import prepared

        self._access = access
        self._timeout = timeout
        self._verify: str | bool = ca_bundle or True
        self._session = requests.Session()
        self._session.hooks["response"].append(self._remember)
        self._bounds = prepared(self._session, access.host, timeout=timeout, insecure=insecure)
        self._agent = ServiceAgent(self._session, access.username, access.secret, self._verify)
        self._last: Response | None = None
        self._told: PullsLeft | None = None
        self._scheme = ""

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of its connections."""
        self._session.close()

    # Look up
    def ping(self) -> None:
        """Sign in.

        Raises
        ------
        RegistryUnavailable, RegistryRefused, PullLimited
            Why that is not possible.
        """
        self.ask("GET", "/v2/", self._access.host, "sign-in")

    def head(self, repository: str, reference: str) -> ManifestFacts | None:
        """Return what a tag or digest means; None when the registry has none, or does not show it to the agent."""
        answer, body = self._manifest("HEAD", repository, reference, absent_ok=True)
        if answer.status_code == 404:
            return None
        digest = answer.headers.get("Docker-Content-Digest", "")
        size = int(answer.headers.get("Content-Length") or 0)
        if not DIGEST.fullmatch(digest):
            # The specification lets a registry leave it out.
            answer, body = self._manifest("GET", repository, reference)
            digest, size = self._digest(answer, body, reference), len(body)
        return ManifestFacts(digest, _media_type(answer), size)

    def manifest(
        self, repository: str, reference: str, *, architecture: str = "amd64", system: str = "linux"
    ) -> Manifest:
        """Return an image with the sizes of its layers; of an index, the image for a platform.

        Raises
        ------
        ImageNotFound
            The registry does not have it, or not for this platform.
        """
        answer, body = self._manifest("GET", repository, reference)
        digest, kind = self._digest(answer, body, reference), _media_type(answer)
        content = self._content(body, repository, reference)
        if kind not in INDEXES and "manifests" not in content:
            return parsed(self._access.host, content, digest, kind, len(body))
        platforms = tuple(platforms_of(content))
        for platform in platforms:
            if (platform.os, platform.architecture) == (system, architecture):
                answer, body = self._manifest("GET", repository, platform.digest)
                inner = self._content(body, repository, platform.digest)
                return parsed(
                    self._access.host,
                    inner,
                    self._digest(answer, body, platform.digest),
                    _media_type(answer),
                    len(body),
                    index=digest,
                    platforms=platforms,
                )
        offered = ", ".join(f"{one.os}/{one.architecture}" for one in platforms) or "none"
        raise ImageNotFound(
            f"{self._named(repository, reference)} is not there for {system}/{architecture}, only for: {offered}; "
            "choose another image, or let it be built for this platform."
        )

    def tags(self, repository: str) -> list[str]:
        """Return the tags of a repository, by name; none when it is not there."""
        found: list[str] = []
        path = self._path(repository)
        place = f"/v2/{path}/tags/list?n=1000"
        for _ in range(TAG_PAGES):
            answer, body = self.ask("GET", place, self._named(path), "list", absent_ok=True)
            if answer.status_code == 404:
                break
            found += self._content(body, path, "").get("tags") or []
            following = answer.links.get("next", {}).get("url")
            if not following:
                break
            place = urljoin(answer.url, following)
        return sorted(found)

    def sharing(self, repository: str, digest: str) -> list[str]:
        """Return the tags that mean this digest: what a deletion of it takes with it."""
        return [
            tag for tag in self.tags(repository) if (facts := self.head(repository, tag)) and facts.digest == digest
        ]

    def pulls_left(self) -> PullsLeft | None:
        """Return how many pulls are left, where the registry tells it; asking costs none."""
        self._told = None
        if address.is_docker_hub(self._access.host):
            self._manifest("HEAD", HUB_LIMITS, "latest", absent_ok=True)
        else:
            self.ping()
        return self._told

    # Change
    def delete(self, repository: str, digest: str) -> bool:
        """Delete a manifest by digest; return whether it was there.

        What no manifest needs any more only the registry itself can remove from its disk (garbage collection).

        Raises
        ------
        RegistryRefused
            The agent may not, or the registry never does.
        """
        if not DIGEST.fullmatch(digest):
            raise ValueError(f"{digest!r} is no digest: a tag is never deleted by")  # a mistake of ours, not of a user
        path = self._path(repository)
        place = f"/v2/{path}/manifests/{digest}"
        answer, body = self.ask("DELETE", place, self._named(path, digest), "delete", absent_ok=True)
        if answer.status_code == 404 and self.head(path, digest) is not None:
            # What is there cannot be unknown: some registries know nothing of deleting.
            raise unsupported(answer, body, self._access, self._named(path, digest), "delete")
        return answer.status_code != 404

    # Requests
    def ask(
        self,
        method: str,
        place: str,
        what: str,
        right: str,
        *,
        headers: dict[str, str] | None = None,
        data: bytes | None = None,
        absent_ok: bool = False,
    ) -> tuple[Response, bytes]:
        """Ask the registry; return its answer with its body.

        Parameters
        ----------
        place : str
            Path, or whole address as a redirect of the registry's gave it.
        what, right : str
            What is asked for and which right that takes, for errors.
        absent_ok : bool
            Whether 404 is an answer.
        """
        import requests

        # A whole address stays as it is.
        url = urljoin(self._origin(), place)
        try:
            answer = self._send(method, url, headers or {}, data)
            body = self._body(answer)
        except requests.RequestException as error:
            raise self._broken(error) from None
        if answer.ok or (absent_ok and answer.status_code == 404):
            return answer, body
        raise refusal(answer, body, self._access, what, right)

    def _send(self, method: str, url: str, headers: dict[str, str], data: bytes | None) -> Response:
        """Send a request, and once more when it takes signing in; what cannot be signed in for is answered why."""
        # A registry may send uploads and pages elsewhere; what it trusts the agent by is not for that host.
        ours = url.startswith(f"{self._origin()}/")

        def send() -> Response:
            sent = {**headers, **(self._agent.header() if ours else {})}
            return self._session.request(method, url, headers=sent, data=data, stream=True, verify=self._verify)

        answer = send()
        if not ours or answer.status_code not in (401, 403):
            return answer
        if not self._agent.answer(answer):
            return self._last if self._last is not None and not self._last.ok else answer
        answer.close()
        return send()

    def _origin(self) -> str:
        """Return how the registry's host is spoken to: TLS, unless it may be without and is."""
        if not self._scheme:
            host = address.api_host(self._access.host)
            self._scheme = "https"
            if self._bounds.allows(host):
                self._scheme = self._spoken(host)
        return f"{self._scheme}://{address.api_host(self._access.host)}"

    def _spoken(self, host: str) -> str:
        import requests

        try:
            self._session.get(f"https://{host}/v2/", verify=self._verify, stream=True).close()
        except requests.exceptions.SSLError as error:
            # "Wrong version number": it answers without TLS. A certificate that is not trusted is no such answer.
            return "http" if "CERTIFICATE" not in str(error).upper() else "https"
        except requests.RequestException:
            return "http"
        return "https"

    def _body(self, answer: Response) -> bytes:
        """Return an answer's body, if it comes in time and is no longer than any manifest."""
        end = time.monotonic() + 4 * self._timeout
        read = bytearray()
        with answer:
            for chunk in answer.iter_content(1 << 16):
                read += chunk
                if len(read) > BODY_LIMIT or time.monotonic() > end:
                    raise RegistryUnavailable(
                        f"The registry {self._access.host} sends too much, or too slowly, to be a manifest; try again, "
                        "or look at the registry.",
                        {"host": self._access.host},
                    )
        return bytes(read)

    def _remember(self, answer: Response, *_: object, **__: object) -> None:
        self._last = answer
        left, limit = (counted(answer.headers.get(f"ratelimit-{name}", "")) for name in ("remaining", "limit"))
        if left and limit:
            self._told = PullsLeft(left[0], limit[0], limit[1] or left[1])

    def _broken(self, error: Exception) -> ImageManagerError:
        from requests.exceptions import SSLError

        from .reach import reason

        return broken(self._access, reason(error), tls=isinstance(error, SSLError))

    # Manifests
    def _manifest(
        self, method: str, repository: str, reference: str, *, absent_ok: bool = False
    ) -> tuple[Response, bytes]:
        path = self._path(repository)
        return self.ask(
            method,
            f"/v2/{path}/manifests/{reference}",
            self._named(path, reference),
            "pull",
            headers={"Accept": ACCEPT},
            absent_ok=absent_ok,
        )

    def _path(self, repository: str) -> str:
        """Return a repository's path on this registry; images are kept with their repository in full."""
        return repository.removeprefix(f"{self._access.host}/")

    def _named(self, repository: str, reference: str = "") -> str:
        mark = "" if not reference else "@" if DIGEST.fullmatch(reference) else ":"
        return f"{self._access.host}/{self._path(repository)}{mark}{reference}"

    def _digest(self, answer: Response, body: bytes, reference: str) -> str:
        """Return the digest of a manifest that was fetched; what was asked for by digest must have it."""
        wanted = reference if DIGEST.fullmatch(reference) else answer.headers.get("Docker-Content-Digest", "")
        algorithm = wanted.partition(":")[0] if DIGEST.fullmatch(wanted) else "sha256"
        found = f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"
        if DIGEST.fullmatch(wanted) and found != wanted:
            raise RegistryUnavailable(
                f"The registry {self._access.host} sends something else ({found}) than {wanted}; do not use it before "
                "its administrator knows why.",
                {"host": self._access.host, "reason": "digest", "found": found, "wanted": wanted},
            )
        return found

    def _content(self, body: bytes, repository: str, reference: str) -> dict[str, Any]:
        try:
            content = json.loads(body)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise RegistryUnavailable(
                f"What answers at {self._access.host} for {self._named(repository, reference)} is no registry; look at "
                "the registry's host.",
                {"host": self._access.host},
            )
        return content


def _media_type(answer: Response) -> str:
    return answer.headers.get("Content-Type", "").partition(";")[0].strip()
