"""Ready-made Dockerfiles that satisfy the requirements, and the way between a form and a Dockerfile."""

from __future__ import annotations

from .catalog import RenderedTemplate, TemplateCatalog

__all__ = ["RenderedTemplate", "TemplateCatalog"]
