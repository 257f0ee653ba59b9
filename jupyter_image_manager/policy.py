"""What the administrator allows: quotas, bases, the widest run settings."""

from __future__ import annotations

from fnmatch import fnmatchcase

from traitlets import Int, List, Unicode
from traitlets.config import LoggingConfigurable

from .errors import NotAllowed


class ImagePolicy(LoggingConfigurable):
    """The administrator's limits; each refusal names the limit and the present use."""

    allowed_bases = List(
        Unicode(),
        default_value=["*"],
        help="""Base images that Dockerfiles and imports may name, as patterns of full references, for example
        `docker.io/library/python:*`. Default: any. An empty list forbids all.""",
    ).tag(config=True)
    max_images = Int(0, help="Images that one project may have at most; 0 means no limit.").tag(config=True)
    max_bytes = Int(0, help="Bytes that one project's images may take at most; 0 means no limit.").tag(config=True)
    min_free_bytes = Int(
        1 << 30, help="Bytes that must be free on the engine's disk before a build or an import begins."
    ).tag(config=True)
    system_images = List(
        Unicode(),
        help="""References of images that every project sees and can activate, beside the server's own environment.""",
    ).tag(config=True)

    def check_base(self, reference: str, shown: str) -> None:
        """Refuse a base image that the administrator does not allow.

        Raises
        ------
        NotAllowed
            Names the base and what is allowed.
        """
        if not any(fnmatchcase(reference, pattern) or fnmatchcase(shown, pattern) for pattern in self.allowed_bases):
            allowed = ", ".join(self.allowed_bases) or "none"
            raise NotAllowed(f"The base image {shown} is not allowed here; allowed: {allowed}.")
