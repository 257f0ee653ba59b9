"""Moments, and how any of the models becomes JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timezone
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any


def utcnow() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(timezone.utc)


_PLAIN = frozenset({str, int, float, bool, type(None)})
_PLAIN_HINTS = frozenset({"str", "int", "float", "bool", "str | None", "int | None", "float | None"})


def as_json(value: Any) -> Any:
    """Turn a model, or a container of models, into JSON-serialisable values.

    Datetimes become RFC 3339 with ``Z``, enumerations their values, tuples lists.
    """
    kind: Any = type(value)
    return value if kind in _PLAIN else _converter(kind)(value)


@cache
def _converter(kind: Any) -> Callable[[Any], Any]:
    """Return what turns values of a type into JSON; lists of thousands come by here, so it is decided once."""
    if issubclass(kind, Enum):
        return attrgetter("_value_")
    if issubclass(kind, datetime):
        return _moment
    if dataclasses.is_dataclass(kind):
        return _model(kind)
    if issubclass(kind, dict):
        return lambda value: {str(k): as_json(v) for k, v in value.items()}
    if issubclass(kind, (list, tuple, set, frozenset)):
        return lambda value: [as_json(v) for v in value]
    return lambda value: value


def _moment(value: datetime) -> str:
    return value.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _model(model: Any) -> Callable[[Any], dict[str, Any]]:
    fields = dataclasses.fields(model)
    names = [field.name for field in fields]
    others = [field.name for field in fields if field.type not in _PLAIN_HINTS]
    if len(names) < 2:  # attrgetter gives no tuple then
        return lambda value: {name: as_json(getattr(value, name)) for name in names}
    get = attrgetter(*names)

    def convert(value: Any) -> dict[str, Any]:
        document = dict(zip(names, get(value), strict=True))
        for name in others:
            kind: Any = type(document[name])
            if kind not in _PLAIN:
                document[name] = _converter(kind)(document[name])
        return document

    return convert
