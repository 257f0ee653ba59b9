"""From choices to a Dockerfile and back. Pure.

:func:`parse` reads only what :func:`render` would write, and proves it by rendering again: what it returns is
never an approximation of a Dockerfile that somebody has changed by hand.
"""

from __future__ import annotations

import json
import re

from ..errors import InvalidRequest
from .choices import Choices, default_target, read
from .recipes import TEMPLATES

HEADER = re.compile(r"# Template: (\S+), Python (\S+)")
FROM = re.compile(r"FROM (\S+)")
ENV = re.compile(r'ENV ([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"')
COPY = re.compile(r"COPY --chown=1000 (\[.*\])")
ITEM = re.compile(r"\s{6}('[^']*'|\S+)( \\)?")

APT = "# System packages\n"
PIP = "# Requirements\n"
VARIABLES = "# Environment\n"
FILES = "# Files of the project\n"

# A base may have a user with uid 1000 under another name: it is renamed, and its home moves with it. Without
# useradd (a base that is not Debian's) the build ends here, with that line in the log.
_USER = """# The user of the kernels
RUN set -e; \\
    old="$(getent passwd 1000 | cut -d: -f1)"; \\
    if [ -z "$old" ]; then useradd --no-log-init --create-home --uid 1000 --shell /bin/bash jupyter; \\
    elif [ "$old" != jupyter ]; then \\
      usermod --login jupyter --home /home/jupyter --move-home "$old"; \\
      if getent group "$old" >/dev/null; then groupmod --new-name jupyter "$old"; fi; \\
    fi
"""


def render(choices: Choices, base: str) -> str:
    """Write the Dockerfile of valid choices.

    Parameters
    ----------
    choices : Choices
        What the user chose.
    base : str
        Reference of the base image.
    """
    recipe = TEMPLATES[choices.name]
    parts = [
        f"# Template: {choices.name}, Python {choices.python}\nFROM {base}\n",
        # pip of a distribution that is EXTERNALLY-MANAGED refuses without the last line; others do not mind.
        "USER root\nENV LANG=C.UTF-8 \\\n    LC_ALL=C.UTF-8 \\\n    PIP_BREAK_SYSTEM_PACKAGES=1\n",
        _USER,
    ]
    apt = list(dict.fromkeys((*recipe.apt, *choices.apt)))
    if apt:
        parts.append(
            f"{APT}RUN apt-get update \\\n && apt-get install -y --no-install-recommends \\\n"
            + "".join(f"      {package} \\\n" for package in apt)
            + " && rm -rf /var/lib/apt/lists/*\n"
        )
    parts.append("# What the template brings\n" + _pip(recipe.pins(choices.python)))
    parts += [f"RUN {command}\n" for command in recipe.commands]
    if choices.requirements:
        parts.append(PIP + _pip(choices.requirements))
    env = {**recipe.env, **choices.env}
    if env:
        parts.append(VARIABLES + "".join(f'ENV {name}="{_escape(value)}"\n' for name, value in env.items()))
    if choices.files:
        lines = (f"COPY --chown=1000 {json.dumps(pair, ensure_ascii=False)}\n" for pair in choices.files)
        parts.append(FILES + "".join(lines))
    parts.append("USER jupyter\nWORKDIR /home/jupyter\n")
    return "\n".join(parts)


def parse(dockerfile: str, base_of: dict[str, str]) -> Choices | None:
    """Read the choices back out of a rendered Dockerfile.

    Parameters
    ----------
    dockerfile : str
        Text of a Dockerfile.
    base_of : dict
        The administrator's base for each Python version; another base becomes a choice.

    Returns
    -------
    Choices or None
        None when this Dockerfile is not exactly what some choices give.
    """
    text = dockerfile.replace("\r\n", "\n").strip() + "\n"
    lines = text.splitlines()
    header = HEADER.fullmatch(lines[0]) if lines else None
    start = FROM.fullmatch(lines[1]) if len(lines) > 1 else None
    if header is None or start is None or header[1] not in TEMPLATES:
        return None
    recipe = TEMPLATES[header[1]]
    env = {m[1]: _unescape(m[2]) for m in map(ENV.fullmatch, lines) if m}
    own = {name: value for name, value in env.items() if recipe.env.get(name) != value}
    files = [pair for line in lines for pair in _copy(line)]
    try:
        choices = read(
            {
                "name": header[1],
                "python": header[2],
                "base": "" if base_of.get(header[2]) == start[1] else start[1],
                "requirements": _items(text, PIP),
                "apt": [package for package in _items(text, APT) if package not in recipe.apt],
                "env": own,
                "files": [
                    source if target == default_target(source) else f"{source}:{target}" for source, target in files
                ],
            }
        )
    except InvalidRequest:
        return None
    return choices if render(choices, start[1]) == text else None


def _pip(requirements: tuple[str, ...] | list[str]) -> str:
    # In quotes, since the shell would read > as a redirection.
    quoted = [f"      '{requirement}'" for requirement in requirements]
    return "RUN python3 -m pip install --no-cache-dir \\\n" + " \\\n".join(quoted) + "\n"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")


def _unescape(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value)


def _items(text: str, heading: str) -> list[str]:
    """Return the indented items of the instruction below a heading."""
    _, found, rest = text.partition(f"\n{heading}")
    if not found:
        return []
    block = rest.partition("\n\n")[0]
    return [match[1].strip("'") for match in map(ITEM.fullmatch, block.splitlines()) if match]


def _copy(line: str) -> list[tuple[str, str]]:
    match = COPY.fullmatch(line)
    if match is None:
        return []
    try:
        source, target = json.loads(match[1])
    except ValueError:
        return []
    return [(source, target)]
