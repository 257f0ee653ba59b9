"""``optimize``, ``unoptimize``, ``delete`` and ``prune``: where images are kept, and what nobody needs any more."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..errors import NeedsConfirmation
from ..models import DeletionPreview, ImageSummary, PrunePreview, StorageAction, StoragePreview, as_json
from .context import Context
from .output import size

if TYPE_CHECKING:
    from collections.abc import Callable

NAMED = 8
"""How many notebooks are named before a deletion."""
UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    optimize = commands.add_parser(
        "optimize",
        parents=[common],
        help="keep a copy of a registry image on this machine on purpose",
        epilog="example: jupyter image optimize geo:3",
    )
    optimize.add_argument("image", metavar="IMAGE")
    optimize.add_argument("--detach", action="store_true", help="do not wait for the pull")
    optimize.set_defaults(run=optimize_command)

    unoptimize = commands.add_parser(
        "unoptimize", parents=[common], help="give up the optimized copy; the version in the registry is used again"
    )
    unoptimize.add_argument("image", metavar="IMAGE")
    unoptimize.add_argument("--dry-run", action="store_true", help="only say what it would do")
    unoptimize.add_argument("--yes", "-y", action="store_true", help="do not ask")
    unoptimize.set_defaults(run=unoptimize_command)

    delete = commands.add_parser(
        "delete",
        parents=[common],
        help="delete an image, or only its version in the registry or its optimized copy",
        description="Without an option the image goes from the project and from this machine; its version in the "
        "registry, if it has one, stays there.",
        epilog="example: jupyter image delete geo:3 --original",
    )
    delete.add_argument("image", metavar="IMAGE")
    which = delete.add_mutually_exclusive_group()
    which.add_argument("--original", action="store_true", help="only the version in the registry")
    which.add_argument("--copy", action="store_true", help="only the optimized copy, as unoptimize does")
    which.add_argument("--everywhere", action="store_true", help="the image, and its version in the registry")
    delete.add_argument("--dry-run", action="store_true", help="only say what it would do")
    delete.add_argument("--yes", "-y", action="store_true", help="do not ask")
    delete.set_defaults(run=delete_command)

    prune = commands.add_parser(
        "prune",
        parents=[common],
        help="remove what nobody needs: leftovers of builds, images that were not used for long",
        description="Of images in a registry only the copy on this machine goes. Never what is active, published, "
        "running, of others, or the last there is of an image in a registry.",
        epilog="example: jupyter image prune --older-than 90d --dry-run",
    )
    prune.add_argument("--older-than", metavar="TIME", help="not used for so long, such as 12h, 30d or 8w")
    prune.add_argument("--optimized", action="store_true", help="also copies that were optimized on purpose")
    prune.add_argument("--all", action="store_true", dest="everything", help="of all projects")
    prune.add_argument("--dry-run", action="store_true", help="only say what it would do")
    prune.add_argument("--yes", "-y", action="store_true", help="do not ask")
    prune.set_defaults(run=prune_command)


def _asked(context: Context, question: str) -> bool | None:
    """Ask on a terminal; None where nobody can be asked."""
    if context.args.yes:
        return True
    if context.console.as_json or not sys.stdin.isatty():
        return None
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _nothing(context: Context) -> int:
    context.console.say("Nothing has changed.")
    return 1


# Copies and originals
def optimize_command(context: Context) -> int:
    """``jupyter image optimize``."""
    summary, manager, console = context.image(context.args.image), context.manager, context.console
    spec = summary.image.spec
    pull = manager.storage.optimize(context.actor, summary.image.id)
    if pull is not None and context.args.detach:
        if console.as_json:
            console.document(pull.as_json())
        else:
            console.say(f"{spec} is being pulled; `jupyter image show {spec}` says when it is here.")
        return 0
    if pull is not None:
        from .pulling import follow

        follow(context, pull, spec)
    now = manager.images.get(context.actor, summary.image.id)
    if console.as_json:
        console.document(now.as_json())
    else:
        console.say(f"{spec} has an optimized copy on this machine: projects start in it without the registry.")
    return 0


def unoptimize_command(context: Context) -> int:
    """``jupyter image unoptimize``, ``jupyter image delete --copy``."""
    summary = context.image(context.args.image)
    storage = context.manager.storage

    def act(confirm: bool) -> ImageSummary:
        return storage.unoptimize(context.actor, summary.image.id, confirm=confirm)

    question = f"Give up the optimized copy of {summary.image.spec}?"
    return _act(context, summary, StorageAction.UNOPTIMIZE, question, act)


def _delete_original(context: Context, summary: ImageSummary) -> int:
    storage = context.manager.storage

    def act(confirm: bool) -> ImageSummary:
        return storage.delete_original(context.actor, summary.image.id, confirm=confirm)

    question = f"Delete {summary.image.pinned} in the registry?"
    return _act(context, summary, StorageAction.DELETE_ORIGINAL, question, act)


def _act(
    context: Context,
    summary: ImageSummary,
    action: StorageAction,
    question: str,
    act: Callable[[bool], ImageSummary],
) -> int:
    """Say what an action would do, ask, and do it."""
    console = context.console
    preview = context.manager.storage.preview(context.actor, summary.image.id, action)
    if context.args.dry_run:
        if console.as_json:
            console.document(preview)
        else:
            _say(context, preview)
        return 0 if preview.allowed else 1
    confirmed = bool(context.args.yes)
    if preview.allowed and not console.as_json:
        _say(context, preview)
        answer = _asked(context, question)
        if answer is False:
            return _nothing(context)
        confirmed = bool(answer)
    try:
        now = act(confirmed)
    except NeedsConfirmation as error:
        raise NeedsConfirmation(f"{error.message} Repeat with --yes.", error.details) from None
    if console.as_json:
        console.document(now.as_json() | {"preview": as_json(preview)})
    elif action is StorageAction.UNOPTIMIZE:
        console.say(f"The optimized copy of {summary.image.spec} is gone; {size(preview.frees_engine)} freed.")
    else:
        console.say(f"{summary.image.pinned} is deleted in the registry.")
    return 0


def _say(context: Context, preview: StoragePreview) -> None:
    if not preview.allowed:
        context.console.say(preview.reason)
        return
    for sentence in (*preview.works_after, *preview.lost):
        context.console.say(sentence)
    if preview.frees_engine:
        context.console.say(f"It frees {size(preview.frees_engine)} on this machine.")
    if preview.frees_registry:
        context.console.say(f"It lets the registry free {size(preview.frees_registry)}.")
    if preview.shared_with:
        context.console.say(f"The same version is also {', '.join(preview.shared_with)}.")
    if preview.final:
        context.console.say("This is final.")


# Images
def delete_command(context: Context) -> int:
    """``jupyter image delete``."""
    if context.args.copy:
        return unoptimize_command(context)
    console = context.console
    summary = context.image(context.args.image)
    if context.args.original:
        return _delete_original(context, summary)
    spec = summary.image.spec
    preview = context.manager.images.deletion(context.actor, summary.image.id)
    if not console.as_json:
        _say_notebooks(context, spec, preview)
        if preview.in_registry:
            console.note(_registry_words(preview, everywhere=context.args.everywhere))
    if context.args.dry_run:
        if console.as_json:
            console.document(preview)
        else:
            final = " This is final." if preview.final else ""
            console.say(preview.reason or f"Deleting {spec} frees {size(preview.frees)}.{final}")
        return 0 if preview.allowed else 1
    confirmed = bool(context.args.yes)
    if preview.allowed:
        final = " This is final." if preview.final else ""
        answer = _asked(context, f"Delete {spec}? It frees {size(preview.frees)}.{final}")
        if answer is False:
            return _nothing(context)
        confirmed = bool(answer)
    try:
        context.manager.images.delete(
            context.actor, summary.image.id, confirm=confirmed, original=context.args.everywhere
        )
    except NeedsConfirmation as error:
        raise NeedsConfirmation(f"{error.message} Repeat with --yes.", error.details) from None
    if console.as_json:
        about = {key: as_json(preview)[key] for key in ("notebooks", "notebooks_complete", "in_registry")}
        console.document({"deleted": spec, "freed": preview.frees, **about})
    else:
        console.say(f"{spec} is deleted; {size(preview.frees)} freed.")
    return 0


def _registry_words(preview: DeletionPreview, *, everywhere: bool) -> str:
    if everywhere:
        return f"{preview.in_registry} is deleted in the registry too, for everybody who pulls it."
    return f"{preview.in_registry} stays in the registry; --everywhere deletes it there too."


def _say_notebooks(context: Context, spec: str, preview: DeletionPreview) -> None:
    """Say which notebooks last ran in an image; they go on in whatever is active then."""
    found, console = preview.notebooks, context.console
    if found:
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        console.note(f"Notebooks that last ran in {spec}: {', '.join(found[:NAMED])}{more}.")
    if not preview.notebooks_complete:
        console.note("Not every notebook of the project was looked at: there are too many files, or too large ones.")


# Clean up
def prune_command(context: Context) -> int:
    """``jupyter image prune``."""
    console, args = context.console, context.args
    options: dict[str, Any] = {
        "project_id": None if args.everything else context.project().id,
        "older_than": _duration(args.older_than),
        "optimized": args.optimized,
    }
    prune = context.manager.storage.prune
    found = prune(context.actor, **options)
    if args.dry_run or not found.items:
        _show_prune(context, found)
        return 0
    if not console.as_json:
        _show_prune(context, found)
    answer = _asked(context, f"Remove {len(found.items)} things? It frees {size(found.frees)}.")
    if answer is None:
        raise NeedsConfirmation(
            f"{len(found.items)} things would be removed, which frees {size(found.frees)}: repeat with --yes, or look "
            "at them with --dry-run."
        )
    if not answer:
        return _nothing(context)
    done = prune(context.actor, **options, confirm=True)
    if console.as_json:
        console.document(done)
    else:
        console.say(f"{len(done.items)} removed; {size(done.frees)} freed.")
        for sentence in done.failed:
            console.error(sentence)
    return 1 if done.failed else 0


def _show_prune(context: Context, found: PrunePreview) -> None:
    if context.console.as_json:
        context.console.document(found)
        return
    context.console.table(
        ["what", "image", "frees", "why"],
        [[item.kind, item.spec or item.image_id[7:19], size(item.frees), item.reason] for item in found.items],
        empty="There is nothing that nobody needs.",
    )


def _duration(text: str | None) -> timedelta | None:
    """Return a time such as ``30d``."""
    from .context import WrongUsage

    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,5})([hdw])", text)
    if match is None:
        raise WrongUsage(f"--older-than {text}: write it as 12h, 30d or 8w.")
    return int(match[1]) * UNITS[match[2]]
