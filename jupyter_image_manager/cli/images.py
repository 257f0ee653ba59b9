"""``list``, ``show``, ``activate``, ``deactivate``, ``packages`` and ``diff``."""

from __future__ import annotations

import argparse
from typing import Any

from .. import lifecycle
from ..models import ImageState, ImageSummary, Project, as_json
from .context import Context
from .output import ago, size


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    listing = commands.add_parser(
        "list",
        parents=[common],
        help="list the project's images",
        epilog="example: jupyter image list --state ready --json",
    )
    listing.add_argument("--state", choices=[s.value for s in ImageState])
    listing.add_argument("--search", default="", metavar="TEXT", help="names and descriptions that contain TEXT")
    listing.set_defaults(run=list_command)

    show = commands.add_parser("show", parents=[common], help="show an image, or the project's active one")
    show.add_argument("image", metavar="IMAGE", nargs="?")
    show.add_argument("--dockerfile", action="store_true", help="print the Dockerfile it was built from")
    show.set_defaults(run=show_command)

    activate = commands.add_parser(
        "activate",
        parents=[common],
        help="make an image the one in which the project's kernels run",
        epilog="example: jupyter image activate scientific:2",
    )
    activate.add_argument("image", metavar="IMAGE", nargs="?")
    activate.add_argument("--undo", action="store_true", help="back to what was active before")
    activate.add_argument("--detach", action="store_true", help="do not wait until it is pulled from its registry")
    activate.set_defaults(run=activate_command)

    deactivate = commands.add_parser(
        "deactivate", parents=[common], help="back to the server's environment; the image stays"
    )
    deactivate.set_defaults(run=deactivate_command)

    packages = commands.add_parser("packages", parents=[common], help="list an image's Python packages")
    packages.add_argument("image", metavar="IMAGE", nargs="?")
    packages.set_defaults(run=packages_command)

    diff = commands.add_parser(
        "diff",
        parents=[common],
        help="compare two images' packages",
        epilog="example: jupyter image diff geo:1 geo:2",
    )
    diff.add_argument("old", metavar="OLD")
    diff.add_argument("new", metavar="NEW")
    diff.set_defaults(run=diff_command)


def _state(summary: ImageSummary) -> str:
    state = "active" if summary.active else summary.image.state.value
    retirement = summary.retirement
    if retirement is None:
        return state
    if retirement.stopped:
        return "active, retired" if summary.active else "retired"
    return f"{state}, {retirement.days_left} day{'' if retirement.days_left == 1 else 's'} left"


def list_command(context: Context) -> int:
    """``jupyter image list``."""
    project = context.project()
    summaries = context.manager.images.list(
        context.actor,
        project.id,
        state=ImageState(context.args.state) if context.args.state else None,
        search=context.args.search,
    )
    if context.console.as_json:
        context.console.document([s.as_json() for s in summaries])
        return 0
    context.console.table(
        ["image", "state", "storage", "python", "size", "created", "description"],
        [
            [
                s.image.spec,
                _state(s),
                lifecycle.kept_in(s.image),
                s.image.python_version or "—",
                size(s.image.size),
                ago(s.image.created),
                s.image.description,
            ]
            for s in summaries
        ],
        empty=f"The project {project.name!r} has no images yet; build one with `jupyter image build NAME`.",
    )
    return 0


def _image_or_active(context: Context) -> ImageSummary | None:
    if context.args.image:
        summary = context.image(context.args.image)
        return context.manager.images.get(context.actor, summary.image.id)
    active = context.project().active_image_id
    return context.manager.images.get(context.actor, active) if active else None


