"""``usage``: what images hold, for how long, and at what price."""

from __future__ import annotations

import argparse
import csv
from typing import Any

from ..errors import EngineError, EngineUnavailable
from ..models import UsageReport, as_json
from .context import Context, WrongUsage
from .output import size

SHOWN = 30
"""Rows of the table; --csv and --json have them all."""
COLUMNS = (
    "project",
    "spec",
    "image_id",
    "storage",
    "bytes",
    "unique",
    "shared",
    "counted",
    "gb_hours",
    "cost",
    "active",
    "deleted",
)


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the parser."""
    usage = commands.add_parser(
        "usage",
        parents=[common],
        help="what images hold, for how long and at what price, and what is free",
        description="Of a layer that several images have, each is counted with the same part: the sum is what is held.",
        epilog="example: jupyter image usage --all --month 2026-11 --csv",
    )
    whose = usage.add_mutually_exclusive_group()
    whose.add_argument("--community", metavar="COMMUNITY", help="of all projects of a community")
    whose.add_argument("--all", action="store_true", dest="everything", help="of all projects")
    usage.add_argument("--month", metavar="YYYY-MM", help="the month whose hours are added up (default: this one)")
    usage.add_argument("--csv", action="store_true", help="print comma-separated values")
    usage.set_defaults(run=usage_command)


def usage_command(context: Context) -> int:
    """``jupyter image usage``."""
    args, console, manager = context.args, context.console, context.manager
    if args.csv and console.as_json:
        raise WrongUsage("Choose --csv or --json.")
    scope: dict[str, str] = {}
    about: dict[str, Any] = {}
    if args.community:
        from .communities import find

        scope["community_id"] = find(context, args.community).id
    elif not args.everything:
        scope["project_id"] = context.project().id
    manager.accounting.meter()
    _protect(context)
    report = manager.accounting.report(context.actor, month=args.month, **scope)
    if "project_id" in scope:
        about = manager.images.usage(context.actor, scope["project_id"])
    if console.as_json:
        console.document(about | {"report": as_json(report)})
    elif args.csv:
        writer = csv.writer(console.out)
        writer.writerow(COLUMNS)
        writer.writerows([getattr(row, name) for name in COLUMNS] for row in report.images)
    else:
        _show(context, report, about)
    return 0


def _protect(context: Context) -> None:
    """Protect copies, as a server does each minute: there may be none."""
    try:
        context.manager.storage.keep()
    except (EngineError, EngineUnavailable) as error:
        context.console.note(f"warning: {error.message}")


def _show(context: Context, report: UsageReport, about: dict[str, Any]) -> None:
    console = context.console
    priced = any(report.prices.values())
    money = [f"cost {report.currency}".strip()] if priced else []
    console.table(
        ["image", "project", "storage", "size", "unique", "shared", "GB-hours", *money],
        [
            [
                row.spec or f"(deleted {row.image_id[:8]})",
                row.project or "—",
                row.storage,
                size(row.bytes),
                size(row.unique),
                size(row.shared),
                f"{row.gb_hours:.2f}",
                *([f"{row.cost:.2f}"] if priced else []),
            ]
            for row in report.images[:SHOWN]
        ],
        empty="There are no images here.",
    )
    if len(report.images) > SHOWN:
        console.say(f"… and {len(report.images) - SHOWN} more; --csv has them all.")
    console.say()
    for total in report.storages:
        cost = f", {total.cost:.2f} {report.currency}".rstrip() if priced else ""
        console.say(f"{total.name:10} {size(total.bytes):>8} together, {total.gb_hours:.2f} GB-hours{cost}")
    if report.metered is None:
        console.say(f"No hour of {report.month} was metered.")
    for name in ("images", "bytes"):
        if about.get(f"max_{name}"):
            used = about["images"] if name == "images" else size(about["optimized_bytes"])
            most = about["max_images"] if name == "images" else size(about["max_bytes"])
            console.say(f"{name:10} {used} of {most}")
    if report.disk_free is not None:
        console.say(f"{'free':10} {size(report.disk_free):>8} of {size(report.disk_total)} on the engine's disk")
    if report.deletable is not None:
        specs = report.deletable.specs
        console.say(f"Deleting {', '.join(specs)} frees {size(report.deletable.frees)}: nobody uses them.")
    for warning in report.warnings:
        console.note(f"warning: {warning}")
