"""``migrate``: rebuild images from their recipes, and activate the new versions wherever the old ones were."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..migration.items import Item, ItemState, MigrationRequest
from ..models import Migration, MigrationState
from .context import Context, WrongUsage

LOOK = 0.5
"""Seconds between two looks at a migration that is followed."""
AMISS = (ItemState.FAILED, ItemState.IMPOSSIBLE, ItemState.CANCELLED)


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the parser."""
    migrate = commands.add_parser(
        "migrate",
        parents=[common],
        help="rebuild images that retire, and activate the new versions",
        description="Rebuild images from the recipes that are kept, check them, show which packages differ, and "
        "activate each new version wherever the old one was active. The old images stay. With IMAGE just those; "
        "without, the project's images that retire.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="""examples:
  jupyter image migrate --dry-run                                # what would be done in this project
  jupyter image migrate geo --test maps.ipynb                    # activated only if the notebook runs through
  jupyter image migrate --all --base 'python:3.8*=python:3.11'   # every project, on another base
  jupyter image migrate --undo 5a6b7c8d                          # back to what was active before""",
    )
    migrate.add_argument("images", metavar="IMAGE", nargs="*", help="rebuild these, whether they retire or not")
    migrate.add_argument("--community", metavar="NAME", help="all images of a community's projects that retire")
    migrate.add_argument("--all", action="store_true", help="all images of all projects that retire")
    migrate.add_argument(
        "--base",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="a base image, or a pattern of some, and what replaces it (default: ImagePolicy.base_replacements)",
    )
    migrate.add_argument(
        "--test", metavar="NOTEBOOK", help="run this notebook in the new version before it is activated"
    )
    migrate.add_argument("--fix", action="store_true", help="append missing requirements by itself")
    migrate.add_argument("--use-cache", action="store_true", help="take unchanged steps from earlier builds")
    migrate.add_argument("--dry-run", action="store_true", help="only say what would be done")
    migrate.add_argument("--detach", action="store_true", help="do not wait; the migration goes on by itself")
    migrate.add_argument("--list", action="store_true", help="list the migrations")
    migrate.add_argument("--show", metavar="ID", help="show a migration; follow it while it runs")
    migrate.add_argument("--resume", metavar="ID", help="go on with what is not done of a migration")
    migrate.add_argument("--cancel", metavar="ID", help="cancel a migration; what is done stays")
    migrate.add_argument("--undo", metavar="ID", help="activate what was active before a migration")
    migrate.set_defaults(run=migrate_command)


def migrate_command(context: Context) -> int:
    """``jupyter image migrate``."""
    args, service = context.args, context.manager.migrations
    asked = [name for name in ("list", "show", "resume", "cancel", "undo") if getattr(args, name)]
    if len(asked) > 1 or (asked and (args.images or args.community or args.all)):
        raise WrongUsage(f"--{asked[0]} stands by itself.")
    if args.list:
        return _list(context)
    if args.show:
        return _follow(context, service.get(context.actor, args.show))
    if args.resume:
        migration = service.get(context.actor, args.resume)
        return _follow(context, service.resume(context.actor, migration.id))
    if args.cancel:
        return _say(context, service.cancel(context.actor, args.cancel), done="is being cancelled")
    if args.undo:
        return _undo(context)
    request = _request(context)
    if args.dry_run:
        return _plan(context, service.plan(context.actor, request))
    return _follow(context, service.submit(context.actor, request))


def _request(context: Context) -> MigrationRequest:
    args = context.args
    if bool(args.images) + bool(args.community) + bool(args.all) > 1:
        raise WrongUsage("Name images, or --community, or --all; or none of them, for the project.")
    bases = {}
    for words in args.base:
        old, sign, new = words.partition("=")
        if not old or not sign or not new:
            raise WrongUsage(f"--base wants OLD=NEW, not {words!r}.")
        bases[old] = new
    community = None
    if args.community:
        known = context.manager.communities.list(context.actor)
        matching = [each for each in known if args.community in (each.id, each.name)]
        if not matching:
            raise WrongUsage(f"There is no community {args.community!r}.")
        community = matching[0].id
    by_project = not (args.images or community or args.all)
    project = context.project() if args.images or by_project else None
    return MigrationRequest(
        images=tuple(context.image(name, project).image.id for name in args.images),
        project_id=project.id if project is not None and by_project else None,
        community_id=community,
        everything=args.all,
        bases=bases,
        test=str(Path(args.test).expanduser().absolute()) if args.test else "",
        fix=args.fix,
        cache=args.use_cache,
    )


