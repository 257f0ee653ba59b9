"""The command line, ``jupyter image``: parse, call the service, render."""

from __future__ import annotations

from .main import main

__all__ = ["main"]
