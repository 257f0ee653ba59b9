"""Moments, and how any of the models becomes JSON."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone
from enum import Enum
from functools import cache
from typing import Any


def utcnow() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(timezone.utc)


_PLAIN = frozenset({str, int, float, bool})


@cache
def _field_names(cls: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(cls))


def as_json(value: Any) -> Any:
    """Turn a model, or a container of models, into JSON-serialisable values.

    Datetimes become RFC 3339 with ``Z``, enumerations their values, tuples lists.
    """
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: as_json(getattr(value, name)) for name in _field_names(type(value))}
    if isinstance(value, dict):
        return {str(k): as_json(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_json(v) for v in value]
    return value
