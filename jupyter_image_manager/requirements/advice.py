"""Dockerfile lines that add what an image lacks, for its distribution. Pure: facts in, lines out.

Each function returns the lines without ``USER``; :func:`as_root` puts them between the switches to root and
back, and :func:`cure_lines` joins the cures of a report into one piece that can be appended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from packaging.specifiers import SpecifierSet

from ..models import CheckItem, Report
from .facts import DEFAULT_PATH, UID, USER, Facts

# The Python that a release's own packages bring: releases that are not here have none that we know of.
DISTRIBUTION_PYTHON = {
    ("debian", "11"): "3.9",
    ("debian", "12"): "3.11",
    ("debian", "13"): "3.13",
    ("ubuntu", "20.04"): "3.8",
    ("ubuntu", "22.04"): "3.10",
    ("ubuntu", "24.04"): "3.12",
    ("alpine", "3.13"): "3.8",
    ("alpine", "3.14"): "3.9",
    ("alpine", "3.15"): "3.9",
    ("alpine", "3.16"): "3.10",
    ("alpine", "3.17"): "3.10",
    ("alpine", "3.18"): "3.11",
    ("alpine", "3.19"): "3.11",
    ("alpine", "3.20"): "3.12",
    ("alpine", "3.21"): "3.12",
    ("alpine", "3.22"): "3.12",
}
# Newer distributions forbid pip install outside a virtual environment; pip that is older ignores the variable.
WAITS = "Cannot be tried"
"""Begins the message of an item that waits for another one."""
MAY_INSTALL = "ENV PIP_BREAK_SYSTEM_PACKAGES=1"

# Run by the image's Python where there are no account tools, or no shell at all.
_ACCOUNTS = """
import os
def edit(path, change):
    if os.path.exists(path):
        lines = [line.split(':') for line in open(path).read().splitlines()]
        open(path, 'w').write(''.join(':'.join(line) + chr(10) for line in change(lines)))
"""


def supported_distribution_python(facts: Facts, versions: SpecifierSet) -> str:
    """Return the Python that the distribution's packages bring when it is one we accept, else empty."""
    release = facts.os_release
    known = release.get("ID", ""), release.get("VERSION_ID", "")
    version = DISTRIBUTION_PYTHON.get(known) or DISTRIBUTION_PYTHON.get((known[0], known[1].rpartition(".")[0]), "")
    return version if version and versions.contains(f"{version}.0") else ""


def python_cure(facts: Facts, versions: SpecifierSet) -> tuple[str, ...]:
    """Lines that add Python where there is none. An unsupported Python is not mended: the base must change."""
    newest = next((v for v in ("3.11", "3.10", "3.9", "3.8") if versions.contains(f"{v}.0")), "")
    if "conda" in facts.tools or "mamba" in facts.tools:
        tool = "mamba" if "mamba" in facts.tools else "conda"
        return (f"RUN {tool} install -y python={newest} pip && {tool} clean -afy",) if newest else ()
    other = next((path for path in facts.other_pythons if versions.contains(f"{path.rpartition('python')[2]}.0")), "")
    if other:
        pip = f"({other} -m pip --version || {other} -m ensurepip --upgrade)"
        return (f"RUN ln -sf {other} /usr/local/bin/python3 && {pip}",)
    if facts.python_version:
        return ()
    family = facts.family
    if family in ("debian", "alpine") and not supported_distribution_python(facts, versions):
        return ()
    if family == "debian":
        return (_apt("python3", "python3-pip", "python3-venv"), MAY_INSTALL)
    if family == "alpine":
        return ("RUN apk add --no-cache python3 py3-pip", MAY_INSTALL)
    if family == "fedora" and newest:
        link = f"ln -sf $(command -v python{newest}) /usr/local/bin/python3"
        return (f"{_dnf(facts, f'python{newest}')} && python{newest} -m ensurepip --upgrade && {link}",)
    if family == "suse" and newest == "3.11":
        return ("RUN zypper -n install python311 python311-pip && ln -sf /usr/bin/python3.11 /usr/local/bin/python3",)
    return ()


def path_cure(facts: Facts) -> tuple[str, ...]:
    """Lines that make ``python3`` found and run by everybody."""
    folder, _, name = facts.python_path.rpartition("/")
    lines = []
    if not facts.runs_as_user and folder:
        own = facts.prefix not in ("", "/usr", "/usr/local")
        trees = [facts.prefix] if own else [path for path in (facts.stdlib,) if path]
        program = facts.real_path or facts.python_path
        # Each parent must be passable, else nobody but root comes to the interpreter.
        parents = sorted({parent for path in (*trees, program) for parent in _parents(path)[:-1]})
        commands = [f"chmod a+x {' '.join(parents)}", f"chmod a+rx {program}"]
        commands += [f"chmod -R a+rX {tree}" for tree in trees]
        lines.append("RUN " + " && ".join(commands))
    if not facts.python3_on_path and folder:
        if name != "python3":
            lines.append(f"RUN ln -s {facts.python_path} /usr/local/bin/python3")
            folder = "/usr/local/bin"
        if folder not in facts.folders:
            # Written out, since $PATH is empty in an image that sets none; with the usual folders behind it.
            rest = [part for part in facts.folders if part not in DEFAULT_PATH.split(":")]
            usual = [part for part in DEFAULT_PATH.split(":") if part != folder]
            lines.append("ENV PATH=" + ":".join([folder, *rest, *usual]))
    return tuple(lines)


