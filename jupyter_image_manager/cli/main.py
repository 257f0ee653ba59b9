"""The entry point: parse the words, run the command, turn errors into one line and an exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from .. import __version__
from ..errors import ImageManagerError
from . import builds, communities, images, kernels, machine, migration, portable, projects, retirement, storage, usage
from .context import Context, WrongUsage
from .output import Console

USAGE = 2
INTERRUPTED = 130

EPILOG = """\
examples:
  jupyter image build scientific --template scientific --python 3.11 --activate
  jupyter image build geo -f Dockerfile --detach
  jupyter image log geo
  jupyter image activate scientific:2
  jupyter image run -- python train.py

NAME means the newest ready version; NAME:VERSION or an id means exactly one.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 engine or registry unreachable.
"""


class Parser(argparse.ArgumentParser):
    """argparse, with one line for a wrong call instead of a page."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is; exit code 2."""
        print(f"{self.prog}: {message} (see '{self.prog} --help')", file=sys.stderr)
        sys.exit(USAGE)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    common = argparse.ArgumentParser(add_help=False)
    group = common.add_argument_group("options of every command")
    group.add_argument("--project", metavar="DIR", help="the project's folder (default: nearest of the current one)")
    group.add_argument("--json", action="store_true", help="print JSON on stdout and nothing else there")
    group.add_argument("--plain", action="store_true", help="plain lines instead of a progress bar")
    group.add_argument("--quiet", "-q", action="store_true", help="only the result and errors")
    group.add_argument("--debug", action="store_true", help="show a traceback when something fails")

    parser = Parser(
        prog="jupyter image",
        description="Container images for Jupyter projects: build, check, activate; the folder's kernels run in it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"jupyter image {__version__}")
    parser.add_argument("--help-all", action="store_true", help="every setting of the configuration file (traitlets)")
    parser.add_argument("--generate-config", action="store_true", help="write a configuration file with every setting")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", parser_class=Parser)
    nouns = (builds, images, communities, retirement, migration, portable, storage, usage, projects, kernels, machine)
    for module in nouns:
        module.register(commands, common)
    return parser


def split_overrides(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Separate ``--Class.trait=value`` from the command's own words; nothing after ``--`` is touched."""
    own: list[str] = []
    overrides: list[str] = []
    for index, word in enumerate(words):
        if word == "--":
            own.extend(words[index:])
            break
        name = word.partition("=")[0]
        if word.startswith("--") and name[2:3].isupper() and "." in name:
            overrides.append(word)
        else:
            own.append(word)
    return own, overrides


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Run ``jupyter image``; never returns."""
    sys.exit(run(sys.argv[1:] if words is None else words))


def run(words: Sequence[str]) -> int:
    """Run one command; return its exit code."""
    own, overrides = split_overrides(words)
    parser = build_parser()
    _complete(parser)
    args = parser.parse_args(own)
    if args.help_all or args.generate_config:
        from .config import explain_config

        explain_config(["--help-all"] if args.help_all else ["--generate-config"])
        return 0
    if args.command is None:
        parser.print_help()
        return USAGE
    console = Console(as_json=args.json, quiet=args.quiet, plain=args.plain)
    context = Context(args, console, overrides)
    try:
        code: int | None = args.run(context)
        return code or 0
    except WrongUsage as error:
        console.error(str(error))
        return USAGE
    except ImageManagerError as error:
        if args.debug:
            raise
        console.error(error.message)
        return error.exit_code
    except KeyboardInterrupt:
        console.note("Stopped.")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing more to say, and no traceback at exit.
        sys.stderr.close()
        return 1
    finally:
        context.close()


def _complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell when it asks for completions; a no-op otherwise."""
    import os

    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)
