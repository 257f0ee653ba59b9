"""``export``, ``load``, ``lock`` and ``sync``: images between installations and colleagues."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..models import BuildState, PackageDiff, as_json
from .context import Context
from .following import finish, follow_build, report_outcome
from .output import BuildDisplay, size

SAID = 2.0
"""Seconds between two lines that say how far an export is."""
SHOWN = 20
"""How many packages that differ are named."""


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    export = commands.add_parser(
        "export",
        parents=[common],
        help="write an image with its recipe into one file",
        description="Write an image with its recipe, context and report into one archive, for another installation. "
        "`docker load` reads it too.",
        epilog="example: jupyter image export geo geo.tar",
    )
    export.add_argument("image", metavar="IMAGE")
    export.add_argument("file", metavar="FILE")
    export.add_argument("--overwrite", action="store_true", help="also when there is such a file already")
    export.set_defaults(run=export_command)

    load = commands.add_parser(
        "load",
        parents=[common],
        help="take in an image that was exported",
        description="Take in an image with its recipe from a file of `jupyter image export`; check it here.",
        epilog="example: jupyter image load geo.tar --activate",
    )
    load.add_argument("file", metavar="FILE")
    load.add_argument("--name", default="", metavar="NAME", help="another name than it had")
    load.add_argument("--activate", action="store_true", help="activate the image when it is ready")
    load.add_argument("--detach", action="store_true", help="do not wait; it goes on by itself")
    load.set_defaults(run=load_command)

    lock = commands.add_parser(
        "lock",
        parents=[common],
        help="write into image.lock which image the project is worked on in",
        description="Write image.lock into the project folder: name, digest, recipe and packages of an image. From "
        "then on each activation keeps it up to date. Commit it, and colleagues get the image by `jupyter image sync`.",
    )
    lock.add_argument("image", metavar="IMAGE", nargs="?", help="default: the active image")
    lock.set_defaults(run=lock_command)

    sync = commands.add_parser(
        "sync",
        parents=[common],
        help="get and activate the image of image.lock",
        description="Get the image that image.lock names, and activate it: as it is here, by its digest from its "
        "registry, or, when it is in none, built from the project's Dockerfile, with the packages that differ shown.",
    )
    sync.add_argument("--rebuild", action="store_true", help="build it, though it is in a registry")
    sync.set_defaults(run=sync_command)


def export_command(context: Context) -> int:
    """``jupyter image export``."""
    console = context.console
    image = context.image(context.args.image).image
    path = Path(context.args.file)
    written = context.manager.portable.export(
        context.actor, image.id, path, overwrite=context.args.overwrite, progress=_progress(context, image.spec)
    )
    if console.as_json:
        console.document({"exported": image.spec, "file": str(path.absolute()), "bytes": written})
    else:
        console.say(f"{path} holds {image.spec} with its recipe, {size(written)}.")
    return 0


def _progress(context: Context, spec: str) -> Callable[[int, int], None]:
    last = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > SAID and not context.console.as_json:
            last = time.monotonic()
            context.console.note(f"{spec}: {size(done)} of about {size(max(done, total))}")

    return progress


def load_command(context: Context) -> int:
    """``jupyter image load``."""
    args = context.args
    with context.project_or_new() as project:
        build, found = context.manager.portable.load(
            context.actor, project.id, Path(args.file), name=args.name, activate=args.activate
        )
    context.console.note(f"{args.file} holds {found.name}:{found.version} of {found.created:%Y-%m-%d}.")
    return finish(context, build)


def lock_command(context: Context) -> int:
    """``jupyter image lock``."""
    project = context.project()
    image = context.image(context.args.image, project).image.id if context.args.image else None
    path = context.manager.portable.lock(context.actor, project.id, image)
    if context.console.as_json:
        context.console.document({"lock": str(path)})
    else:
        context.console.say(f"{path} is written; commit it, and colleagues run `jupyter image sync`.")
    return 0


def sync_command(context: Context) -> int:
    """``jupyter image sync``."""
    console, service = context.console, context.manager.portable
    with context.project_or_new() as project:
        begun = service.sync(context.actor, project.id, rebuild=context.args.rebuild)
    wanted = begun.lock
    if begun.build is not None:
        what = f"pulled from {wanted.repository}" if begun.how == "pulled" else "built again"
        console.note(f"{wanted.spec} of image.lock is not here; it is {what}.")
        build = follow_build(context, begun.build, BuildDisplay(console, wanted.spec))
        if build.state is not BuildState.SUCCEEDED:
            code = report_outcome(context, build)
            if begun.how == "pulled":
                console.note("`jupyter image sync --rebuild` builds one like it from the project's Dockerfile.")
            return code
    done = service.synced(context.actor, project.id, begun.image_id)
    if console.as_json:
        console.document({"how": begun.how, "locked": wanted.spec, **as_json(done)})
        return 0
    if done.same:
        console.say(f"{done.spec} is active: exactly the {wanted.spec} of image.lock.")
        return 0
    console.say(f"{done.spec} is active, built like {wanted.spec} of image.lock; {_differ(done.diff)}")
    if not done.same_recipe:
        console.note("It was not built from the same recipe as the one of image.lock.")
    return 0


def _differ(diff: PackageDiff) -> str:
    words = [f"+{package.name} {package.version}" for package in diff.added]
    words += [f"-{package.name} {package.version}" for package in diff.removed]
    words += [f"{name} {old} → {new}" for name, old, new in diff.changed]
    if not words:
        return "the Python packages are the same."
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return f"other packages: {', '.join(words[:SHOWN])}{more}."
