"""Write docs/users/cli.md from the parser itself; ``--check`` only says whether the page is true."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from jupyter_image_manager.cli.main import build_parser

PAGE = Path(__file__).with_name("users") / "cli.md"
HEAD = """# The command line

This page is written by `python docs/generate_cli.py` from the command line itself.

Every command takes `--project DIR` (default: the nearest project of the current folder), `--json`, `--plain`, `--quiet`
and `--debug`, and any setting of the configuration as `--Class.trait=value`. `NAME` means the newest ready version of an
image, `NAME:VERSION` or an id exactly one.

Exit codes: 0 done, 1 failed (one line on stderr says what and what to do), 2 wrong usage, 3 engine or registry unreachable.
"""


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield a parser and those of its commands, depth first."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from parsers(child)


def page() -> str:
    """Return the page as it should be."""
    os.environ["COLUMNS"] = "100"
    parts = [HEAD]
    for parser in parsers(build_parser()):
        parts.append(f"## `{parser.prog}`\n\n```\n{parser.format_help().rstrip()}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(
            None if PAGE.read_text() == page() else f"{PAGE} is not true any more: run python docs/generate_cli.py"
        )
    PAGE.write_text(page())
