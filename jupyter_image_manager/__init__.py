"""Container images for Jupyter projects: build, check, activate; every kernel of the folder runs in it."""

from __future__ import annotations

from typing import Any

try:
    from ._version import __version__ as __version__
except ImportError:  # a checkout that was never built
    __version__ = "0.0.0.dev0"

API_NAMESPACE = "image-manager/v1"
"""Where the REST API lies below the server's base URL; equal to the constant in the frontend."""


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter-image-manager"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from .app import ImageManagerExtension

    return [{"module": "jupyter_image_manager", "app": ImageManagerExtension}]


def load_ipython_extension(ipython: Any) -> None:
    """Register ``%image`` in a local kernel (``%load_ext jupyter_image_manager``)."""
    from .magics import load

    load(ipython)