def show_command(context: Context) -> int:
    """``jupyter image show``."""
    console = context.console
    summary = _image_or_active(context)
    if summary is None:
        project = context.project()
        if console.as_json:
            console.document({"project": project.name, "active": None})
        else:
            console.say(f"The project {project.name!r} has no active image: kernels run in the server's environment.")
            _say_warnings(context, project)
        return 0
    image = summary.image
    recipe = context.manager.images.recipe(context.actor, image.id)
    if context.args.dockerfile:
        console.say(recipe.dockerfile or f"# imported from {recipe.reference}")
        return 0
    if console.as_json:
        console.document(summary.as_json() | {"recipe": as_json(recipe)})
        return 0
    facts = [
        ("image", image.spec),
        ("project", summary.project),
        ("state", _state(summary)),
        ("storage", lifecycle.kept_in(image)),
        ("digest", image.digest or "—"),
        ("Python", image.python_version or "—"),
        ("architecture", image.architecture or "—"),
        ("size", size(image.size)),
        ("created", f"{ago(image.created)} by {image.created_by}"),
        ("source", recipe.reference or recipe.kind.value),
        ("running kernels", str(summary.running_kernels)),
    ]
    if image.repository:
        kept = f", {size(image.registry_size)}" if image.registry_size else ""
        facts.insert(4, ("registry", f"{image.repository}{kept}, looked up {ago(image.registry_checked)}"))
    if image.description:
        facts.insert(1, ("description", image.description))
    for name, value in facts:
        console.say(f"{name:16} {value}")
    for warning in summary.warnings:
        console.say(f"{'warning':16} {warning}")
    if image.project_id:
        _say_warnings(context, context.manager.projects.get(context.actor, image.project_id))
    if image.report is not None:
        from .following import show_report

        show_report(context, image.report)
    return 0


def _say_warnings(context: Context, project: Project) -> None:
    for warning in context.manager.projects.warnings(project):
        context.console.say(f"{'warning':16} {warning}")


def activate_command(context: Context) -> int:
    """``jupyter image activate``."""
    from .context import WrongUsage

    project = context.project()
    if context.args.undo == bool(context.args.image):
        raise WrongUsage("Name the image to activate, or --undo.")
    if context.args.undo:
        project = context.manager.images.undo_activation(context.actor, project.id)
    else:
        image = context.image(context.args.image, project)
        check = context.manager.images.check_first(context.actor, project.id, image.image.id)
        if check is not None:
            from .following import follow_check

            follow_check(context, check)
        project = context.manager.images.activate(context.actor, project.id, image.image.id)
    if not context.args.detach:
        from .pulling import bring_active

        bring_active(context, project.id)
    return _say_active(context, project.id)


def deactivate_command(context: Context) -> int:
    """``jupyter image deactivate``."""
    project = context.manager.images.activate(context.actor, context.project().id, None)
    return _say_active(context, project.id)


def _say_active(context: Context, project_id: str) -> int:
    """Say what is active now and which kernels still run in something else."""
    project = context.manager.projects.get(context.actor, project_id)
    active = context.manager.images.get(context.actor, project.active_image_id) if project.active_image_id else None
    stale = [k for k in context.manager.kernels.list(context.actor, project.id) if k.stale]
    if context.console.as_json:
        context.console.document(
            {
                "project": as_json(project),
                "active": active.as_json() if active else None,
                "stale_kernels": as_json(stale),
            }
        )
        return 0
    if active is None:
        context.console.say(f"New kernels of {project.name!r} run in the server's environment.")
    else:
        context.console.say(f"{active.image.spec} is active: new kernels of {project.name!r} run in it.")
    if stale:
        context.console.say(
            f"{len(stale)} running kernel{'s' if len(stale) > 1 else ''} still use{'' if len(stale) > 1 else 's'} "
            "another image; restart to switch."
        )
    return 0


def packages_command(context: Context) -> int:
    """``jupyter image packages``."""
    from .context import WrongUsage

    summary = _image_or_active(context)
    if summary is None:
        raise WrongUsage("No image is active here: name one.")
    packages = context.manager.images.packages(context.actor, summary.image.id)
    if context.console.as_json:
        context.console.document(packages)
    else:
        context.console.table(
            ["package", "version"],
            [[p.name, p.version] for p in packages],
            empty="It has no Python packages.",
        )
    return 0


def diff_command(context: Context) -> int:
    """``jupyter image diff``."""
    project = context.project()
    old, new = context.image(context.args.old, project), context.image(context.args.new, project)
    diff = context.manager.images.diff(context.actor, old.image.id, new.image.id)
    if context.console.as_json:
        context.console.document(diff)
        return 0
    rows = [["+", p.name, "", p.version] for p in diff.added]
    rows += [["-", p.name, p.version, ""] for p in diff.removed]
    rows += [["~", name, before, after] for name, before, after in diff.changed]
    rows.sort(key=lambda row: row[1])
    context.console.table(
        ["", "package", old.image.spec, new.image.spec], rows, empty="Their Python packages are the same."
    )
    return 0
