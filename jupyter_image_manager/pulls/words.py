"""What is said of a pull: how far it is, and why it failed."""

from __future__ import annotations

from ..errors import (
    Conflict,
    EngineError,
    EngineTimeout,
    EngineUnavailable,
    ImageManagerError,
    ImageNotFound,
    NoSpaceLeft,
    NotAllowed,
    PullLimited,
    RegistryRefused,
    RegistryUnavailable,
    StoreError,
)
from ..models import Pull, PullState

_KINDS: tuple[type[ImageManagerError], ...] = (
    Conflict,
    EngineError,
    EngineTimeout,
    EngineUnavailable,
    ImageNotFound,
    NoSpaceLeft,
    NotAllowed,
    PullLimited,
    RegistryRefused,
    RegistryUnavailable,
    StoreError,
)


def error_of(pull: Pull) -> ImageManagerError:
    """Return the error that a pull ended with, as it was in the process that did the work."""
    details = {"pull_id": pull.id, "image_id": pull.image_id, "retry_after": pull.retry_after}
    kinds = {kind.code: kind for kind in _KINDS}
    return kinds.get(pull.code, ImageManagerError)(pull.message, details)


def cancelled(spec: str) -> Conflict:
    """Return the error for whoever waits for a pull that is cancelled."""
    return Conflict(f"The pull of {spec} was cancelled; start the kernel again to pull it.")


def died(spec: str, said: str) -> EngineError:
    """Return the error of a pull whose process ends by a fault each time."""
    return EngineError(
        f"The process that pulled {spec} ended by a fault ({said}); see the server's log, then try again."
    )


def progress(spec: str, pull: Pull) -> str:
    """Return how far a pull is, for people."""
    if pull.state is PullState.WAITING or not pull.total:
        return f"{spec} is being pulled from its registry"
    done, total = pull.current / 1e6, pull.total / 1e6
    told = f"{spec}: {done:.0f} of {total:.0f} MB, {pull.layers_done} of {pull.layers} layers"
    left = pull.seconds_left
    return f"{told}, about {left:.0f} s left" if left is not None else told
