"""Builds by the engine's BuildKit, through a client program: docker-buildx, or the Docker CLI.

The SDK has no BuildKit session, so a program drives it: the context goes in on its stdin, progress comes as plain
lines on its stderr. Settings of the administrator and secrets are mounted into each RUN, so that they stay in no
layer and no history (R9).
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..dockerfile import Dockerfile
from ..errors import BuildFailed, EngineError, ImageManagerError
from .adapt import CA_SECRET, secrets
from .failures import build_failure
from .port import BuildProgress, BuildRun, BuildSpec
from .progress import JsonReader, PlainReader, Reader

PLUGINS = (
    "~/.docker/cli-plugins",
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
_EXIT = re.compile(r"exit code: (\d+)")
_RAWJSON = (0, 13)
"""The first docker-buildx that prints JSON."""


@dataclass(frozen=True, slots=True)
class Client:
    """A program that can talk to BuildKit."""

    command: tuple[str, ...]
    name: str
    json: bool = False  # it can print JSON


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
        return Client((buildx, "build", "--load"), "docker-buildx", json=_version(buildx, "version") >= _RAWJSON)
    seen: set[str] = set()
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        candidate = Path(folder or ".") / "docker"
        if str(candidate) in seen or not os.access(candidate, os.X_OK):
            continue
        seen.add(str(candidate))
        if _version(str(candidate), "--version")[0] in range(20, 23):  # newer ones need docker-buildx
            return Client((str(candidate), "build"), f"the Docker CLI {candidate}")
    return None


def _version(program: str, argument: str) -> tuple[int, int]:
    """Return a client's version, as far as it counts here."""
    try:
        said = subprocess.run([program, argument], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0, 0
    found = re.search(r"\bv?(\d+)\.(\d+)\.", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def needs_buildkit(read: Dockerfile) -> str | None:
    """Return the first instruction that only BuildKit knows."""
    for instruction in read.instructions:
        if instruction.heredocs or any(
            flag.startswith(("--mount", "--chmod", "--link", "--security", "--network", "--exclude", "--parents"))
            for flag in instruction.flags
        ):
            return instruction.shown
    return None


def _sign_ins() -> dict[str, Any]:
    """Return how the user signed the client in to registries; nothing else of that file, which may hold proxies."""
    folder = Path(os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker")))
    try:
        found = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        return {}
    return {key: found[key] for key in ("auths", "credsStore", "credHelpers") if key in found}


PASSED = frozenset(
    (
        *("PATH", "HOME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "GNUPGHOME"),
        *("PASSWORD_STORE_DIR", "SSH_AUTH_SOCK", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR"),
    )
)
"""Variables that the client, and the helpers that it asks for passwords, may see."""

GRACE = 3.0
"""Seconds that a client has to end a build in good order."""


_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """Ask the kernel to kill this process with the thread that made it: a silent step would run on without anybody."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


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
                **{name: value for name, value in os.environ.items() if name in PASSED},
                "DOCKER_BUILDKIT": "1",
                "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",  # they change an image's digest each time
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
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
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
        command = [
            *self._client.command,
            f"--progress={'rawjson' if self._client.json else 'plain'}",
            "--iidfile",
            str(folder / "image"),
            "-t",
            spec.tag,
        ]
        command += ["-f", spec.dockerfile]
        for name, value in spec.labels.items():
            command += ["--label", f"{name}={value}"]
        for name, value in spec.build_args.items():
            command += ["--build-arg", f"{name}={value}"]
        for number, (name, secret) in enumerate({**spec.secrets, **secrets(spec)}.items()):
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
        (folder / "config.json").write_text(json.dumps(_sign_ins()))
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
        reader: Reader = JsonReader() if self._client.json else PlainReader()
        for raw in pipe:
            yield from reader.feed(raw.decode("utf-8", "replace").rstrip("\r\n"))
        code = process.wait()
        if self._broken is not None:
            raise self._broken
        if self._cancelled.is_set():
            raise BuildFailed("The build was cancelled.")
        if code:
            step, instruction = reader.failed()
            raise _failure(step, instruction, reader.errors)


def _failure(step: int, instruction: str, errors: list[str]) -> ImageManagerError:
    if not errors:
        return EngineError("BuildKit ended without an image and without an error; try again.")
    exit_code = next((match for match in map(_EXIT.search, errors) if match), None)
    return build_failure(errors[-1], instruction, step, int(exit_code[1]) if exit_code else None)
