"""Builds by the engine's BuildKit, through a client program: docker-buildx, or the Docker CLI.

The SDK has no BuildKit session, so a program drives it: the context goes in on its stdin, progress comes as plain
lines on its stderr. Settings of the administrator and secrets are mounted into each RUN, so that they stay in no
layer and no history (R9).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..dockerfile import Dockerfile, parse
from ..errors import BuildFailed, EngineError
from .port import BuildProgress, BuildRun, BuildSpec
from .translate import meaning

PLUGINS = (
    "~/.docker/cli-plugins",
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
ENVIRONMENT_SECRET = "jupyter-image-manager-environment"  # noqa: S105  # the name of a mount
CA_SECRET = "jupyter-image-manager-ca"  # noqa: S105  # the name of a mount
ENVIRONMENT_FILE = "/run/jupyter-image-manager.environment"
CA_FILE = "/run/jupyter-image-manager.ca.crt"
CA_VARIABLES = (
    "PIP_CERT",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
)
_READ = f"set -a; . {ENVIRONMENT_FILE}; set +a; "
_OURS = re.compile(rf"--mount=type=secret,id=jupyter-image-manager-\S+ |{re.escape(_READ)}")
_STEP = re.compile(r"#(\d+) \[(?:[\w.-]+ )*?(\d+)/(\d+)\] (.*)")
_OUTPUT = re.compile(r"#(\d+) (?:\d+\.\d+ )(.*)")
_DONE = re.compile(r"#(\d+) (CACHED|DONE .*|ERROR:? .*|CANCELED)$")
_EXIT = re.compile(r"exit code: (\d+)")


@dataclass(frozen=True, slots=True)
class Client:
    """A program that can talk to BuildKit."""

    command: tuple[str, ...]
    name: str


def find_client() -> Client | None:
    """Return docker-buildx, else a Docker CLI with a BuildKit client of its own, else None."""
    buildx = shutil.which("docker-buildx")
    if buildx is None:
        for folder in PLUGINS:
            candidate = Path(folder).expanduser() / "docker-buildx"
            if os.access(candidate, os.X_OK):
                buildx = str(candidate)
                break
    if buildx is not None:
        return Client((buildx, "build", "--load", "--provenance=false"), "docker-buildx")
    seen: set[str] = set()
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        candidate = Path(folder or ".") / "docker"
        if str(candidate) in seen or not os.access(candidate, os.X_OK):
            continue
        seen.add(str(candidate))
        if _major(str(candidate)) in range(20, 23):
            return Client((str(candidate), "build"), f"the Docker CLI {candidate}")
    return None


def _major(program: str) -> int:
    """Return the CLI's version; 20 to 22 have a BuildKit client inside, newer ones need buildx."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r"version (\d+)\.", said)
    return int(found[1]) if found else 0


def adapt(text: str, spec: BuildSpec) -> str:
    """Return the Dockerfile to be sent: each RUN sees the administrator's settings, and no layer keeps them.

    The recipe keeps the user's own text.
    """
    if not _settings(spec) and spec.ca_bundle is None:
        return text
    read = parse(text)
    lines = text.splitlines()
    for instruction in read.instructions:
        if instruction.keyword != "RUN":
            continue
        index = instruction.line - 1
        mounts = _mounts(spec)
        keyword, rest = re.match(r"(\s*RUN\s+)(.*)", lines[index], re.I | re.S).groups()  # type: ignore[union-attr]
        flags = "".join(f"{flag} " for flag in instruction.flags)
        for flag in instruction.flags:
            rest = rest.replace(flag, "", 1).lstrip()
        heredoc = instruction.value.lstrip().startswith("<<")
        plain = instruction.exec_form or heredoc or not rest.strip(f" \t{read.escape}")
        lines[index] = keyword + mounts + flags + ("" if plain else _READ) + rest
    return "\n".join(lines) + "\n"


def _mounts(spec: BuildSpec) -> str:
    mounts = f"--mount=type=secret,id={ENVIRONMENT_SECRET},target={ENVIRONMENT_FILE},mode=0444 "
    if spec.ca_bundle is not None:
        mounts += f"--mount=type=secret,id={CA_SECRET},target={CA_FILE},mode=0444 "
    return mounts


def _settings(spec: BuildSpec) -> dict[str, str]:
    """Return the variables for each RUN.

    Proxies are among them: given as build arguments, their values would stay in the image's build information.
    """
    found = dict(spec.environment)
    if spec.ca_bundle is not None:
        found.update(dict.fromkeys(CA_VARIABLES, CA_FILE))
    return found


def needs_buildkit(read: Dockerfile) -> str | None:
    """Return the first instruction that only BuildKit knows."""
    for instruction in read.instructions:
        if instruction.heredocs or any(
            flag.startswith(("--mount", "--chmod", "--link", "--security", "--network", "--exclude", "--parents"))
            for flag in instruction.flags
        ):
            return instruction.shown
    return None


GRACE = 3.0
"""Seconds that a client has to end a build in good order."""


