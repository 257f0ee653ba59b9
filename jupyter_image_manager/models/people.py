"""Who acts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. Every call of the service takes one; roles are looked up from its name."""

    name: str
    display_name: str = ""
    via: str = "cli"  # cli | server | kernel | system
