"""``project``: make folders projects, look at them, set how their kernels run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..models import Project, as_json
from .communities import find
from .context import Context, WrongUsage


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    project = commands.add_parser(
        "project",
        help="make folders projects, look at them, set how their kernels run",
        epilog="example: jupyter image project set memory=8g cpus=4 network=none",
    )
    actions = project.add_subparsers(title="actions", metavar="ACTION", required=True, dest="action")

    create = actions.add_parser("create", parents=[common], help="make a folder a project")
    create.add_argument("folder", metavar="DIR", nargs="?", default=".")
    create.add_argument("--name")
    create.add_argument("--nested", action="store_true", help="even inside another project")
    create.set_defaults(run=create_command)

    listing = actions.add_parser("list", parents=[common], help="list the projects")
    listing.set_defaults(run=list_command)

    show = actions.add_parser("show", parents=[common], help="show the nearest project")
    show.set_defaults(run=show_command)

    settings = actions.add_parser(
        "set",
        parents=[common],
        help="set how the project's kernels run",
        description="Settings: memory, cpus, processes, shm_size, gpus, network, environment.NAME, secrets.NAME, and "
        "community (whose registry keeps new images). An empty value goes back to the administrator's default.",
    )
    settings.add_argument("settings", metavar="KEY=VALUE", nargs="+")
    settings.set_defaults(run=set_command)

    rename = actions.add_parser("rename", parents=[common], help="give the project another name")
    rename.add_argument("name")
    rename.set_defaults(run=rename_command)

    move = actions.add_parser("relocate", parents=[common], help="say where a moved project's folder is now")
    move.add_argument("id", metavar="PROJECT")
    move.add_argument("folder", metavar="DIR")
    move.set_defaults(run=relocate_command)

    delete = actions.add_parser("delete", parents=[common], help="make the folder an ordinary one; its files stay")
    delete.add_argument("--images", action="store_true", help="delete its images too")
    delete.set_defaults(run=delete_command)


def _show(context: Context, project: Project) -> int:
    active = context.manager.images.get(context.actor, project.active_image_id) if project.active_image_id else None
    if context.console.as_json:
        context.console.document(_document(context, project) | {"active_image": active.as_json() if active else None})
        return 0
    context.console.say(f"{'project':16} {project.name}")
    context.console.say(f"{'folder':16} {project.path}" + ("" if project.found else "  (not there any more)"))
    context.console.say(f"{'active image':16} {active.image.spec if active else 'none: the server environment'}")
    context.console.say(f"{'community':16} {context.manager.communities.of(project).name}")
    for key, value in as_json(project.run_settings).items():
        if value not in (None, {}, []):
            context.console.say(f"{key:16} {value}")
    for warning in context.manager.projects.warnings(project):
        context.console.say(f"{'warning':16} {warning}")
    return 0


def _document(context: Context, project: Project) -> dict[str, Any]:
    return {**as_json(project), "warnings": list(context.manager.projects.warnings(project))}


def create_command(context: Context) -> int:
    """``jupyter image project create``."""
    folder = Path(context.args.folder).expanduser().absolute()
    return _show(
        context,
        context.manager.projects.create(context.actor, str(folder), context.args.name, nested=context.args.nested),
    )


def list_command(context: Context) -> int:
    """``jupyter image project list``."""
    projects = context.manager.projects.list(context.actor)
    if context.console.as_json:
        context.console.document([_document(context, project) for project in projects])
        return 0
    context.console.table(
        ["id", "name", "folder", ""],
        [[p.id[:8], p.name, p.path, "" if p.found else "not there"] for p in projects],
        empty="There are no projects yet; make one with `jupyter image project create`.",
    )
    for project in projects:
        for warning in context.manager.projects.warnings(project):
            context.console.note(f"{project.name}: {warning}")
    return 0


def show_command(context: Context) -> int:
    """``jupyter image project show``."""
    return _show(context, context.project())


def _parse_settings(words: list[str]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign:
            raise WrongUsage(f"{word!r} should be KEY=VALUE, for example memory=8g.")
        outer, dot, inner = key.partition(".")
        if dot:
            changes.setdefault(outer, {})[inner] = value or None
        else:
            changes[outer] = value or None
    return changes


def set_command(context: Context) -> int:
    """``jupyter image project set``."""
    project = context.project()
    changes = _parse_settings(context.args.settings)
    now = as_json(project.run_settings)
    for key in ("environment", "secrets"):
        if key in changes:
            merged = {**now[key], **changes[key]}
            changes[key] = {name: value for name, value in merged.items() if value is not None}
    values: dict[str, Any] = {}
    if "community" in changes:
        name = changes.pop("community")
        values["community_id"] = find(context, name).id if name else ""
    if changes:
        values["run_settings"] = changes
    return _show(context, context.manager.projects.update(context.actor, project.id, **values))


def rename_command(context: Context) -> int:
    """``jupyter image project rename``."""
    return _show(context, context.manager.projects.update(context.actor, context.project().id, name=context.args.name))


def relocate_command(context: Context) -> int:
    """``jupyter image project relocate``."""
    found = [p for p in context.manager.projects.list(context.actor) if p.id.startswith(context.args.id)]
    if len(found) != 1:
        raise WrongUsage(f"{context.args.id!r} is the beginning of {len(found)} projects' ids, not of one.")
    folder = Path(context.args.folder).expanduser().absolute()
    return _show(context, context.manager.projects.relocate(context.actor, found[0].id, str(folder)))


def delete_command(context: Context) -> int:
    """``jupyter image project delete``."""
    project = context.project()
    context.manager.projects.delete(context.actor, project.id, delete_images=context.args.images)
    if context.console.as_json:
        context.console.document({"deleted": project.id})
    else:
        context.console.say(f"{project.path} is an ordinary folder again; its files are as they were.")
    return 0
