"""Which images a retirement reaches, how long they still work, and what people are told; pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion

from ..errors import InvalidReference, InvalidRequest
from ..models import Image, Retirement, RetirementNotice, Storage
from ..reference import parse_reference

SELECTORS = ("storage", "python", "base", "template", "project", "community")
"""By what a retirement may pick images, beside the date on which they were made."""
_SPAN = re.compile(r"([1-9][0-9]{0,4})\s*(d|days?|w|weeks?)?")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a retirement looks at: an image, and what the rest of the store says of it."""

    image: Image
    template: str = ""  # name of the template it was built from
    bases: tuple[str, ...] = ()  # what its recipe stands on, as written
    project: tuple[str, ...] = ()  # id, name and folder of its project
    community: tuple[str, ...] = ()  # id and name of its project's community


def needs_recipe(retirements: Iterable[Retirement]) -> bool:
    """Return whether any of the rules looks at recipes: reading those of thousands of images takes time."""
    return any({"base", "template"} & set(retirement.selector) for retirement in retirements)


def hits(retirement: Retirement, subject: Subject) -> bool:
    """Return whether a retirement reaches an image: made before its date, and all that it selects by is so."""
    if subject.image.created >= retirement.created_before:
        return False
    return all(_MATCHES[name](str(wanted), subject) for name, wanted in retirement.selector.items())


def _storage(wanted: str, subject: Subject) -> bool:
    return subject.image.storage.value == wanted


def _python(wanted: str, subject: Subject) -> bool:
    try:
        return SpecifierSet(wanted).contains(subject.image.python_version, prereleases=True)
    except InvalidVersion:
        return False  # an image without Python, or one that was never checked


def _base(wanted: str, subject: Subject) -> bool:
    return any(base_matches(wanted, base) for base in subject.bases)


def base_matches(pattern: str, base: str) -> bool:
    """Return whether a pattern means a base image: as written or in full, with or without its digest."""
    forms = {base, base.partition("@")[0]}
    try:
        full = str(parse_reference(base))
    except InvalidReference:
        full = ""
    if full:
        forms |= {full, full.partition("@")[0]}
    wanted = {pattern}
    if not set(pattern) & set("*?["):
        try:
            wanted.add(str(parse_reference(pattern)))
        except InvalidReference:
            return any(fnmatchcase(form, pattern) for form in forms)
    return any(fnmatchcase(form, each) for form in forms for each in wanted)


def _template(wanted: str, subject: Subject) -> bool:
    return subject.template == wanted


def _project(wanted: str, subject: Subject) -> bool:
    return wanted in subject.project


def _community(wanted: str, subject: Subject) -> bool:
    return wanted in subject.community


_MATCHES = {
    "storage": _storage,
    "python": _python,
    "base": _base,
    "template": _template,
    "project": _project,
    "community": _community,
}


def check_selector(selector: Mapping[str, Any]) -> dict[str, str]:
    """Return a selector whose values can be what they are meant to be; empty ones are left out.

    Raises
    ------
    InvalidRequest
        Names what is wrong, and what would do.
    """
    found: dict[str, str] = {}
    for name, value in selector.items():
        if name not in SELECTORS:
            raise InvalidRequest(f"Retirements pick images by {', '.join(SELECTORS)}, not by {name!r}.", {"key": name})
        if value in (None, ""):
            continue
        if not isinstance(value, str):
            raise InvalidRequest(f"`{name}` should be a text, not {value!r}.", {"key": name})
        found[name] = value
    if "storage" in found and found["storage"] not in {each.value for each in Storage}:
        raise InvalidRequest(
            f"`storage` should be {' or '.join(each.value for each in Storage)}, not {found['storage']!r}.",
            {"key": "storage"},
        )
    if "python" in found:
        try:
            SpecifierSet(found["python"])
        except InvalidSpecifier:
            raise InvalidRequest(
                f"`python` should be versions as in `<3.9` or `==3.8.*`, not {found['python']!r}.", {"key": "python"}
            ) from None
    return found


