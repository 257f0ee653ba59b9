"""What an image must contain (R30), the check that finds out, and the lines that add what is missing."""

from __future__ import annotations

from .advice import cure_lines, hopeless
from .checker import Checker

__all__ = ["Checker", "cure_lines", "hopeless"]
