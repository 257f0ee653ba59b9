"""What an engine's errors mean, in one sentence that says what to do.

The texts are those of Docker Engine 20.10 to 28 and of Podman 4; Podman answers 500 where Docker says 404 or 409,
so that the text decides and the status only helps.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..errors import (
    Conflict,
    EngineError,
    EngineTimeout,
    EngineUnavailable,
    ImageManagerError,
    ImageNotFound,
    InvalidRequest,
    NoSpaceLeft,
    NotFound,
    PullLimited,
    RegistryUnavailable,
)


@dataclass(frozen=True, slots=True)
class _Meaning:
    pattern: str
    kind: type[ImageManagerError]
    message: str


_MEANINGS = (
    _Meaning(
        r"no space left on device|disk quota exceeded|not enough space",
        NoSpaceLeft,
        "The engine's disk is full; delete images that nobody needs (`jupyter image usage`), or make room on it.",
    ),
    _Meaning(
        r"toomanyrequests|too many requests|rate limit",
        PullLimited,
        "The registry limits pulls and refuses more for now{wait}; sign in to it, use a mirror, or a base that is "
        "already on the machine.",
    ),
    _Meaning(
        r"pull access denied|repository does not exist or may require|requested access to the resource is denied",
        ImageNotFound,
        "There is no image {subject} in its registry, or the engine may not see it; check the name, or sign in.",
    ),
    _Meaning(
        r"manifest unknown|manifest for .* not found|no such image|image not known|not found: manifest",
        ImageNotFound,
        "There is no image {subject}; check its name and version.",
    ),
    _Meaning(
        r"no such container|no container with",
        NotFound,
        "The container is not there any more.",
    ),
    _Meaning(
        r"client version \S+ is too (?:new|old)",
        EngineUnavailable,
        "The engine speaks another version of its language; use Docker Engine 20.10 or newer, or update this software.",
    ),
    _Meaning(
        r"unauthorized|authentication required|no basic auth credentials",
        EngineError,
        "The registry of {subject} wants a sign-in; sign the engine in, or use a public image.",
    ),
    _Meaning(
        r"no such host|server misbehaving|temporary failure in name resolution|i/o timeout|network is unreachable"
        r"|connection refused|tls handshake timeout|failed to resolve source metadata|failed to do request",
        RegistryUnavailable,
        "The registry of {subject} cannot be reached from here; check network and proxy, or use a base image that is "
        "on the machine (`jupyter image base create`).",
    ),
    _Meaning(
        r"could not select device driver|no known gpu vendor|unresolvable cdi devices",
        InvalidRequest,
        "The engine has no GPUs to give; install the NVIDIA container toolkit, or set GPUs to none or optional.",
    ),
    _Meaning(
        r"minimum memory limit|memory limit should be|smaller than the minimum",
        InvalidRequest,
        "The memory limit is below what the engine allows; give the kernel more memory.",
    ),
    _Meaning(
        r"range of cpus is from|nanocpus",
        InvalidRequest,
        "More CPUs are asked for than the engine's machine has; ask for fewer.",
    ),
    _Meaning(
        r"exec format error",
        EngineError,
        "The image is made for another architecture than this machine; build or import it for this one.",
    ),
    _Meaning(
        r"bind source path does not exist|statfs .* no such file|error mounting",
        EngineError,
        "A folder to be mounted is not there for the engine; is the engine on this machine, and does the folder exist?",
    ),
    _Meaning(
        r"port is already allocated|address already in use",
        Conflict,
        "A port that was chosen for the kernel is taken by now; start the kernel again.",
    ),
    _Meaning(
        r"name .* is already in use|conflict\. the container name",
        Conflict,
        "A container of that name is still there; wait a moment and try again.",
    ),
    _Meaning(
        r"image is being used|image is referenced|conflict: unable to|image used by|image in use",
        Conflict,
        "The image {subject} is in use by a container or another image; end that first.",
    ),
    _Meaning(
        r"network .* not found|unable to find network",
        InvalidRequest,
        "The engine has no such network; choose bridge or none in the run settings.",
    ),
)


def meaning(text: str, subject: str = "", status: int | None = None) -> ImageManagerError:
    """Return the error that a text of the engine's means.

    Parameters
    ----------
    subject : str
        What it was about: an image, a container.
    """
    lower = text.lower()
    for known in _MEANINGS:
        if re.search(known.pattern, lower):
            wait = re.search(r"retry[- ]after:?\s*(\d+)|in (\d+) seconds", lower)
            told = f" (try again in {wait[1] or wait[2]} s)" if wait else ""
            return known.kind(
                known.message.format(subject=subject or "that name", wait=told),
                {"engine": text[:2000], "status": status},
            )
    if status == 404:
        return NotFound(f"The engine does not know it: {' '.join(text.split())[:500]}", {"engine": text[:2000]})
    if status == 409:
        return Conflict(f"The engine refuses for now: {text.strip()}", {"engine": text[:2000]})
    about = f" about {subject}" if subject else ""
    return EngineError(f"The engine answered with an error{about}: {' '.join(text.split())[:500]}", {"status": status})


def unreachable(error: BaseException, address: str) -> EngineUnavailable:
    """Return why an engine cannot be talked to."""
    text = f"{error} {error.__cause__ or ''} {error.__context__ or ''}".lower()
    if "permission denied" in text or "errno 13" in text:
        return EngineUnavailable(
            f"This user may not use the engine at {address}; add the user to the group `docker` and sign in again, "
            "or use a rootless engine.",
            {"reason": "permission"},
        )
    if "timed out" in text or "timeout" in text:
        return EngineTimeout(f"The engine at {address} does not answer in time; restart it.")
    if "no such file" in text or "connection refused" in text or "errno 2" in text or "errno 111" in text:
        return EngineUnavailable(
            f"No engine answers at {address}; start it, or install one with `jupyter image setup`."
        )
    return EngineUnavailable(
        f"The connection to the engine at {address} broke; look whether it is still running, then try again."
    )


@contextmanager
def translated(
    address: str, subject: str = "", answered: Callable[[str, int | None], ImageManagerError] | None = None
) -> Iterator[None]:
    """Turn every error of the SDK and of its transport into one of ours.

    Parameters
    ----------
    answered : callable, optional
        What makes an error of the engine's text and status; default: :func:`meaning` of the subject.
    """
    import docker.errors
    import requests.exceptions
    import urllib3.exceptions

    try:
        yield
    except docker.errors.APIError as error:
        status = error.response.status_code if error.response is not None else None
        text = str(error.explanation or error)
        raise (answered(text, status) if answered else meaning(text, subject, status)) from error
    except docker.errors.DockerException as error:
        if "while fetching server api version" in str(error).lower() or "timed out" in str(error).lower():
            raise unreachable(error, address) from error
        raise EngineError(f"The engine's client failed: {error}") from error
    except requests.exceptions.Timeout as error:
        raise EngineTimeout(f"The engine at {address} does not answer in time; restart it.") from error
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, ConnectionError, TimeoutError) as error:
        raise unreachable(error, address) from error
    except (http.client.HTTPException, ValueError, KeyError) as error:
        # What answers there is no engine, or it was cut off in the middle of a word.
        raise EngineError(f"The engine at {address} answered with something else than an answer: {error!r}") from error
