"""Retirements of the administrator's configuration: they mean the same, and cannot be withdrawn by anybody else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ImageManagerError, InvalidRequest
from ..models import Retirement
from . import rules

PREFIX = "configured-"
"""How the ids of retirements begin that stand in the configuration."""
_KEYS = ("created_before", "stops", "message", "delete_after", *rules.SELECTORS)


def read(entries: Iterable[Mapping[str, Any]]) -> list[Retirement]:
    """Return the retirements that ``ImagePolicy.retirements`` declares.

    Raises
    ------
    ImageManagerError
        Names the entry and what is wrong with it: a rule that is not understood must not pass for one that is absent.
    """
    found = []
    for number, entry in enumerate(entries, 1):
        try:
            found.append(_one(entry))
        except InvalidRequest as error:
            raise ImageManagerError(
                f"Entry {number} of ImagePolicy.retirements is not understood: {error.message} Correct it in the "
                "configuration."
            ) from None
    return found


def _one(entry: Mapping[str, Any]) -> Retirement:
    if unknown := sorted(set(entry) - set(_KEYS)):
        raise InvalidRequest(f"{unknown[0]!r} is none of {', '.join(_KEYS)}.")
    for key in ("created_before", "stops"):
        if key not in entry:
            raise InvalidRequest(f"`{key}` is missing.")
    texts = {key: str(value) for key, value in entry.items()}
    stops = rules.moment(texts["stops"], "stops")
    digest = hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()
    before = rules.moment(texts["created_before"], "created_before")
    return Retirement(
        id=PREFIX + digest[: 32 - len(PREFIX)],
        created_before=before,
        stops=stops,
        created=before,
        created_by="configuration",
        selector=dict(rules.check_selector({key: texts[key] for key in rules.SELECTORS if key in texts})),
        message=texts.get("message", ""),
        delete_after=rules.later(stops, texts.get("delete_after", ""), "delete_after"),
    )
