"""``retire``: the administrator's rules after which old images stop working."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..errors import NeedsConfirmation
from ..models import Retirement, as_json
from .context import Context, WrongUsage

if TYPE_CHECKING:
    from ..retirement.service import Preview


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the parser."""
    retire = commands.add_parser(
        "retire",
        parents=[common],
        help="let old images stop working on a date",
        description="Declare that images made before one day stop working on another. Until then they warn with the "
        "days left; from then on they cannot be activated or started. --project DIR means that project's images only. "
        "A day begins at 00:00 UTC.",
        epilog="example: jupyter image retire --created-before 2025-12-03 --stop 2026-01-31 --dry-run",
    )
    retire.add_argument("--created-before", metavar="DAY", help="images made before this day")
    retire.add_argument("--stop", metavar="DAY", help="stop working on this day")
    retire.add_argument("--message", default="", help="why, in a sentence for people")
    retire.add_argument("--storage", choices=["local", "registry"], help="only images kept there")
    retire.add_argument("--python", metavar="VERSIONS", help="only images with such a Python, as '<3.9'")
    retire.add_argument("--base", metavar="PATTERN", help="only images that stand on such a base, as 'python:3.8*'")
    retire.add_argument("--template", metavar="T", help="only images built from this template")
    retire.add_argument("--community", metavar="NAME", help="only images of this community's projects")
    retire.add_argument("--also-delete-after", metavar="DAYS", help="delete what is still retired then, as 90d")
    retire.add_argument("--dry-run", action="store_true", help="only say who would be hit")
    retire.add_argument("--yes", "-y", action="store_true", help="also when images stop at once, or are yet to be made")
    retire.add_argument("--list", action="store_true", help="list the retirements")
    retire.add_argument("--withdraw", metavar="ID", help="take a retirement back")
    retire.set_defaults(run=retire_command)


def retire_command(context: Context) -> int:
    """``jupyter image retire``."""
    args = context.args
    if sum((bool(args.list), bool(args.withdraw), bool(args.created_before or args.stop))) != 1:
        raise WrongUsage("Say --created-before and --stop, or --list, or --withdraw ID.")
    if args.list:
        return _list(context)
    if args.withdraw:
        return _withdraw(context)
    if not (args.created_before and args.stop):
        raise WrongUsage("A retirement needs both --created-before and --stop.")
    selector = {name: getattr(args, name) for name in ("storage", "python", "base", "template", "community")}
    if args.project:
        selector["project"] = context.project().id
    words: dict[str, Any] = {
        "selector": selector,
        "message": args.message,
        "delete_after": args.also_delete_after or "",
    }
    service = context.manager.retirements
    if args.dry_run:
        found = service.preview(context.actor, args.created_before, args.stop, **words)
    else:
        try:
            found = service.declare(context.actor, args.created_before, args.stop, confirm=args.yes, **words)
        except NeedsConfirmation as error:
            raise NeedsConfirmation(f"{error.message} Repeat with --yes.", error.details) from None
    _say(context, found, declared=not args.dry_run)
    return 0


def _say(context: Context, found: Preview, *, declared: bool) -> None:
    console = context.console
    if console.as_json:
        console.document({**as_json(found), "declared": declared})
        return
    console.table(
        ["image", "project", "created", "by", "active in"],
        [
            [hit.spec, hit.project, f"{hit.created:%Y-%m-%d}", hit.created_by, ", ".join(hit.active_in) or "—"]
            for hit in found.images
        ],
        empty="No image is hit at the moment.",
    )
    count, rule = len(found.images), found.retirement
    said = f"{count} image{'' if count == 1 else 's'} {'will stop' if declared else 'would stop'} working on"
    console.say(f"{said} {rule.stops:%Y-%m-%d}, {_left(found.days_left)}." if count else "")
    if declared:
        console.say(f"Declared as {rule.id[:12]}; `jupyter image retire --withdraw {rule.id[:12]}` takes it back.")
    else:
        console.say("Nothing has changed.")


def _left(days: int) -> str:
    return "at once" if not days else f"in {days} day{'' if days == 1 else 's'}"


def _list(context: Context) -> int:
    found = context.manager.retirements.list(context.actor)
    if context.console.as_json:
        context.console.document(found)
        return 0
    context.console.table(
        ["id", "created before", "stop", "only", "deleted", "message"],
        [
            [
                each.id[:12] if not each.id.startswith("configured-") else each.id,
                f"{each.created_before:%Y-%m-%d}",
                f"{each.stops:%Y-%m-%d}",
                ", ".join(f"{name} {value}" for name, value in each.selector.items()) or "—",
                f"{each.delete_after:%Y-%m-%d}" if each.delete_after else "never",
                each.message,
            ]
            for each in found
        ],
        empty="No images retire; declare it with `jupyter image retire --created-before DAY --stop DAY`.",
    )
    return 0


def _withdraw(context: Context) -> int:
    service = context.manager.retirements
    wanted = context.args.withdraw
    same: list[Retirement] = [each for each in service.list(context.actor) if each.id.startswith(wanted)]
    if len(same) > 1:
        raise WrongUsage(f"{wanted} is the beginning of {len(same)} retirements' ids; give more of it.")
    service.withdraw(context.actor, same[0].id if same else wanted)
    if context.console.as_json:
        context.console.document({"withdrawn": same[0].id})
    else:
        context.console.say("The retirement is withdrawn: its images work again.")
    return 0
