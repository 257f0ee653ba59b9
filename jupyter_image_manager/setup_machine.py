"""``jupyter image setup``: what a machine lacks to build and run images, and the way there.

The plan is data: the command line shows it, asks, and has it performed step by step. A step that is done already
is not needed; performing a plan twice changes nothing the second time.
"""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from traitlets import Float, Instance
from traitlets.config import LoggingConfigurable

from .base_image import KEYRING, BaseImages
from .doctor_reach import named_by
from .engine.buildkit import find_client
from .errors import EngineUnavailable, ImageManagerError, ImageNotFound
from .registry.reach import host_of, unreachable

if TYPE_CHECKING:
    from .manager import ImageManager

DOCKER_MANUAL = "https://docs.docker.com/engine/install/"
SYSTEMD = Path("/run/systemd/system")
DROP_IN = "/etc/systemd/system/docker.service.d/jupyter-image-manager.conf"

# BuildKit cuts what a step writes at 2 MiB, and only the engine's own environment can tell it not to.
START_SYSTEMD = f"""\
set -e
mkdir -p {Path(DROP_IN).parent}
printf '[Service]\\nEnvironment=BUILDKIT_STEP_LOG_MAX_SIZE=99999999 BUILDKIT_STEP_LOG_MAX_SPEED=99999999\\n' \\
    > {DROP_IN}
systemctl daemon-reload
systemctl enable --now docker
"""
# Without systemd: detached from this process, after the pid files of an engine that was killed are gone.
START_DETACHED = """\
for f in /var/run/docker.pid /var/run/docker/containerd/containerd.pid; do
    name=$(basename $f .pid); [ $name = docker ] && name=dockerd
    if [ -e $f ]; then
        p=$(cat $f)
        if [ "$(cat /proc/$p/comm 2>/dev/null)" != $name ] || grep -q '^State:.Z' /proc/$p/status; then rm -f $f; fi
    fi
done
export BUILDKIT_STEP_LOG_MAX_SIZE=99999999 BUILDKIT_STEP_LOG_MAX_SPEED=99999999
setsid nohup dockerd </dev/null >>/var/log/dockerd.log 2>&1 &
"""


class SetupFailed(ImageManagerError):
    """A step of the set-up did not do what it should."""

    code = "setup_failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the plan.

    ``commands`` are run as root; ``manual`` says what a person must do where there is no command for it.
    """

    id: str
    title: str
    needed: bool
    reason: str = ""
    commands: tuple[tuple[str, ...], ...] = ()
    manual: str = ""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What came of a step. ``seconds`` is how long it took."""

    id: str
    title: str
    ok: bool
    message: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Distribution:
    """The distribution of this machine, by ``/etc/os-release``."""

    id: str
    name: str
    like: tuple[str, ...]

    @property
    def debian(self) -> bool:
        """Whether it is of Debian's family, so that apt installs."""
        return bool({"debian", "ubuntu"} & {self.id, *self.like})


def distribution(path: Path = Path("/etc/os-release")) -> Distribution:
    """Return what distribution this machine runs."""
    values = {}
    try:
        for line in path.read_text(errors="replace").splitlines():
            name, equals, value = line.partition("=")
            if equals:
                values[name] = value.strip().strip("\"'")
    except OSError:
        return Distribution("", "an unknown distribution", ())
    return Distribution(
        values.get("ID", ""), values.get("PRETTY_NAME", values.get("ID", "")), tuple(values.get("ID_LIKE", "").split())
    )


