"""What the administrator allows: quotas, bases, the widest run settings."""

from __future__ import annotations

from fnmatch import fnmatchcase

from traitlets import Dict, Int, List, Unicode
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
    max_bytes = Int(
        0,
        help="""Bytes that one project's optimized copies and local images may take at most, shared layers counted once;
        0 means no limit.""",
    ).tag(config=True)
    max_community_images = Int(
        0, help="Images that all projects of a community may have at most together; 0 means no limit."
    ).tag(config=True)
    max_community_bytes = Int(
        0,
        help="""Bytes that the optimized copies and local images of all projects of a community may take at most
        together; 0 means no limit.""",
    ).tag(config=True)
    min_free_bytes = Int(
        1 << 30, help="Bytes that must be free on the engine's disk before a build or an import begins."
    ).tag(config=True)
    system_images = List(
        Unicode(),
        help="""References of images that every project sees and can activate, beside the server's own environment.""",
    ).tag(config=True)

    retirements = List(
        Dict(),
        help="""Retirements that nobody can withdraw: images made before one day stop working on another, for example
        [{"created_before": "2025-12-03", "stops": "2026-01-31", "message": "Python 3.8 has no security updates"}].
        Further keys pick images: storage, python (as "<3.9"), base (a pattern), template, project, community; and
        delete_after (as "90d") deletes what is still retired then.""",
    ).tag(config=True)
    base_replacements = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="""Base images that a migration replaces, for example {"python:3.8*": "python:3.11"}; patterns as those of
        retirements.""",
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
