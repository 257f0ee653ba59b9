"""What a request's body may hold: read strictly, and refused by the name of the wrong key."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import InvalidRequest, TooLarge

Reader = Callable[[Any, str], Any]
LARGEST = 1024 * 1024
"""Bytes of a body; it is read on the event loop, which must not be held."""
DEPTH = "The body is nested too deeply; send a flatter one."


def text(value: Any, key: str) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise InvalidRequest(f"`{key}` should be a text, not {_shown(value)}.", {"key": key})
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidRequest(f"`{key}` has half of a character (a lone surrogate).", {"key": key}) from None
    return value


def flag(value: Any, key: str) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise InvalidRequest(f"`{key}` should be true or false, not {_shown(value)}.", {"key": key})
    return value


def texts(value: Any, key: str) -> dict[str, str]:
    """Return names with texts."""
    found = mapping(value, key)
    return {text(name, key): text(each, f"{key}.{name}") for name, each in found.items()}


def listed(value: Any, key: str) -> tuple[str, ...]:
    """Return a list of texts."""
    if not isinstance(value, list):
        raise InvalidRequest(f"`{key}` should be a list of texts, not {_shown(value)}.", {"key": key})
    return tuple(text(each, key) for each in value)


def mapping(value: Any, key: str) -> dict[str, Any]:
    """Return an object, unread."""
    if not isinstance(value, dict):
        raise InvalidRequest(f"`{key}` should be an object, not {_shown(value)}.", {"key": key})
    return value


def secrets(value: Any, key: str) -> dict[str, bytes]:
    """Return build secrets; a wrong one is never repeated in the error."""
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise InvalidRequest(f"`{key}` should be an object of names with texts.", {"key": key})
    return {text(name, key): each.encode("utf-8", "surrogatepass") for name, each in value.items()}


def secret(value: Any, key: str) -> str:
    """Return a secret; a wrong one is never repeated in the error."""
    if not isinstance(value, str):
        raise InvalidRequest(f"`{key}` should be a text.", {"key": key})
    return text(value, key)


def parse(raw: bytes) -> dict[str, Any]:
    """Return a body's JSON object; an empty body is an empty object.

    Raises
    ------
    InvalidRequest
        It is no JSON object.
    TooLarge
        It is larger than any request needs to be.
    """
    if len(raw) > LARGEST:
        raise TooLarge(
            f"The body has {len(raw)} bytes; send at most {LARGEST}, and larger files by the project folder."
        )
    if not raw.strip():
        return {}
    try:
        found = json.loads(raw.decode("utf-8"), parse_constant=_constant)
    except RecursionError:
        raise InvalidRequest(DEPTH) from None
    except ValueError as error:
        raise InvalidRequest(f"The body should be JSON: {error}.") from None
    if not isinstance(found, dict):
        raise InvalidRequest(f"The body should be a JSON object, not {_shown(found)}.")
    return found


def read(raw: bytes, required: Mapping[str, Reader], optional: Mapping[str, Reader] | None = None) -> dict[str, Any]:
    """Return the values of a body, each read; an optional one that is null or absent is left out.

    Raises
    ------
    InvalidRequest
        A key is missing, unknown or has a wrong value; the details' ``key`` names it.
    """
    found = parse(raw)
    readers = {**required, **(optional or {})}
    for key in found:
        if key not in readers:
            known = ", ".join(sorted(readers)) or "none"
            raise InvalidRequest(f"{_shown(key)} is no key of this request; the keys are: {known}.", {"key": key})
    values: dict[str, Any] = {}
    for key, reader in readers.items():
        value = found.get(key)
        if key in required and key not in found:
            raise InvalidRequest(f"`{key}` is missing in the body.", {"key": key})
        if value is None and key not in required:
            continue
        values[key] = reader(value, key)
    return values


def nullable(reader: Reader) -> Reader:
    """Return a reader that lets null through."""
    return lambda value, key: None if value is None else reader(value, key)


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _shown(value: Any) -> str:
    words = repr(value)
    return words if len(words) <= 60 else f"{words[:57]}..."
