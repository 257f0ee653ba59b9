"""Everything that the service can refuse or fail at.

::

    ImageManagerError            500 internal_error
    ├── InvalidRequest           400 invalid_request      malformed input, said before anything changed
    │   ├── InvalidReference     400 invalid_reference    a name, version or image reference
    │   ├── TooLarge             413 too_large            a request's body
    │   └── InvalidDockerfile    400 invalid_dockerfile
    ├── NotAllowed               403 not_allowed          the actor's role or the administrator's policy
    ├── NotFound                 404 not_found
    │   ├── ProjectNotFound      404 project_not_found
    │   ├── ImageNotFound        404 image_not_found
    │   ├── BuildNotFound        404 build_not_found
    │   ├── CommunityNotFound    404 community_not_found
    │   ├── PullNotFound         404 pull_not_found
    │   ├── RetirementNotFound   404 retirement_not_found
    │   └── MigrationNotFound    404 migration_not_found
    ├── Conflict                 409 conflict             the state of things forbids it now
    │   ├── ImageInUse           409 image_in_use
    │   ├── ImageUnusable        409 image_unusable       failed, missing, retired, other architecture
    │   └── NeedsConfirmation    409 needs_confirmation   final or large: repeat with the confirmation
    ├── QuotaExceeded            429 quota_exceeded
    ├── StoreError               500 store_error          damaged, newer version, locked
    ├── KernelStartError         500 kernel_start_failed
    ├── EngineError              502 engine_error         the engine answered with an error
    │   ├── BuildFailed          502 build_failed         an instruction of the Dockerfile failed
    │   ├── PullLimited          429 pull_limited         a registry limits pulls
    │   └── NoSpaceLeft          507 no_space_left
    ├── EngineUnavailable        503 engine_unavailable   absent, no permission, too old, not answering
    ├── RegistryUnavailable      503 registry_unavailable absent, not answering
    ├── RegistryRefused          403 registry_refused     the service agent's rights do not suffice
    └── EngineTimeout            504 engine_timeout

A message is one whole sentence for people: what failed, on what, what to do.
"""

from __future__ import annotations

from typing import Any, ClassVar


class ImageManagerError(Exception):
    """Base of every error that crosses the service's boundary.

    Parameters
    ----------
    message : str
        One sentence for people: what failed, on what, what to do.
    details : dict, optional
        Machine-readable facts, JSON-serialisable, without secrets.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = details or {}

    @property
    def exit_code(self) -> int:
        """Exit code of the command line for this error (PRODUCT.md, section 4)."""
        return 1


class InvalidRequest(ImageManagerError):
    """Input that is malformed; nothing has changed."""

    status = 400
    code = "invalid_request"


class InvalidReference(InvalidRequest):
    """A name, version or image reference that cannot be one."""

    code = "invalid_reference"


class TooLarge(InvalidRequest):
    """A request whose body is larger than anything that it could say."""

    status = 413
    code = "too_large"


class InvalidDockerfile(InvalidRequest):
    """A Dockerfile that cannot be built as it stands."""

    code = "invalid_dockerfile"


class NotAllowed(ImageManagerError):
    """The actor's role, or the administrator's policy, forbids it."""

    status = 403
    code = "not_allowed"


class NotFound(ImageManagerError):
    """There is no such thing, or the actor may not see it."""

    status = 404
    code = "not_found"


class ProjectNotFound(NotFound):
    """No such project."""

    code = "project_not_found"


class ImageNotFound(NotFound):
    """No such image."""

    code = "image_not_found"


class BuildNotFound(NotFound):
    """No such build."""

    code = "build_not_found"


class CommunityNotFound(NotFound):
    """No such community."""

    code = "community_not_found"


class PullNotFound(NotFound):
    """No such pull."""

    code = "pull_not_found"


class RetirementNotFound(NotFound):
    """No such retirement."""

    code = "retirement_not_found"


class MigrationNotFound(NotFound):
    """No such migration."""

    code = "migration_not_found"


class Conflict(ImageManagerError):
    """The state of things forbids it now."""

    status = 409
    code = "conflict"


class ImageInUse(Conflict):
    """The image is active, published or running somewhere; the details say where."""

    code = "image_in_use"


class ImageUnusable(Conflict):
    """The image cannot run kernels: failed, missing, retired or of another architecture."""

    code = "image_unusable"


class NeedsConfirmation(Conflict):
    """The act is final or large; it must be repeated with its confirmation."""

    code = "needs_confirmation"


class QuotaExceeded(ImageManagerError):
    """A quota of the administrator would be exceeded; the message names the use and the limit."""

    status = 429
    code = "quota_exceeded"


class StoreError(ImageManagerError):
    """The store is damaged, locked, or of a newer version than this code."""

    code = "store_error"


class KernelStartError(ImageManagerError):
    """A kernel could not be started in its project's image."""

    code = "kernel_start_failed"


class EngineError(ImageManagerError):
    """The engine answered with an error."""

    status = 502
    code = "engine_error"


class BuildFailed(EngineError):
    """An instruction of the Dockerfile failed."""

    code = "build_failed"


class PullLimited(EngineError):
    """A registry limits the number of pulls; the message says what helps."""

    status = 429
    code = "pull_limited"

    @property
    def exit_code(self) -> int:
        """A registry that refuses counts as unreachable."""
        return 3


class NoSpaceLeft(EngineError):
    """A disk is full: the engine's, or one of ours."""

    status = 507
    code = "no_space_left"


class EngineUnavailable(ImageManagerError):
    """No engine, no permission on its socket, too old, or it does not answer."""

    status = 503
    code = "engine_unavailable"

    @property
    def exit_code(self) -> int:
        """Engine or registry unreachable."""
        return 3


class RegistryUnavailable(EngineUnavailable):
    """A registry cannot be reached."""

    code = "registry_unavailable"


class RegistryRefused(ImageManagerError):
    """A registry does not let the service agent do it."""

    status = 403
    code = "registry_refused"

    @property
    def exit_code(self) -> int:
        """A registry that refuses counts as unreachable."""
        return 3


class EngineTimeout(EngineUnavailable):
    """The engine did not answer in time."""

    status = 504
    code = "engine_timeout"