def pip_cure(facts: Facts) -> tuple[str, ...]:
    """Lines that add pip for the Python that is there."""
    lines = _pip_lines(facts)
    return (MAY_INSTALL, *lines) if lines and facts.externally_managed else lines


def _pip_lines(facts: Facts) -> tuple[str, ...]:
    python = facts.python_path or "python3"
    if facts.conda and facts.tools & {"conda", "mamba"}:
        return (f"RUN {'mamba' if 'mamba' in facts.tools else 'conda'} install -y pip",)
    own = python.startswith("/usr/bin/")
    if own and facts.family == "debian":
        return (_apt("python3-pip"),)
    if own and facts.family == "alpine":
        return ("RUN apk add --no-cache py3-pip",)
    if facts.ensurepip and facts.externally_managed:
        # ensurepip drops every PIP_ variable; the pip inside its wheel does not.
        script = (
            f"import glob, runpy, sys; wheel = glob.glob('{facts.stdlib}/ensurepip/_bundled/pip-*.whl')[0]; "
            "sys.path.insert(0, wheel); sys.argv[1:] = ['install', '--no-index', '--no-cache-dir', wheel]; "
            "runpy.run_module('pip', run_name='__main__', alter_sys=True)"
        )
        return ("RUN " + json.dumps([python, "-c", script]),)
    if facts.ensurepip:
        if "sh" in facts.tools:
            return (f"RUN {python} -m ensurepip --upgrade",)
        return ("RUN " + json.dumps([python, "-m", "ensurepip", "--upgrade"]),)
    if own and facts.family == "fedora":
        return (_dnf(facts, "python3-pip"),)
    if facts.family == "debian":
        # Debian's wheel of pip serves any Python, also one that Debian does not know.
        name = "python-pip-whl" if facts.os_release.get("VERSION_ID") == "11" else "python3-pip-whl"
        wheel = "/usr/share/python-wheels/pip-*.whl"
        return (
            _apt(name),
            f"RUN wheel=$(ls {wheel}) && {python} $wheel/pip install --no-index --no-cache-dir $wheel",
        )
    return ()


def pip_install_cure(facts: Facts) -> tuple[str, ...]:
    """Lines that let the user of the kernels install with pip."""
    message = facts.pip.message
    lines = []
    if "externally-managed-environment" in message:
        lines.append(MAY_INSTALL)
    elif facts.venv or not facts.user_site:
        lines.append(f"RUN chown -R {UID} {facts.prefix if facts.venv else facts.pip.site}")
    elif "Permission denied" in message and facts.pip.site:
        lines.append(f"RUN chmod -R a+rX {facts.pip.site}")
    return tuple(lines)


def user_cure(facts: Facts) -> tuple[str, ...]:
    """Lines that give the image a user ``jupyter`` with uid 1000, whoever has either now."""
    jupyter = facts.account(USER)
    holders = tuple(account for account in facts.accounts_of(UID) if account.name != USER)
    if jupyter is not None and jupyter.uid == UID and not holders:
        return ()
    shell = facts.tools & {"sh", "bash"}
    if not shell:
        return _user_by_python(facts) if facts.python_path else ()
    taken = {account.uid for account in facts.accounts}
    if "useradd" in facts.tools and "usermod" in facts.tools:
        return _user_by_shadow(facts, taken)
    if facts.python_path:
        return _user_by_python(facts)
    if not holders and jupyter is None:
        if "adduser" in facts.tools and facts.family == "alpine":
            return (f"RUN adduser -D -u {UID} {USER}",)
        return (
            f"RUN echo '{USER}:x:{UID}:{UID}::/home/{USER}:/bin/sh' >> /etc/passwd && "
            f"mkdir -p /home/{USER} && chown {UID}:{UID} /home/{USER}",
        )
    if "sed" in facts.tools and jupyter is None and len(holders) == 1:
        return (f"RUN sed -i 's/^{holders[0].name}:/{USER}:/' /etc/passwd /etc/group",)
    return ()


def _user_by_shadow(facts: Facts, taken: set[int]) -> tuple[str, ...]:
    jupyter = facts.account(USER)
    holders = tuple(account for account in facts.accounts_of(UID) if account.name != USER)
    if jupyter is None and holders:
        # Renamed, not removed: the image's files and its home stay whose they were.
        first = holders[0]
        lines = [f"usermod --login {USER} {first.name}"]
        if first.name in facts.groups and USER not in facts.groups:
            lines.append(f"groupmod --new-name {USER} {first.name}")
        for account in holders[1:]:
            lines.append(f"usermod --non-unique --uid {_free(taken)} {account.name}")
        return ("RUN " + " && ".join(lines),)
    if jupyter is None:
        group = f" --gid {USER}" if USER in facts.groups else ""
        shell = "/bin/bash" if "bash" in facts.tools else "/bin/sh"
        return (f"RUN useradd --no-log-init --create-home --uid {UID}{group} --shell {shell} {USER}",)
    lines = [f"usermod --uid {_free(taken)} {account.name}" for account in holders]
    if jupyter.uid != UID:
        lines.append(f"usermod --uid {UID} {USER}")
        if "find" in facts.tools:
            # usermod changes the home's owner; files elsewhere keep the old number without this.
            lines.append(f"find / -xdev -user {jupyter.uid} -exec chown -h {UID} {{}} +")
    return ("RUN " + " && ".join(lines),)


