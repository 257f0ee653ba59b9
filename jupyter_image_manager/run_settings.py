"""Run settings as people write them, checked; pure. Whether the engine can do them is `kernels.container`'s matter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from .errors import InvalidRequest
from .models import GpuRequest, Mount, RunSettings

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE | re.ASCII)
_UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
KEYS = frozenset(f.name for f in fields(RunSettings))


def parse_size(value: Any, what: str) -> int | None:
    """Return bytes for ``8g``, ``512MB`` or a number; None for nothing.

    Raises
    ------
    InvalidRequest
        It is no size.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise InvalidRequest(f"{what} should be a size such as 8g or 512m, not {value!r}.")
    match = _SIZE.fullmatch(str(value).strip())
    if match is None:
        raise InvalidRequest(f"{what} should be a size such as 8g or 512m, not {value!r}.")
    return int(float(match[1]) * (1 << _UNITS[match[2].lower()]))


def _number(value: Any, what: str, *, whole: bool = False) -> Any:
    if value is None or value == "":
        return None
    try:
        number = int(str(value)) if whole else float(str(value))
    except ValueError:
        number = -1
    if isinstance(value, bool) or not 0 < number < 1e9:
        raise InvalidRequest(f"{what} should be a {'whole ' if whole else ''}number above 0, not {value!r}.")
    return number


def _environment(value: Any, what: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"{what} should be names with values, not {value!r}.")
    for name, text in value.items():
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
            raise InvalidRequest(f"{name!r} is no name of an environment variable: use letters, digits and _.")
        if not isinstance(text, str) or "\0" in text:
            raise InvalidRequest(f"The variable {name} should have a text as value, not {text!r}.")
    return dict(value)


def _secrets(value: Any) -> dict[str, str]:
    found = _environment(value, "secrets")
    for name, reference in found.items():
        kind, colon, rest = reference.partition(":")
        if not colon or kind not in ("env", "file") or not rest:
            # The value is not repeated: it may be the secret itself.
            raise InvalidRequest(
                f"The secret {name} should be a reference, env:NAME or file:PATH, never the secret itself."
            )
    return found


def parse_gpus(value: Any) -> GpuRequest:
    """Return the request for ``none``, ``all``, a count, ids, or the JSON of a request; ``optional:`` before any.

    Raises
    ------
    InvalidRequest
        It is none of these.
    """
    if value is None or value == "":
        return GpuRequest()
    wrong = InvalidRequest(
        f"gpus should be none, all, a count or ids such as 0,1 (optional: before it), not {value!r}."
    )
    if isinstance(value, Mapping):
        if set(value) - {"kind", "count", "ids", "optional"} or value.get("kind") not in (
            "none",
            "all",
            "count",
            "ids",
        ):
            raise wrong
        optional, count, ids = value.get("optional", False), value.get("count", 0), value.get("ids", [])
        if not isinstance(optional, bool) or isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise wrong
        if not isinstance(ids, (list, tuple)) or not all(isinstance(i, str) and i for i in ids):
            raise wrong
        return GpuRequest(value["kind"], count, tuple(ids), optional)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise wrong
    text = str(value)
    optional = text.startswith("optional:")
    text = text.removeprefix("optional:").strip()
    if text in ("none", "all"):
        return GpuRequest(text, optional=optional)
    if text.isascii() and text.isdigit():
        return GpuRequest("count", int(text), optional=optional) if int(text) else GpuRequest()
    if re.fullmatch(r"[a-zA-Z0-9][\w.:/=-]*(,[a-zA-Z0-9][\w.:/=-]*)*", text, re.ASCII):
        return GpuRequest("ids", 0, tuple(text.split(",")), optional)
    raise wrong


def _mounts(value: Any) -> tuple[Mount, ...]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise InvalidRequest("mounts should be a list of {source, target, read_only}.")
    mounts = []
    for item in value:
        if isinstance(item, Mount):
            mounts.append(item)
            continue
        if not isinstance(item, Mapping) or set(item) - {"source", "target", "read_only"}:
            raise InvalidRequest(f"A mount is {{source, target, read_only}}, not {item!r}.")
        source, target, read_only = item.get("source"), item.get("target"), item.get("read_only", True)
        if not all(isinstance(p, str) and p.startswith("/") and "\0" not in p for p in (source, target)):
            raise InvalidRequest(f"A mount has an absolute source and target; {item!r} does not.")
        if not isinstance(read_only, bool):
            raise InvalidRequest(f"read_only of a mount is true or false, not {read_only!r}.")
        mounts.append(Mount(str(source), str(target), read_only))
    return tuple(mounts)


def parse(changes: Mapping[str, Any], before: RunSettings) -> RunSettings:
    """Return the settings with some of them changed.

    Raises
    ------
    InvalidRequest
        Names the first setting that cannot be.
    """
    unknown = set(changes) - KEYS
    if unknown:
        raise InvalidRequest(f"There is no run setting {sorted(unknown)[0]!r}; there are: {', '.join(sorted(KEYS))}.")
    found: dict[str, Any] = {}
    for key, value in changes.items():
        if key in ("memory", "shm_size"):
            found[key] = parse_size(value, key)
            if found[key] is not None and found[key] >= 1 << 62:
                raise InvalidRequest(f"{key} of {value!r} is more than any machine has.")
        elif key == "cpus":
            found[key] = _number(value, key)
        elif key == "processes":
            found[key] = _number(value, key, whole=True)
        elif key == "gpus":
            found[key] = parse_gpus(value)
        elif key == "environment":
            found[key] = _environment(value, key)
        elif key == "secrets":
            found[key] = _secrets(value)
        elif key == "mounts":
            found[key] = _mounts(value)
        elif value is None or value == "":
            found[key] = RunSettings().network
        elif isinstance(value, str) and re.fullmatch(r"[a-zA-Z0-9][\w.-]*", value, re.ASCII):
            found[key] = value
        else:
            raise InvalidRequest(f"network should be bridge, none, or the name of a network, not {value!r}.")
    return replace(before, **found)
