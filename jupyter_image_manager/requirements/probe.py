"""Look into an image through the engine: run the program of :mod:`.inside` in it, or read its files."""

from __future__ import annotations

import io
import json
import re
import shlex
import tarfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from ..engine.port import ContainerSpec, Engine, EngineImage, RunResult
from ..errors import EngineError, EngineUnavailable, ImageManagerError, NoSpaceLeft
from ..models import Package
from .facts import UID, Facts, PipFacts, accounts, group_names, os_release
from .inside import MARK, TOOLS

# Runs under every Python since 2.5: an old one answers with its version instead of a syntax error.
LAUNCHER = f"""
import sys
if sys.version_info < (3, 6):
    sys.stdout.write('\\n{MARK}{{"python_version": "%d.%d.%d", "python_path": "%s"}}\\n'
                     % (sys.version_info[0], sys.version_info[1], sys.version_info[2], sys.executable))
else:
    exec(compile(sys.argv[1], "probe", "exec"), {{"__name__": "__main__", "__builtins__": __builtins__}})
"""

# Where Python lies when it is not on PATH. The shell, where there is one, looks at all of them at once.
PLACES = (
    "/usr/local/bin/python3",
    "/usr/bin/python3",
    "/opt/conda/bin/python3",
    "/opt/venv/bin/python3",
    "/usr/bin/python2",
)
SHELL = f"""
for tool in {" ".join(TOOLS)}; do command -v "$tool" >/dev/null 2>&1 && echo "tool $tool"; done
for place in /usr/local/bin/python3* /usr/bin/python3* /opt/*/bin/python3 /root/*/bin/python3 /home/*/*/bin/python3 \
             /usr/local/*/bin/python3 /usr/libexec/platform-python \
             /usr/local/bin/python /usr/bin/python /usr/bin/python2*; do
  case "$place" in *-config|*.py|*m) continue;; esac
  [ -f "$place" ] && [ -x "$place" ] && echo "python $place"
done
for loader in /lib/ld-musl-*.so.1; do [ -e "$loader" ] && echo "libc musl"; done
for loader in /lib*/ld-linux*.so.*; do [ -e "$loader" ] && echo "libc glibc"; done
exit 0
"""
ABSENT = re.compile(
    r"executable file not found|no such file or directory|is a directory: unknown|not a directory", re.I
)
FORBIDDEN = re.compile(r"permission denied", re.I)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one attempt to run a program of the image came to."""

    started: bool
    forbidden: bool = False
    text: str = ""
    report: dict[str, Any] | None = None
    timed_out: bool = False


class Probe:
    """One look into one image.

    Parameters
    ----------
    engine : Engine
        Runs the containers.
    labels : dict
        Labels of those containers.
    timeout : float
        Seconds that one run may take.
    memory : int
        Bytes that one run may use.
    """

    def __init__(self, engine: Engine, labels: dict[str, str], *, timeout: float, memory: int) -> None:
        self.engine = engine
        self.labels = labels
        self.timeout = timeout
        self.memory = memory

    def look(self, image: EngineImage, *, say: Callable[[str], None]) -> Facts:
        """Find out everything that can be found without a kernel.

        Raises
        ------
        EngineUnavailable, EngineError
            The engine failed; what the image lacks is never an exception.
        """
        facts = Facts(
            architecture=image.architecture,
            engine_architecture=self.engine.info().architecture,
            user=image.user,
            path=image.env.get("PATH"),
        )
        if facts.foreign:
            say("reading files: programs of this architecture cannot run here")
            return self._with_files(image.id, facts)
        answer, shell = self._find_python(image.id, say)
        if answer.report is None:
            facts = self._with_files(image.id, facts)
            tools = frozenset(shell.get("tool", ()))
            return replace(
                facts,
                tools=tools,
                libc=next(iter(shell.get("libc", ())), ""),
                run_message=answer.text,
            )
        found = self._facts(facts, answer)
        # Python 2 and very old ones tell nothing but their version.
        if "passwd" not in answer.report:
            return replace(self._with_files(image.id, found), tools=frozenset(shell.get("tool", ())))
        return found

    # How Python is found

    def _find_python(self, image: str, say: Callable[[str], None]) -> tuple[Answer, dict[str, list[str]]]:
        say("running python3 as uid 1000, without network and mounts")
        first = self._python(image, "python3", str(UID))
        if first.report is not None and first.report["python_version"] >= "3":
            return first, {}
        if first.timed_out:
            return first, {}
        shell = self._shell(image)
        places = shell.get("python") or (list(PLACES) if not shell else [])
        best = first
        for place in sorted(dict.fromkeys(places), key=_preference):
            say(f"running {place}")
            answer = self._python(image, place, str(UID))
            if answer.report is None and (answer.forbidden or not answer.started):
                as_root = self._python(image, place, "0")
                if as_root.report is not None:
                    text = answer.text or "permission denied"
                    return Answer(True, True, text, {**as_root.report, "uid": 0}), shell
            if answer.report is not None:
                if answer.report["python_version"].startswith("3."):
                    return answer, shell
                best = answer
            elif answer.text and best.report is None and answer.started:
                best = answer
        return best, shell

    def _python(self, image: str, python: str, user: str) -> Answer:
        program = files(__package__).joinpath("inside.py").read_text()
        answer = self._run(image, (python, "-c", LAUNCHER, program), user)
        line = next((line for line in answer.text.splitlines() if line.startswith(MARK)), "")
        if not line:
            return answer
        try:
            report = json.loads(line[len(MARK) :])
        except ValueError:
            return answer
        return replace(answer, report=report, text="")

    def _shell(self, image: str) -> dict[str, list[str]]:
        """Ask the image's shell, as root, for programs; empty when there is no shell."""
        found: dict[str, list[str]] = {}
        for line in self._run(image, ("/bin/sh", "-c", SHELL), "0").text.splitlines():
            kind, _, value = line.partition(" ")
            if kind in ("tool", "python", "libc") and value:
                found.setdefault(kind, []).append(value)
        return found

    def _run(self, image: str, command: tuple[str, ...], user: str) -> Answer:
        spec = ContainerSpec(
            image=image,
            command=command,
            name=f"jupyter-image-manager-check-{uuid.uuid4().hex[:12]}",
            labels=self.labels,
            user=user,
            environment={"HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"},  # noqa: S108  (a tmpfs of its own)
            working_dir="/tmp",  # noqa: S108
            tmpfs={"/tmp": "rw,mode=1777,size=256m"},  # noqa: S108
            network="none",
            memory=self.memory,
            processes=256,
            read_only=True,
        )
        try:
            result = self.engine.run(spec, timeout=self.timeout)
        except (EngineUnavailable, NoSpaceLeft):
            raise
        except EngineError as error:
            if ABSENT.search(error.message):
                return Answer(False)
            if FORBIDDEN.search(error.message):
                return Answer(False, forbidden=True, text="permission denied")
            raise
        return _answer(result)

    # How files are read

    def _with_files(self, image: str, facts: Facts) -> Facts:
        release = self._file(image, "/etc/os-release") or self._file(image, "/usr/lib/os-release")
        return replace(
            facts,
            os_release=os_release(release),
            accounts=accounts(self._file(image, "/etc/passwd")),
            groups=group_names(self._file(image, "/etc/group")),
        )

    def _file(self, image: str, path: str, hops: int = 3) -> str:
        """Return a text file of the image, following symbolic links; empty when it is not there."""
        try:
            data = b"".join(self.engine.copy_out(image, path))
        except (EngineUnavailable, NoSpaceLeft):
            raise
        except ImageManagerError:
            return ""
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                if member.issym() and hops:
                    target = member.linkname
                    base = path.rpartition("/")[0]
                    return self._file(image, target if target.startswith("/") else f"{base}/{target}", hops - 1)
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None:
                    return stream.read(1 << 20).decode("utf-8", "replace")
        return ""

    def _facts(self, facts: Facts, answer: Answer) -> Facts:
        report: dict[str, Any] = answer.report or {}
        pip: dict[str, Any] = report.get("pip", {})
        return replace(
            facts,
            python_version=report["python_version"],
            python_path=report["python_path"],
            python3_on_path=bool(report.get("python3_on_path")),
            other_pythons=tuple(report.get("other_pythons", ())),
            runs_as_user=report.get("uid") == UID,
            run_message=answer.text,
            os_release=report.get("os_release", {}),
            accounts=accounts(report.get("passwd", "")),
            groups=group_names(report.get("group", "")),
            libc=report.get("libc", ""),
            libc_version=report.get("libc_version", ""),
            tools=frozenset(name for name, path in report.get("tools", {}).items() if path),
            pip=PipFacts(
                version=pip.get("version", ""),
                path=pip.get("path", ""),
                site=pip.get("site", ""),
                ok=bool(pip.get("ok")) and report.get("uid") == UID,
                message=pip.get("message", ""),
            ),
            conda=bool(report.get("conda")),
            venv=bool(report.get("venv")),
            externally_managed=bool(report.get("externally_managed")),
            ensurepip=bool(report.get("ensurepip")),
            user_site=bool(report.get("user_site", True)),
            prefix=report.get("prefix", ""),
            real_path=report.get("real_path", ""),
            stdlib=report.get("stdlib", ""),
            packages=tuple(Package(name, version) for name, version in report.get("packages", ())),
            kernelspecs=report.get("kernelspecs", {}),
        )


def _preference(place: str) -> tuple[bool, str]:
    """Order places: Python 3 by its plain name first, so that `python3.11-something` is a last resort."""
    name = shlex.quote(place).rpartition("/")[2]
    return (name != "python3", place)


def _answer(result: RunResult) -> Answer:
    text = result.output.decode("utf-8", "replace")
    errors = result.errors.decode("utf-8", "replace").strip()
    if result.timed_out:
        return Answer(True, text="it did not answer in time", timed_out=True)
    if MARK in text or result.exit_code == 0:
        return Answer(True, text=text)
    if result.oom_killed and result.exit_code == 137:
        return Answer(True, text="it ran out of memory")
    # 127 and 126 come from an init or a shell in between that did not find or may not run the program.
    if result.exit_code == 127 and (not errors or ABSENT.search(errors)):
        return Answer(False)
    if result.exit_code == 126 or FORBIDDEN.search(errors):
        return Answer(False, forbidden=True, text="permission denied")
    lines = (errors or text.strip()).splitlines()
    return Answer(True, text=lines[-1] if lines else f"it ended with exit code {result.exit_code}")