class MachineSetup(LoggingConfigurable):
    """Bring this machine to a working engine, with a base image."""

    manager: ImageManager = Instance("jupyter_image_manager.manager.ImageManager")  # type: ignore[assignment]  # a trait

    wait = Float(60.0, help="Seconds to wait for an engine that was started to answer.").tag(config=True)

    def plan(self) -> list[Step]:
        """Return the steps, those that are done already too; nothing is changed."""
        system = distribution()
        problem = self._engine_problem()
        denied = problem is not None and self._denied(problem)
        steps = [
            self._install(system, problem),
            self._start(problem, denied),
            self._group(problem, denied),
            self._buildkit(system),
        ]
        return [*steps, *self._base(system)]

    def perform(self, step: Step, line: Callable[[str], None] | None = None) -> StepResult:
        """Do one step; a step that is not needed is left alone.

        Raises
        ------
        SetupFailed
            It could not be done; the message says why and what to do by hand.
        """
        tell = line or self.log.info
        began = time.monotonic()
        message = "was done already"
        if step.needed:
            if step.manual:
                raise SetupFailed(f"{step.title}: {step.manual}")
            for command in step.commands:
                _as_root(command, step, tell)
            message = self._after(step, tell)
        return StepResult(step.id, step.title, True, message, round(time.monotonic() - began, 1))

    def _after(self, step: Step, tell: Callable[[str], None]) -> str:
        if step.id == "engine-start":
            return self._answering()
        if step.id == "group":
            return "log out and in again for it to take effect"
        if step.id == "base":
            problem = self._engine_problem()
            if problem is not None and self._denied(problem):
                raise SetupFailed(
                    f"{step.title}: for this session the engine is still closed; log out and in again, then repeat "
                    "`jupyter image setup`."
                )
            base = BaseImages(parent=self.manager, manager=self.manager).create(line=tell)
            return f"{base.reference} is there"
        return "done"

    def _answering(self) -> str:
        end = time.monotonic() + self.wait
        while True:
            problem = self._engine_problem()
            if problem is None:
                info = self.manager.engine.info()
                return f"{info.kind} {info.version} answers at {info.address}"
            if self._denied(problem):
                return "the engine answers root; the next step lets you in"
            if time.monotonic() > end:
                raise SetupFailed(
                    f"The engine was started and does not answer after {self.wait:.0f} s: {problem.message} Look into "
                    + ("`journalctl -u docker`." if SYSTEMD.is_dir() else "/var/log/dockerd.log.")
                )
            time.sleep(0.3)

    def _engine_problem(self) -> EngineUnavailable | None:
        try:
            self.manager.engine.info(refresh=True)
        except EngineUnavailable as error:
            return error
        except ImageManagerError:
            return None  # it answers, though not as it should: the doctor says what is wrong
        return None

    @staticmethod
    def _denied(problem: EngineUnavailable) -> bool:
        """Tell whether there is an engine that this user may not use."""
        return problem.details.get("reason") == "permission"

    def _install(self, system: Distribution, problem: EngineUnavailable | None) -> Step:
        title = "Install Docker Engine"
        if problem is None:
            return Step("engine-install", title, False, "an engine answers")
        if named := named_by(self.manager):
            return Step("engine-install", title, False, f"another is named by {named}")
        if shutil.which("dockerd") or Path("/usr/sbin/dockerd").exists():
            return Step("engine-install", title, False, "it is installed")
        if not system.debian:
            return Step(
                "engine-install",
                title,
                True,
                f"no engine answers, and this is {system.name}",
                manual=f"install it by {DOCKER_MANUAL}, then run `jupyter image setup` again.",
            )
        return Step("engine-install", f"{title} (docker.io)", True, "no engine answers", _apt("docker.io", "iptables"))

    def _start(self, problem: EngineUnavailable | None, denied: bool) -> Step:
        title = "Start the engine"
        if problem is None or denied:
            return Step("engine-start", title, False, "it answers")
        if named := named_by(self.manager):
            return Step(
                "engine-start",
                title,
                True,
                f"none answers at the address that {named} has",
                manual=f"start that engine, or take {named} away to use one of this machine.",
            )
        if SYSTEMD.is_dir():
            return Step("engine-start", title, True, "by systemd, now and at boot", (("sh", "-c", START_SYSTEMD),))
        return Step(
            "engine-start",
            title,
            True,
            "detached: this machine has no systemd, so repeat it after a reboot",
            (("sh", "-c", START_DETACHED),),
        )

    def _group(self, problem: EngineUnavailable | None, denied: bool) -> Step:
        user = pwd.getpwuid(os.getuid()).pw_name
        title = f"Let {user} use the engine"
        if os.getuid() == 0 or problem is None:
            return Step("group", title, False, "may use it")
        if _in_group(user, "docker"):
            return Step(
                "group",
                title,
                denied,
                "is in the group docker, from the next login on",
                manual="log out and in again, then repeat." if denied else "",
            )
        return Step(
            "group",
            title,
            True,
            "membership of the group docker; whoever is in it has the rights of root on this machine",
            (("sh", "-c", f"getent group docker >/dev/null || groupadd docker; usermod -aG docker '{user}'"),),
        )

    def _buildkit(self, system: Distribution) -> Step:
        title = "Install docker-buildx"
        if find_client() is not None:
            return Step("buildx", title, False, "there is a BuildKit client")
        if not system.debian or not _available("docker-buildx"):
            return Step("buildx", title, False, "the distribution has none; the classic builder is used")
        return Step(
            "buildx", title, True, "builds with secrets and a company's settings need it", _apt("docker-buildx")
        )

    def _base(self, system: Distribution) -> list[Step]:
        title = "Make a base image from Debian's packages"
        wanted = self.manager.builds.catalog.base_of("3.11")
        try:
            self.manager.engine.inspect_image(wanted)
        except ImageNotFound:
            pass
        except ImageManagerError:
            if not self._unreachable(wanted):
                return [Step("base", title, False, "the registry can be reached")]
        else:
            return [Step("base", title, False, f"{wanted} is on the machine")]
        reason = self._unreachable(wanted)
        if not reason:
            return [Step("base", title, False, f"{wanted} can be pulled")]
        steps = []
        packages = [] if shutil.which("mmdebstrap") else ["mmdebstrap"]
        if not KEYRING.is_file():
            packages.append("debian-archive-keyring")
        if packages:
            names = " and ".join(packages)
            manual = "" if system.debian else f"install {names} with your package manager."
            commands = () if manual else _apt(*packages)
            steps.append(Step("mmdebstrap", f"Install {names}", True, "to make base images", commands, manual))
        return [*steps, Step("base", title, True, f"{wanted} cannot be pulled: {reason}")]

    def _unreachable(self, reference: str) -> str:
        try:
            mirrors = self.manager.engine.info().registry_mirrors
        except ImageManagerError:
            mirrors = ()
        host = host_of(reference)
        return unreachable(mirrors[0] if mirrors and host.endswith("docker.io") else host)


