"""``setup``, ``doctor``, ``base`` and ``completion``."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from .context import Context, WrongUsage
from .output import size

MARKS = {"ok": "ok  ", "info": "info", "warning": "warn", "error": "FAIL"}
SHELLS = ("bash", "zsh", "fish")


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    setup = commands.add_parser(
        "setup",
        parents=[common],
        help="bring this machine to a working engine",
        description="Say what is missing for building and running images here, and do it after asking.",
    )
    setup.add_argument("--yes", "-y", action="store_true", help="do not ask")
    setup.add_argument("--dry-run", action="store_true", help="only say what would be done")
    setup.set_defaults(run=setup_command)

    doctor = commands.add_parser(
        "doctor",
        parents=[common],
        help="check everything one could stumble over, each with its cure",
        description="Exit code: 0 all that is needed works, 1 something does not, 3 no engine is reachable.",
    )
    doctor.set_defaults(run=doctor_command)

    base = commands.add_parser("base", help="base images for machines that cannot reach Docker Hub")
    actions = base.add_subparsers(title="actions", metavar="ACTION", required=True, dest="action")
    create = actions.add_parser(
        "create",
        parents=[common],
        help="make a base image from Debian's packages",
        epilog="example: jupyter image base create",
    )
    create.add_argument("--python", default="3.11", choices=["3.11", "3.9"], help="version (default: 3.11)")
    create.add_argument("--mirror", metavar="URL", help="Debian mirror (default: this machine's own)")
    create.set_defaults(run=base_create_command)
    listing = actions.add_parser("list", parents=[common], help="list the base images made here")
    listing.set_defaults(run=base_list_command)

    completion = commands.add_parser(
        "completion",
        parents=[common],
        help="print the completion script of a shell",
        epilog='example: eval "$(jupyter image completion bash)"',
    )
    completion.add_argument("shell", choices=SHELLS)
    completion.set_defaults(run=completion_command)


def setup_command(context: Context) -> int:
    """``jupyter image setup``."""
    from ..setup_machine import MachineSetup

    console = context.console
    setup = MachineSetup(parent=context.manager, manager=context.manager)
    steps = setup.plan()
    needed = [step for step in steps if step.needed]
    if console.as_json and (context.args.dry_run or not needed):
        console.document(steps)
        return 0
    for step in steps:
        console.note(
            f"{'to do' if step.needed else 'done '}  {step.title}" + (f" ({step.reason})" if step.reason else "")
        )
    if not needed or context.args.dry_run:
        console.say("This machine is ready." if not needed else f"{len(needed)} steps to do.")
        return 0
    if not context.args.yes:
        if not sys.stdin.isatty():
            raise WrongUsage("There is nobody to ask here: repeat with --yes.")
        if input(f"Do the {len(needed)} steps? [y/N] ").strip().lower() not in ("y", "yes"):
            console.say("Nothing has changed.")
            return 1
    results = []
    for step in needed:
        console.note(f"… {step.title}")
        results.append(setup.perform(step, line=console.note))
    if console.as_json:
        console.document(results)
    else:
        console.say("This machine is ready; `jupyter image doctor` checks it.")
    return 0


def doctor_command(context: Context) -> int:
    """``jupyter image doctor``."""
    manager, console = context.manager, context.console
    findings = manager.doctor.run(context.actor)
    if console.as_json:
        console.document(findings)
    else:
        for finding in findings:
            console.say(f"{MARKS[finding.status]}  {finding.title}: {finding.message}")
            if finding.cure and finding.status in ("warning", "error"):
                console.say(f"        {finding.cure}")
    errors = [finding for finding in findings if finding.status == "error"]
    if any(finding.id == "engine" for finding in errors):
        return 3
    return 1 if errors else 0


def base_create_command(context: Context) -> int:
    """``jupyter image base create``."""
    from ..base_image import BaseImages

    bases = BaseImages(parent=context.manager, manager=context.manager)
    base = bases.create(context.args.python, mirror=context.args.mirror, line=context.console.note)
    if context.console.as_json:
        context.console.document(base)
    else:
        context.console.say(f"{base.reference} is there: Python {base.python}, {size(base.size)}. Templates use it.")
    return 0


def base_list_command(context: Context) -> int:
    """``jupyter image base list``."""
    from ..base_image import BaseImages

    found = BaseImages(parent=context.manager, manager=context.manager).list()
    if context.console.as_json:
        context.console.document(found)
    else:
        context.console.table(
            ["base", "python", "size"],
            [[b.reference, b.python, size(b.size)] for b in found],
            empty="There are none; make one with `jupyter image base create`.",
        )
    return 0


BASH = """
# `jupyter image ...` completes as `jupyter-image ...`; other `jupyter` words as files.
_jupyter_image_of_jupyter() {
    if [ "${COMP_WORDS[1]}" = image ] && [ "$COMP_CWORD" -gt 1 ]; then
        COMP_LINE="${COMP_LINE/jupyter image/jupyter-image}"
        _python_argcomplete jupyter-image
    else
        COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
    fi
}
complete -o nospace -o default -F _jupyter_image_of_jupyter jupyter
"""


def completion_command(context: Context) -> int:
    """``jupyter image completion``."""
    from argcomplete.shell_integration import shellcode

    shell = context.args.shell
    script = shellcode(["jupyter-image"], shell=shell)
    context.console.say(script + (BASH if shell == "bash" else ""))
    return 0