def moment(text: str, key: str) -> datetime:
    """Return the moment that a text means: a day, which begins at 00:00 UTC, or a date with a time and its zone.

    Raises
    ------
    InvalidRequest
        It is neither.
    """
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00").replace("z", "+00:00"))
    except ValueError:
        raise InvalidRequest(f"`{key}` should be a date such as 2025-12-03, not {text[:40]!r}.", {"key": key}) from None
    try:
        return found.replace(tzinfo=timezone.utc) if found.tzinfo is None else found.astimezone(timezone.utc)
    except OverflowError:
        raise InvalidRequest(f"`{key}` is no date that a calendar has: {text[:40]!r}.", {"key": key}) from None


def span(text: str, key: str) -> timedelta:
    """Return the days that a text such as ``90d`` or ``12 weeks`` means.

    Raises
    ------
    InvalidRequest
        It means none.
    """
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise InvalidRequest(f"`{key}` should be a number of days such as 90d, not {text[:40]!r}.", {"key": key})
    return timedelta(days=int(match[1]) * (7 if (match[2] or "d").startswith("w") else 1))


def later(stops: datetime, days: str, key: str) -> datetime | None:
    """Return the moment so many days after another; None when no days are given.

    Raises
    ------
    InvalidRequest
        The text means no number of days, or no calendar goes so far.
    """
    if not days:
        return None
    try:
        return stops + span(days, key)
    except OverflowError:
        raise InvalidRequest(f"`{key}` lies beyond every calendar: {days[:40]!r}.", {"key": key}) from None


def stopped(retirement: Retirement, now: datetime) -> bool:
    """Return whether the images of a retirement have stopped working."""
    return now >= retirement.stops


def days_left(retirement: Retirement, now: datetime) -> int:
    """Return the days for which the images of a retirement still work, begun ones counted; 0 once they have stopped."""
    return max(0, math.ceil((retirement.stops - now).total_seconds() / 86400))


def first(retirements: Iterable[Retirement], subject: Subject) -> Retirement | None:
    """Return the retirement of an image that stops first; None when none reaches it."""
    return min(
        (retirement for retirement in retirements if hits(retirement, subject)),
        key=lambda retirement: (retirement.stops, retirement.id),
        default=None,
    )


def notice(retirement: Retirement, image: Image, now: datetime) -> RetirementNotice:
    """Return what is said of an image that a retirement reaches, as it stands at a moment."""
    over = stopped(retirement, now)
    return RetirementNotice(
        retirement_id=retirement.id,
        stops=retirement.stops,
        stopped=over,
        days_left=days_left(retirement, now),
        message=refusal(retirement, image) if over else warning(retirement, image, now),
    )


def warning(retirement: Retirement, image: Image, now: datetime) -> str:
    """Return the sentence that warns while an image still works."""
    left = days_left(retirement, now)
    return (
        f"{image.spec} stops working on {_day(retirement.stops)}, in {left} day{'' if left == 1 else 's'}, since it "
        f"was made before {_day(retirement.created_before)}{_why(retirement)}; {_cure(image)}"
    )


def refusal(retirement: Retirement, image: Image) -> str:
    """Return the sentence that refuses an image that has stopped working (R48)."""
    return (
        f"{image.spec} is retired: images made before {_day(retirement.created_before)} stopped working on "
        f"{_day(retirement.stops)}{_why(retirement)}; {_cure(image)}"
    )


def _why(retirement: Retirement) -> str:
    message = retirement.message.strip().rstrip(".")
    return f" ({message})" if message else ""


def _cure(image: Image) -> str:
    if image.system:
        return "it belongs to the whole server: activate another image, or ask its administrator for a newer one."
    return f"rebuild it with `jupyter image migrate {image.spec}`, or activate another image."


def _day(moment: datetime) -> str:
    utc = moment.astimezone(timezone.utc)
    return f"{utc:%Y-%m-%d}" if (utc.hour, utc.minute) == (0, 0) else f"{utc:%Y-%m-%d %H:%M} UTC"
