"""``run``, ``kernels``, ``kernelspec``, ``notebook`` and ``events``."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from .context import Context, WrongUsage
from .output import ago

EVENT_INTERVAL = 0.5
"""Seconds between two looks for new events."""


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    run = commands.add_parser(
        "run",
        parents=[common],
        help="run a command in the project's image",
        description="Run a command in an image with the project mounted; input, output, signals and exit code are "
        "passed on. Where both input and output are a terminal, it is an interactive session.",
        epilog="example: jupyter image run -- python train.py --epochs 3",
    )
    run.add_argument("--image", metavar="IMAGE", help="default: the active one")
    run.add_argument("words", metavar="-- CMD", nargs=argparse.REMAINDER, help="the command and its arguments")
    run.set_defaults(run=run_command)

    kernels = commands.add_parser("kernels", parents=[common], help="list the kernels that run in images now")
    kernels.add_argument("--all", action="store_true", help="of every project")
    kernels.set_defaults(run=kernels_command)

    spec = commands.add_parser(
        "kernelspec",
        help="kernelspecs for clients without a Jupyter server: nbclient, papermill, VS Code, jupyter console",
    )
    actions = spec.add_subparsers(title="actions", metavar="ACTION", required=True, dest="action")
    install = actions.add_parser(
        "install", parents=[common], help="write a kernelspec that starts kernels in the image"
    )
    install.add_argument("--name", help="default: project-image, or the project's name with --project")
    install.add_argument("--prefix", metavar="DIR", help="below DIR/share/jupyter instead of the user's folder")
    install.set_defaults(run=install_command)

    notebook = commands.add_parser("notebook", parents=[common], help="which image a notebook last ran in")
    notebook.add_argument("path", metavar="NOTEBOOK")
    notebook.set_defaults(run=notebook_command)

    events = commands.add_parser(
        "events", parents=[common], help="what changes, as it changes: projects, images, builds, kernels"
    )
    events.add_argument("--since", type=int, metavar="SEQUENCE", help="first print what came after SEQUENCE")
    events.add_argument("--no-follow", action="store_true", help="stop at the present end")
    events.set_defaults(run=events_command)


def run_command(context: Context) -> int:
    """``jupyter image run``."""
    words = context.args.words
    command = tuple(words[1:] if words[:1] == ["--"] else words)
    if not command:
        raise WrongUsage("Say what to run, for example `jupyter image run -- python --version`.")
    project = context.project()
    if context.args.image:
        image_id = context.image(context.args.image, project).image.id
    elif project.active_image_id:
        image_id = project.active_image_id
    else:
        raise WrongUsage(f"The project {project.name!r} has no active image: name one with --image.")
    from ..kernels.terminal import Streams
    from .pulling import bring

    bring(context, context.manager.images.image(context.actor, image_id))
    with Streams.of_process() as streams:
        return context.manager.kernels.run_command(
            context.actor, project.id, image_id, command, cwd=str(Path.cwd()), streams=streams
        )


def kernels_command(context: Context) -> int:
    """``jupyter image kernels``."""
    project_id = None if context.args.all else context.project().id
    kernels = context.manager.kernels.list(context.actor, project_id)
    if context.console.as_json:
        context.console.document(kernels)
        return 0
    context.console.table(
        ["kernel", "image", "notebook", "started", "state"],
        [
            [
                k.kernel_id[:8],
                k.image,
                k.notebook or "—",
                ago(k.started),
                f"{k.state}, stale" if k.stale else k.state,
            ]
            for k in kernels
        ],
        empty="No kernel runs in an image.",
    )
    return 0


def install_command(context: Context) -> int:
    """``jupyter image kernelspec install``."""
    from ..kernels import specs

    project = context.project() if context.args.project else None
    path = specs.install(
        project_dir=project.path if project else None, name=context.args.name, prefix=context.args.prefix
    )
    if context.console.as_json:
        context.console.document({"name": Path(path).name, "path": str(path)})
    else:
        context.console.say(f"The kernelspec {Path(path).name!r} is in {path}.")
    return 0


def notebook_command(context: Context) -> int:
    """``jupyter image notebook``."""
    path = Path(context.args.path).expanduser().absolute()
    if not path.is_file():
        raise WrongUsage(f"There is no notebook {path}.")
    remembered = context.manager.kernels.remembered(context.actor, str(path))
    if context.console.as_json:
        context.console.document(remembered)
    elif remembered is None:
        context.console.say(f"{path.name} has not run in an image yet.")
    else:
        context.console.say(f"{path.name} last ran in {remembered['image']} ({remembered['digest']}).")
    return 0


def events_command(context: Context) -> int:
    """``jupyter image events``."""
    manager, console = context.manager, context.console
    sequence = manager.last_change(context.actor) if context.args.since is None else context.args.since
    while True:
        changes = manager.changes(context.actor, sequence)
        for change in changes:
            sequence = change.sequence
            if console.as_json:
                console.line_document(change)
            else:
                console.say(f"{change.sequence}  {change.noun} {change.action}  {change.id}")
        if not changes:
            if context.args.no_follow:
                return 0
            time.sleep(EVENT_INTERVAL)
