"""What the doctor finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``jupyter image doctor``."""

    id: str
    title: str
    status: str  # ok | warning | error | info
    message: str
    cure: str = ""