def _user_by_python(facts: Facts) -> tuple[str, ...]:
    """Edit the account files with the image's own Python; one line, exec form, so that it needs no shell."""
    free = _free({account.uid for account in facts.accounts})
    script = _ACCOUNTS + (
        "def change(lines):\n"
        f"    known = any(line[0] == '{USER}' for line in lines)\n"
        "    for line in lines:\n"
        f"        if len(line) == 7 and line[0] == '{USER}': line[2] = '{UID}'\n"
        f"        elif len(line) == 7 and line[2] == '{UID}' and known: line[2] = '{free}'\n"
        f"        elif len(line) == 7 and line[2] == '{UID}': line[0] = '{USER}'; known = True\n"
        "    if not known:\n"
        f"        lines.append(['{USER}', 'x', '{UID}', '{UID}', '', '/home/{USER}', '/bin/sh'])\n"
        "    return lines\n"
        "edit('/etc/passwd', change)\n"
        f"home = [l.split(':')[5] for l in open('/etc/passwd') if l.startswith('{USER}:')][0]\n"
        "os.makedirs(home, exist_ok=True)\n"
        f"os.chown(home, {UID}, -1)\n"
    )
    return ("RUN " + json.dumps([facts.python_path, "-c", script.strip()]),)


def kernel_cure(facts: Facts) -> tuple[str, ...]:
    """Lines that put a sound ipykernel into the image when no kernel starts."""
    python = facts.python_path or "python3"
    force = " --force-reinstall" if facts.ipykernel else ""
    command = f"{python} -m pip install --no-cache-dir{force} ipykernel"
    return (f"RUN {command}",) if "sh" in facts.tools else ("RUN " + json.dumps(command.split()),)


def as_root(lines: Iterable[str], facts: Facts) -> tuple[str, ...]:
    """Put lines between ``USER root`` and the way back to the image's own user."""
    lines = tuple(_findable(line, facts) for line in lines)
    own = facts.user.partition(":")[0]
    if not lines or own in ("", "root", "0"):
        return lines
    back = facts.user
    # A user that the cure renames is gone under its old name, and a container of it would not start.
    account = facts.account(own)
    if account is not None and account.uid == UID and own != USER and facts.account(USER) is None:
        back = USER
    return ("USER root", *lines, f"USER {back}")


def _findable(line: str, facts: Facts) -> str:
    """Let a shell command find the system's tools where the image's PATH leaves out their folders."""
    system = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")
    if not line.startswith("RUN ") or line.startswith("RUN [") or set(system) <= set(facts.folders):
        return line
    return f'RUN export PATH="$PATH:{":".join(system)}" && {line.removeprefix("RUN ")}'


def cure_lines(report: Report) -> list[str]:
    """Join all cures of a report, in an order that works, into lines to append to the Dockerfile.

    Parameters
    ----------
    report : Report
        What the check found.

    Returns
    -------
    list of str
        Empty when nothing is missing, or nothing of it can be mended (the messages of the items say why).
    """
    lines: list[str] = []
    switched, back = False, ""
    for item in report.items:
        if item.ok:
            continue
        for line in item.cure:
            if line.startswith("USER "):
                switched, back = True, line
            elif line not in lines:
                lines.append(line)
    # Variables first: the commands may need them. The sort is stable.
    lines.sort(key=lambda line: not line.startswith("ENV "))
    if not lines or not switched:
        return lines
    return ["USER root", *lines, back]


def hopeless(report: Report) -> list[CheckItem]:
    """Return what is missing and cannot be mended by appended lines: the base, or the build, must change.

    Items that were not tried because of another one are not among them.
    """
    return [item for item in report.items if item.required and not item.ok and not item.cure and not _waits(item)]


def _waits(item: CheckItem) -> bool:
    return item.message.startswith(WAITS)


def _free(taken: set[int]) -> int:
    return next(number for number in range(UID + 1, UID + 10_000) if number not in taken)


def _parents(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part]
    return ["/" + "/".join(parts[: count + 1]) for count in range(len(parts))]


def _apt(*names: str) -> str:
    return (
        f"RUN apt-get update && apt-get install -y --no-install-recommends {' '.join(names)} "
        "&& rm -rf /var/lib/apt/lists/*"
    )


def _dnf(facts: Facts, *names: str) -> str:
    tool = next((tool for tool in ("dnf", "microdnf", "yum") if tool in facts.tools), "dnf")
    return f"RUN {tool} install -y {' '.join(names)} && {tool} clean all"
