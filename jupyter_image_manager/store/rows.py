"""Between rows and the frozen dataclasses of the service."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from operator import itemgetter
from typing import Any

from ..models import as_json


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def from_json(kind: Any, value: Any) -> Any:
    """Build a value of a dataclass, enumeration or container type out of what :func:`models.as_json` wrote."""
    if value is None:
        return None
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return from_json(next(arg for arg in args if arg is not type(None)), value)
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(from_json(args[0], item) for item in value)
        return tuple(from_json(arg, item) for arg, item in zip(args, value, strict=True))
    if origin is dict:
        return {key: from_json(args[1], item) for key, item in value.items()}
    if isinstance(kind, type):
        if dataclasses.is_dataclass(kind):
            hints = _hints(kind)
            return kind(**{key: from_json(hints[key], item) for key, item in value.items() if key in hints})
        if issubclass(kind, Enum):
            return kind(value)
        if issubclass(kind, datetime) and isinstance(value, str):
            return datetime.fromisoformat(value.replace("Z", "+00:00"))
    return value


def to_columns(value: Any, columns: set[str]) -> dict[str, Any]:
    """Return the columns of a dataclass: nested values as JSON, enumerations as text, times as they are."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        if field.name in columns:
            found[field.name] = column(getattr(value, field.name))
    return found


def column(value: Any) -> Any:
    """Return one value as its column holds it."""
    return value if isinstance(value, datetime) else as_json(value)


def to_model(cls: Any, row: Any, **missing: Any) -> Any:
    """Return a row, or a mapping of columns, as a dataclass."""
    hints = _hints(cls)
    values = {}
    for field in dataclasses.fields(cls):
        if field.name in missing:
            values[field.name] = missing[field.name]
        elif hasattr(row, field.name):
            values[field.name] = from_json(hints[field.name], getattr(row, field.name))
    return cls(**values)


def to_models(cls: Any, names: Sequence[str], rows: Iterable[Sequence[Any]], **fixed: Any) -> Iterator[Any]:
    """Yield rows of plain columns as dataclasses: what each column needs is decided once, not for each row.

    Parameters
    ----------
    names : sequence of str
        The columns, which are fields of `cls` in any order.
    fixed
        Values of the fields that are no columns.
    """
    hints = _hints(cls)
    fields = [field.name for field in dataclasses.fields(cls)]
    place = {name: index for index, name in enumerate([*names, *fixed])}
    order = itemgetter(*(place[name] for name in fields))
    more = tuple(fixed.values())
    steps = [
        (i, convert) for i, name in enumerate(fields) if (convert := _converter(hints[name])) and name not in fixed
    ]
    for row in rows:
        values = [*order((*row, *more))]
        for index, convert in steps:
            values[index] = convert(values[index])
        yield cls(*values)


def _converter(kind: Any) -> Callable[[Any], Any] | None:
    """Return what turns a column into a value of this type; None when it is one already."""
    args = typing.get_args(kind)
    plain = {str, int, float, bool, datetime, type(None)}
    if kind in plain or (args and set(args) <= plain and typing.get_origin(kind) is not tuple):
        return None
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {member.value: member for member in kind}.__getitem__
    return functools.partial(from_json, kind)
