from __future__ import annotations

from ..requirements.conftest import bases, workshop

__all__ = ["bases", "workshop"]
