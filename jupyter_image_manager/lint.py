"""Look over a Dockerfile before it is built: what will bite, and the lines that cure it. Pure.

A finding is ``{"line", "level", "message", "cure", "about"}``: `level` is ``error`` (the build or the image will not
work), ``warning`` (it will bite sooner or later) or ``info`` (it could be better); `cure` is a tuple of lines to write
instead or besides, possibly empty; `about` is the question of a new image's page that it answers, one of `ABOUT`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from packaging.specifiers import SpecifierSet

from .copies import ContextFiles, missing
from .dockerfile import Instruction, parse
from .errors import InvalidDockerfile
from .shell_words import commands_of, pip_arguments, sources_of, words_of

ABOUT = ("python", "user", "files", "versions", "secrets", "order", "")
DEFAULT_PYTHONS = SpecifierSet(">=3.8,<3.12")

SECRET_NAME = re.compile(
    r"(?:^|_)(?:PASS(?:WORD|WD|PHRASE)?|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)(?:_|$)", re.I
)
SECRET_VALUE = re.compile(
    r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bAKIA[0-9A-Z]{16}\b|\bglpat-[\w-]{16,}|\bxox[abp]-[\w-]{10,}|\bpypi-[\w-]{30,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@$]+:[^/\s:@$]+@"
)
PLAIN_BASES = {"debian", "ubuntu", "alpine", "fedora", "centos", "rockylinux", "almalinux", "opensuse", "busybox"}
PLAIN_BASES |= {"amazonlinux", "oraclelinux", "buildpack-deps"}


@dataclass(slots=True)
class _Stage:
    """What is known of a build stage while it is read."""

    base: str
    name: str
    line: int
    installs: bool = False
    copied_all: int = 0  # line of a COPY of the whole context
    apt_updated: bool = False
    python: bool | None = None  # None: cannot be told from the text
    user: bool | None = False
    env: dict[str, str] = field(default_factory=dict)


def lint(
    dockerfile: str, *, files: ContextFiles | None = None, versions: SpecifierSet = DEFAULT_PYTHONS
) -> list[dict[str, Any]]:
    """Return what is to be said about a Dockerfile, in the order of its lines.

    Parameters
    ----------
    dockerfile : str
        Its text.
    files : ContextFiles, optional
        What the context holds; then missing sources of COPY and ADD are found.
    versions : SpecifierSet, optional
        Python versions that the check accepts.
    """
    try:
        read = parse(dockerfile)
    except InvalidDockerfile as error:
        return [_finding(int(error.details.get("line") or 1), "error", error.message)]
    found = list(_Lint(dockerfile, versions).run(read.instructions))
    if files is not None:
        found += [_finding(gone.line, "error", gone.message, about="files") for gone in missing(read, files)]
    return sorted(found, key=lambda finding: finding["line"])


def _finding(line: int, level: str, message: str, *cure: str, about: str = "") -> dict[str, Any]:
    return {"line": line, "level": level, "message": message, "cure": cure, "about": about}


class _Lint:
    def __init__(self, text: str, versions: SpecifierSet) -> None:
        self.text = text
        self.versions = versions
        self.stages: list[_Stage] = []
        self.args: dict[str, str] = {}

    def run(self, instructions: tuple[Instruction, ...]) -> Iterator[dict[str, Any]]:
        """Yield the findings of all instructions, then those of the whole."""
        if re.match(r"#\s*syntax\s*=", self.text):
            yield _finding(
                1,
                "info",
                "A syntax line makes the engine fetch its builder from Docker Hub for each build; leave it out unless "
                "you need a feature that the engine's own builder lacks.",
            )
        for instruction in instructions:
            method = getattr(self, f"_{instruction.keyword.lower()}", None)
            if method is not None:
                yield from method(instruction)
        if self.stages:
            yield from self._requirements(self.stages[-1])

    # Instructions

    def _from(self, i: Instruction) -> Iterator[dict[str, Any]]:
        words = i.value.split()
        base = _expand(words[0], self.args) if words else ""
        name = words[2] if len(words) == 3 and words[1].lower() == "as" else ""
        parent = next((stage for stage in self.stages if stage.name and stage.name.lower() == base.lower()), None)
        stage = _Stage(base, name, i.line)
        self.stages.append(stage)
        if parent is not None:
            stage.python, stage.user, stage.env = parent.python, parent.user, dict(parent.env)
            return
        stage.python, stage.user = self._brings(base)
        if base == "scratch" or "$" in base or "@sha256:" in base:
            return
        repository, colon, tag = base.rpartition(":")
        if not colon or "/" in tag:
            repository, tag = base, ""
        if tag in ("", "latest"):
            example = (
                f"{repository}:3.11-slim-bookworm" if _official(repository) == "python" else f"{repository}:VERSION"
            )
            yield _finding(
                i.line,
                "warning",
                f"The base {base} names no version, so that the next build may get another one.",
                f"FROM {example}",
                about="versions",
            )
        if _official(repository) == "python" and re.match(r"\d+\.\d+", tag):
            version = re.match(r"\d+\.\d+", tag)
            if version and not self.versions.contains(f"{version[0]}.0"):
                yield _finding(
                    i.line,
                    "error",
                    f"The base has Python {version[0]}, with which the image cannot run kernels ({self.versions}).",
                    "FROM python:3.11-slim-bookworm",
                    about="python",
                )

    def _arg(self, i: Instruction) -> Iterator[dict[str, Any]]:
        for word in words_of(i.value):
            name, _, value = word.partition("=")
            if not self.stages:
                self.args[name] = value
            if SECRET_NAME.search(name) or SECRET_VALUE.search(value):
                yield self._secret(i.line, f"The build argument {name}", name)

    def _env(self, i: Instruction) -> Iterator[dict[str, Any]]:
        words = words_of(i.value)
        if words and "=" not in words[0]:
            name, _, value = i.value.partition(" ")
            words = [f"{name}={value.strip()}"]
            yield _finding(i.line, "info", "ENV without = is an old form.", f'ENV {name}="{value.strip()}"')
        for word in words:
            name, _, value = word.partition("=")
            if self.stages:
                self.stages[-1].env[name] = value
            if value and not value.startswith("$") and (SECRET_NAME.search(name) or SECRET_VALUE.search(value)):
                yield self._secret(i.line, f"The variable {name}", name)

    def _secret(self, line: int, what: str, name: str) -> dict[str, Any]:
        identity = re.sub(r"\W+", "_", name.lower()) or "secret"
        return _finding(
            line,
            "warning",
            f"{what} looks like a secret; everybody who gets the image can read it. Give it to the build as a secret, "
            "or to the kernels in the project's run settings.",
            f"RUN --mount=type=secret,id={identity} …",
            about="secrets",
        )

    def _copy(self, i: Instruction) -> Iterator[dict[str, Any]]:
        sources = sources_of(i.value)
        if any(flag.startswith("--from") for flag in i.flags):
            return
        if self.stages and not self.stages[-1].installs and any(source in (".", "./", "*") for source in sources):
            self.stages[-1].copied_all = self.stages[-1].copied_all or i.line
        for source in sources:
            if "://" in source or "$" in source:
                continue
            if source.startswith("../") or "/../" in source or source == "..":
                yield _finding(
                    i.line,
                    "error",
                    f"{source} lies outside the context; only files below it can be copied.",
                    about="files",
                )

    def _add(self, i: Instruction) -> Iterator[dict[str, Any]]:
        yield from self._copy(i)
        sources = sources_of(i.value)
        for source in sources:
            if re.match(r"https?://", source) and not any(flag.startswith("--checksum") for flag in i.flags):
                name = source.rstrip("/").rpartition("/")[2] or "file"
                yield _finding(
                    i.line,
                    "warning",
                    "ADD of an address takes whatever lies there on the day, unverified.",
                    f"RUN curl -fsSLo /tmp/{name} {source} && echo 'SHA256  /tmp/{name}' | sha256sum -c",
                )
        archives = (".tar", ".tgz", ".gz", ".xz", ".bz2", ".zst")
        if sources and not any("://" in s or s.endswith(archives) or s.endswith(".git") for s in sources):
            yield _finding(i.line, "info", "COPY says what ADD does here, without surprises.", f"COPY {i.value}")

    def _workdir(self, i: Instruction) -> Iterator[dict[str, Any]]:
        if not i.value.strip("\"'").startswith(("/", "$")):
            yield _finding(i.line, "warning", "A relative WORKDIR depends on the base.", f"WORKDIR /{i.value.strip()}")

    def _volume(self, i: Instruction) -> Iterator[dict[str, Any]]:
        yield _finding(
            i.line,
            "info",
            f"Whatever kernels write into a volume ({i.value.strip()}) is lost with each kernel; mount a "
            "folder in the project's run settings instead.",
        )

    def _maintainer(self, i: Instruction) -> Iterator[dict[str, Any]]:
        yield _finding(
            i.line, "info", "MAINTAINER is an old form.", f'LABEL org.opencontainers.image.authors="{i.value}"'
        )

    def _run(self, i: Instruction) -> Iterator[dict[str, Any]]:
        if not self.stages:
            return
        stage = self.stages[-1]
        commands = list(commands_of("\n".join((i.value, *i.heredocs)), exec_form=i.exec_form))
        if SECRET_VALUE.search(i.value):
            yield self._secret(i.line, "The command", "secret")
        if re.search(r"\b(?:curl|wget)\b[^|;&]*\|\s*(?:sudo\s+)?(?:ba|z)?sh\b", i.value):
            yield _finding(
                i.line,
                "warning",
                "A downloaded script is run unseen.",
                "Download it, compare its sha256sum, then run it.",
            )
        if re.search(r"(?:^|[\s;&|(])sudo\s", i.value):
            plain = re.sub(r"(^|[\s;&|(])sudo ", r"\1", i.value)
            message = "sudo is rarely in images and not needed in a build: switch users instead."
            yield _finding(i.line, "warning", message, "USER root", f"RUN {plain}", "USER jupyter")
        if re.search(r"\bchmod\s+(?:-R\s+)?0?777\b", i.value):
            yield _finding(i.line, "info", "chmod 777 lets everybody change these files.", "RUN chown -R jupyter PATH")
        updated = any(words[:2] in (["apt-get", "update"], ["apt", "update"]) for words in commands)
        for words in commands:
            yield from self._apt(i, words, updated)
            yield from self._pip(i, stage, words)
            if words[0] in ("conda", "mamba", "micromamba") and {"install", "create", "update"} & set(words[1:3]):
                stage.installs, stage.python = True, True
        if updated and not any(
            {"install", "build-dep"} & set(words) for words in commands if words[0].startswith("apt")
        ):
            yield _finding(
                i.line,
                "warning",
                "apt-get update in a RUN of its own is kept from an old build while packages go on: "
                "write it into the RUN that installs.",
                "RUN apt-get update && apt-get install -y PACKAGE",
            )
        if re.search(r"\b(?:useradd|adduser)\b.*\bjupyter\b|--login[ =]jupyter\b|-l jupyter\b", i.value, re.S):
            stage.user = True
        if re.search(
            r"\binstall\b.*\bpython3?(?:\.\d+)?\b|\bapk add\b.*\bpython3\b|\buv python install\b", i.value, re.S
        ):
            stage.python = True

    def _apt(self, i: Instruction, words: list[str], updated: bool) -> Iterator[dict[str, Any]]:
        if words[0] not in ("apt-get", "apt") or "install" not in words:
            return
        names = " ".join(word for word in words[words.index("install") + 1 :] if not word.startswith("-"))
        good = (
            f"RUN apt-get update && apt-get install -y --no-install-recommends {names} && rm -rf /var/lib/apt/lists/*"
        )
        if not {"-y", "--yes", "-yq", "-qy", "-qqy", "-yqq", "--assume-yes"} & set(words):
            yield _finding(i.line, "error", f"{words[0]} install asks a question here and gives up: say -y.", good)
        if not updated:
            yield _finding(
                i.line, "warning", "The package lists are absent or old: run apt-get update in the same RUN.", good
            )
        elif "/var/lib/apt/lists" not in i.value and "--mount=type=cache" not in " ".join(i.flags):
            yield _finding(i.line, "info", "The package lists stay in the image: remove them in the same RUN.", good)
        if "--no-install-recommends" not in words:
            yield _finding(i.line, "info", "Recommended packages make the image bigger than it must be.", good)

    def _pip(self, i: Instruction, stage: _Stage, words: list[str]) -> Iterator[dict[str, Any]]:
        rest = pip_arguments(words)
        if rest is None:
            return
        if stage.copied_all:
            yield _finding(
                stage.copied_all,
                "warning",
                f"The whole context is copied before packages are installed in line {i.line}: each change of any file "
                "installs them all again. Copy the list alone first.",
                "COPY requirements.txt /tmp/requirements.txt",
                "RUN python3 -m pip install --no-cache-dir -r /tmp/requirements.txt",
                about="order",
            )
            stage.copied_all = 0
        stage.installs = True
        loose = [word for word in rest if re.fullmatch(r"[A-Za-z0-9._-]+(\[[\w,.-]*\])?([<>!~]=?.*)?", word)]
        loose = [word for word in loose if not word.startswith((".", "-")) and not word.endswith((".txt", ".whl"))]
        if loose:
            yield _finding(
                i.line,
                "info",
                f"{', '.join(loose)} without an exact version: the same Dockerfile gives another image later.",
                "RUN python3 -m pip install --no-cache-dir "
                + " ".join(f"'{re.split('[<>!~]', word)[0]}==VERSION'" for word in loose),
                about="versions",
            )
        cached = (
            "--no-cache-dir" in rest or stage.env.get("PIP_NO_CACHE_DIR") or "--mount=type=cache" in " ".join(i.flags)
        )
        if not cached:
            yield _finding(i.line, "info", "pip's cache stays in the image.", "Add --no-cache-dir to pip install.")

    # The whole

    def _brings(self, base: str) -> tuple[bool | None, bool | None]:
        """Tell whether a base brings Python and the user, as far as its name says."""
        name = _official(base.partition("@")[0].rpartition(":")[0] or base)
        if base == "scratch" or name in PLAIN_BASES:
            return False, False
        return (True, False) if name in ("python", "continuumio/miniconda3", "condaforge/miniforge3") else (None, None)

    def _requirements(self, stage: _Stage) -> Iterator[dict[str, Any]]:
        if stage.python is False:
            yield _finding(
                stage.line,
                "error" if stage.base == "scratch" else "warning",
                f"{stage.base} has no Python, and none is installed: the image could not run kernels.",
                "FROM python:3.11-slim-bookworm",
                about="python",
            )
        if stage.user is False:
            yield _finding(
                stage.line,
                "warning",
                "Nothing here makes the user jupyter with uid 1000, which an image must have.",
                "RUN useradd --no-log-init --create-home --uid 1000 --shell /bin/bash jupyter",
                about="user",
            )


def _official(repository: str) -> str:
    """Return the name on Docker Hub without its optional prefixes."""
    return re.sub(r"^(?:docker\.io/)?(?:library/)?", "", repository)


def _expand(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda m: values.get(m[1]) or m[0], text)