class BuildKitBuild(BuildRun):
    """One build by BuildKit."""

    def __init__(self, client: Client, address: str, spec: BuildSpec, context: Iterable[bytes]) -> None:
        self._client = client
        self._address = address
        self._spec = spec
        self._context = context
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = threading.Event()
        self._broken: BaseException | None = None

    def cancel(self) -> None:
        """Stop the client; BuildKit stops the step when it goes."""
        self._cancelled.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            # A client that is told so before the engine knows of the build waits for ever, and the step runs on.
            # When its connection breaks, the engine stops the step.
            killer = threading.Timer(GRACE, process.kill)
            killer.daemon = True
            killer.start()

    def __iter__(self) -> Iterator[BuildProgress]:
        """Send the context and yield what BuildKit says."""
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # secrets stay in memory
        with tempfile.TemporaryDirectory(prefix="jupyter-image-manager-", dir=memory) as name:
            folder = Path(name)
            command = self._command(folder)
            environment = {
                **{k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "XDG_RUNTIME_DIR", "TMPDIR")},
                "DOCKER_BUILDKIT": "1",
                "DOCKER_HOST": self._address,
                "DOCKER_CONFIG": str(folder),
            }
            if self._cancelled.is_set():
                raise BuildFailed("The build was cancelled.")
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
            self._process = process
            stdin, stderr = process.stdin, process.stderr
            if stdin is None or stderr is None:
                raise EngineError("The client of BuildKit could not be started; try again.")
            sender = threading.Thread(target=self._send, args=(stdin,), daemon=True)
            sender.start()
            try:
                yield from self._read(stderr, process)
            finally:
                if process.poll() is None:
                    process.terminate()
                try:
                    process.wait(GRACE)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                sender.join()
                stderr.close()
            image_file = folder / "image"
            if not image_file.exists():
                raise EngineError("BuildKit ended without an image and without an error; try again.")
            yield BuildProgress("image", image_id=image_file.read_text().strip())

    def _command(self, folder: Path) -> list[str]:
        spec = self._spec
        command = [*self._client.command, "--progress=plain", "--iidfile", str(folder / "image"), "-t", spec.tag]
        command += ["-f", spec.dockerfile]
        for name, value in spec.labels.items():
            command += ["--label", f"{name}={value}"]
        for name, value in spec.build_args.items():
            command += ["--build-arg", f"{name}={value}"]
        secrets = dict(spec.secrets)
        settings = _settings(spec)
        if settings:
            secrets[ENVIRONMENT_SECRET] = "".join(f"{k}={_quoted(v)}\n" for k, v in settings.items()).encode()
        for number, (name, secret) in enumerate(secrets.items()):
            path = folder / f"secret-{number}"
            path.write_bytes(secret)
            path.chmod(0o600)
            command += ["--secret", f"id={name},src={path}"]
        if spec.ca_bundle is not None:
            command += ["--secret", f"id={CA_SECRET},src={spec.ca_bundle}"]
        if spec.network:
            command += ["--network", spec.network]
        if spec.no_cache:
            command.append("--no-cache")
        if spec.pull:
            command.append("--pull")
        if spec.platform:
            command += ["--platform", spec.platform]
        (folder / "config.json").write_text(json.dumps({"auths": {}}))
        return [*command, "-"]

    def _send(self, pipe: IO[bytes]) -> None:
        try:
            for block in self._context:
                pipe.write(block)
        except BrokenPipeError:
            return  # the client has ended: it says why
        except BaseException as error:  # handed to the reader, which is where the build's caller is
            self._broken = error
            self.cancel()
        finally:
            try:
                pipe.close()
            except BrokenPipeError:
                self._cancelled.is_set()

    def _read(self, pipe: IO[bytes], process: subprocess.Popen[bytes]) -> Iterator[BuildProgress]:
        steps: dict[str, tuple[int, int, str]] = {}
        step = total = 0
        instruction, failed = "", ""
        errors: list[str] = []
        for raw in pipe:
            line = _OURS.sub("", raw.decode("utf-8", "replace").rstrip("\n").rstrip("\r"))
            if match := _STEP.match(line):
                step, total, instruction = int(match[2]), int(match[3]), match[4]
                if match[1] not in steps:
                    steps[match[1]] = (step, total, instruction)
                    yield BuildProgress("step", step, total, instruction)
            elif match := _OUTPUT.match(line):
                step, total, instruction = steps.get(match[1], (step, total, instruction))
                yield BuildProgress("line", step, total, match[2])
            elif match := _DONE.match(line):
                if match[2] == "CACHED":
                    at = steps.get(match[1], (step, total, instruction))
                    yield BuildProgress("cached", at[0], at[1], at[2])
                elif match[2].startswith("ERROR"):
                    failed = match[1]
                    errors.append(match[2])
            elif line.startswith(("failed to", "ERROR:", "error:", "executor failed", "Dockerfile", "unable to")):
                errors.append(line)
        code = process.wait()
        if self._broken is not None:
            raise self._broken
        if self._cancelled.is_set():
            raise BuildFailed("The build was cancelled.")
        if code:
            at = steps.get(failed, (step, total, instruction))
            raise _failure(at[0], at[2], errors)


def _failure(step: int, instruction: str, errors: list[str]) -> EngineError:
    text = "\n".join(errors) or "BuildKit ended without saying why."
    exit_code = _EXIT.search(text)
    details = {
        "instruction": instruction,
        "step": step,
        "exit_code": int(exit_code[1]) if exit_code else None,
        "engine": text[:2000],
    }
    if exit_code:
        return BuildFailed(f"The instruction `{instruction}` failed with exit code {exit_code[1]}.", details)
    known = meaning(errors[-1] if errors else text)
    if isinstance(known, EngineError) and type(known) is not EngineError:
        known.details = {**known.details, **details}
        return known
    return BuildFailed(f"The instruction `{instruction}` failed: {errors[-1] if errors else text}", details)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"
