"""The Python packages in images and in the server's own environment, and in what two of them differ."""

from __future__ import annotations

from collections.abc import Iterable

from .errors import Conflict
from .models import Image, Package, PackageDiff
from .requirements import inside


def of_image(image: Image) -> tuple[Package, ...]:
    """Return the packages that the check found in an image, by name.

    Raises
    ------
    Conflict
        It has not been checked.
    """
    if image.report is None:
        raise Conflict(f"{image.spec} has not been checked yet; run `jupyter image check {image.spec}`.")
    return tuple(sorted(image.report.packages, key=lambda package: package.name.lower()))


def of_server() -> tuple[Package, ...]:
    """Return the packages of the environment in which this runs, found in the way in which a check finds an image's."""
    found = (Package(name, version) for name, version in inside.packages())
    return tuple(sorted(found, key=lambda package: package.name.lower()))


def difference(old: Iterable[Package], new: Iterable[Package]) -> PackageDiff:
    """Return what the second has more, less and otherwise; names are compared as indexes compare them."""
    before = {inside.normal(package.name): package for package in old}
    after = {inside.normal(package.name): package for package in new}
    return PackageDiff(
        added=tuple(after[name] for name in sorted(after.keys() - before.keys())),
        removed=tuple(before[name] for name in sorted(before.keys() - after.keys())),
        changed=tuple(
            (after[name].name, before[name].version, after[name].version)
            for name in sorted(before.keys() & after.keys())
            if before[name].version != after[name].version
        ),
    )