def _apt(*packages: str) -> tuple[tuple[str, ...], ...]:
    wait = ("-o", "DPkg::Lock::Timeout=300")
    return (
        ("apt-get", *wait, "update", "-q"),
        ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *wait, "install", "-y", "-q", *packages),
    )


def _available(package: str) -> bool:
    try:
        said = subprocess.run(
            ["apt-cache", "policy", package],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "Candidate:" in said and "Candidate: (none)" not in said


def _in_group(user: str, group: str) -> bool:
    try:
        return user in grp.getgrnam(group).gr_mem
    except KeyError:
        return False


def _as_root(command: tuple[str, ...], step: Step, tell: Callable[[str], None]) -> None:
    words = list(command)
    if os.getuid() != 0:
        if not shutil.which("sudo"):
            raise SetupFailed(f"{step.title} needs root, and there is no sudo; run `jupyter image setup` as root.")
        if (
            not sys.stdin.isatty()
            and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode
        ):
            raise SetupFailed(
                f"{step.title} needs root, and sudo does not give it without a password; run `jupyter image setup` in "
                f"a terminal, or let an administrator run `{shlex.join(command)}`."
            )
        words = ["sudo", *words]
    last = ""
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for text in process.stdout or ():
            last = text.rstrip() or last
            tell(text.rstrip())
    if process.returncode:
        raise SetupFailed(f"{step.title} failed: {last or f'exit code {process.returncode}'}; mend that and repeat.")