def _follow(context: Context, migration: Migration) -> int:
    """Show a migration until its end, unless told not to."""
    console, service = context.console, context.manager.migrations
    if context.args.detach:
        return _say(
            context, migration, done=f"goes on; follow it with `jupyter image migrate --show {migration.id[:8]}`"
        )
    told: dict[str, str] = {}
    try:
        while True:
            if not console.as_json:
                _tell(context, migration, told)
            if migration.state is not MigrationState.RUNNING:
                break
            time.sleep(LOOK)
            migration = service.get(context.actor, migration.id)
    except KeyboardInterrupt:
        service.cancel(context.actor, migration.id)
        console.note(f"Cancelled; `jupyter image migrate --resume {migration.id[:8]}` goes on.")
        return 130
    return _outcome(context, migration)


def _tell(context: Context, migration: Migration, told: dict[str, str]) -> None:
    for item in map(Item.read, migration.items):
        if told.get(item.image_id) != item.state.value:
            told[item.image_id] = item.state.value
            context.console.note(f"{item.project} {item.spec}: {item.state.value}")


def _outcome(context: Context, migration: Migration) -> int:
    items = [Item.read(each) for each in migration.items]
    code = 1 if migration.state is not MigrationState.DONE or any(item.state in AMISS for item in items) else 0
    console = context.console
    if console.as_json:
        console.document(migration)
        return code
    _table(context, items)
    short = migration.id[:8]
    if migration.state is MigrationState.INTERRUPTED:
        console.error(f"The migration was interrupted; `jupyter image migrate --resume {short}` goes on.")
    elif code:
        console.error(f"Not everything is migrated; `jupyter image migrate --resume {short}` tries what is left again.")
    if any(item.activated for item in items):
        console.say(f"Restart the kernels that run. `jupyter image migrate --undo {short}` goes back.")
    return code


def _table(context: Context, items: Sequence[Item]) -> None:
    rows = [
        [item.spec, item.project, item.state.value, item.new_spec or "—", _packages(item), _about(item)]
        for item in items
    ]
    context.console.table(
        ["image", "project", "state", "new", "packages", "about"], rows, empty="No image there retires."
    )


def _packages(item: Item) -> str:
    if item.diff is None:
        return "—"
    counts = [("+", item.diff["added"]), ("-", item.diff["removed"]), ("~", item.diff["changed"])]
    return " ".join(f"{sign}{len(found)}" for sign, found in counts if found) or "same"


def _about(item: Item) -> str:
    words = [item.reason] if item.reason else []
    words += [f"on {new} instead of {old}" for old, new in item.bases]
    if item.tested:
        words.append(f"{Path(item.test).name} ran through")
    if item.activated:
        count = len(item.activated)
        words.append("active" if count == 1 else f"active in {count} projects")
    if item.state is ItemState.WAITING:
        words += item.warnings
    return "; ".join(words)


def _plan(context: Context, items: list[Item]) -> int:
    if context.console.as_json:
        context.console.document([item.kept() for item in items])
    else:
        _table(context, items)
        context.console.say("Nothing has changed.")
    return 0


def _list(context: Context) -> int:
    found = context.manager.migrations.list(context.actor)
    if context.console.as_json:
        context.console.document(found)
        return 0
    context.console.table(
        ["id", "state", "begun", "by", "images"],
        [
            [
                each.id[:8],
                each.state.value,
                f"{each.created:%Y-%m-%d %H:%M}",
                each.created_by,
                ", ".join(f"{count} {state}" for state, count in context.manager.migrations.report(each).items()),
            ]
            for each in found
        ],
        empty="Nothing has been migrated yet.",
    )
    return 0


def _undo(context: Context) -> int:
    service = context.manager.migrations
    migration = service.undo(context.actor, service.get(context.actor, context.args.undo).id)
    return _say(context, migration, done="is taken back: what was active before is active again")


def _say(context: Context, migration: Migration, *, done: str) -> int:
    if context.console.as_json:
        context.console.document(migration)
    else:
        context.console.say(f"The migration {migration.id[:8]} {done}.")
    return 0
