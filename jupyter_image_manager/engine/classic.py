"""Builds by the engine's classic builder, through the SDK."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from ..errors import BuildFailed, EngineUnavailable, ImageManagerError
from .failures import build_failure
from .lines import LineJoiner
from .port import LABEL, BuildProgress, BuildRun, BuildSpec
from .translate import translated

if TYPE_CHECKING:
    from .connection import Connection

_STEP = re.compile(r"(?:Step (\d+)/(\d+) :|STEP (\d+)/(\d+):) ?(.*)")
_RUNNING = re.compile(r" ---> Running in ([0-9a-f]{12,64})$")
_CACHED = re.compile(r" ---> Using cache$|--> Using cache ")
_RESULT = re.compile(r" ---> [0-9a-f]{12}$|--> [0-9a-f]{11,64}$")
_REMOVED = re.compile(r"(?:Removing| ---> Removed) intermediate container ([0-9a-f]{12})$")
_BUILT = re.compile(r"Successfully built [0-9a-f]{12}$")
_TAGGED = re.compile(r"Successfully tagged \S+$")
_CODE = re.compile(r"returned a non-zero code: (\d+)|exit status (\d+)")

REMOVAL_SECONDS = 10.0
"""How long a container that the engine is removing is waited for."""


class ClassicBuild(BuildRun):
    """One build by the classic builder."""

    def __init__(self, connection: Connection, spec: BuildSpec, context: Iterable[bytes]) -> None:
        self._connection = connection
        self._spec = spec
        self._context = context
        self._client: Any = None
        self._response: Any = None
        self._broken: BaseException | None = None
        self._cancelled = threading.Event()
        self._step = self._steps = 0
        self._instruction = ""
        self._silent = True  # the step has printed nothing yet: what comes is the builder's own
        self._container = ""  # of the step that runs
        self._since = 0
        self._built = False

    def __iter__(self) -> Iterator[BuildProgress]:
        """Send the context and yield what the builder says."""
        self._client = self._connection.fresh(stream=True)
        try:
            yield from self._run()
        except (ImageManagerError, OSError):
            if self._cancelled.is_set():
                raise BuildFailed("The build was cancelled.") from None
            raise
        finally:
            self._leave()

    def cancel(self) -> None:
        """Break the connection: the engine then stops the step, in 0.1 s."""
        self._cancelled.set()
        self._break()

    def _break(self) -> None:
        raw = getattr(getattr(self._response, "raw", None), "_fp", None)
        file = getattr(getattr(raw, "fp", None), "raw", None)
        found = getattr(file, "_sock", None)
        if isinstance(found, socket.socket):
            try:
                # Closing would wait for the reader; a shutdown wakes it.
                found.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def _leave(self) -> None:
        """Remove the container of the step that was running; it carries no label of ours."""
        self._connection.forget(self._client)
        if not self._container:
            return
        import docker.errors

        with translated(self._connection.address):
            client = self._connection.client()
            try:
                found = client.inspect_container(self._container)
                # A step can print what looks like the builder's own words: nobody else's container may pay for that.
                ours = f"{LABEL}.role" not in (found["Config"].get("Labels") or {})
                if ours and _seconds(found["Created"]) >= self._since:
                    client.remove_container(found["Id"], force=True, v=True)
            except docker.errors.APIError as error:
                # The engine removes it as well, and is as good as we are.
                if error.response is None or error.response.status_code not in (404, 409, 500):
                    raise
                self._await_removal(client)

    def _await_removal(self, client: Any) -> None:
        import docker.errors

        end = time.monotonic() + REMOVAL_SECONDS
        while time.monotonic() < end:
            try:
                client.inspect_container(self._container)
            except docker.errors.NotFound:
                return
            time.sleep(0.05)

    def _parameters(self) -> dict[str, Any]:
        spec = self._spec
        arguments = {**spec.build_args, **{k: v for k, v in spec.environment.items() if "proxy" in k.lower()}}
        return {
            "t": spec.tag,
            "dockerfile": spec.dockerfile,
            "rm": True,
            "forcerm": True,
            "nocache": spec.no_cache,
            "pull": spec.pull,
            "labels": json.dumps(spec.labels),
            "buildargs": json.dumps(arguments),
            "networkmode": spec.network or "default",
            **({"memory": spec.memory, "memswap": spec.memory} if spec.memory else {}),
            **({"cpuperiod": 100000, "cpuquota": int(spec.cpus * 100000)} if spec.cpus else {}),
            **({"platform": spec.platform} if spec.platform else {}),
        }

    def _sent(self) -> Iterator[bytes]:
        """Yield the context; what goes wrong with it is kept, since the transport would call it its own failure."""
        try:
            for block in self._context:
                if self._cancelled.is_set():
                    raise BuildFailed("The build was cancelled.")
                yield block
        except Exception as error:
            self._broken = error
            raise

    def _run(self) -> Iterator[BuildProgress]:
        client, address = self._client, self._connection.address
        if self._cancelled.is_set():
            raise BuildFailed("The build was cancelled.")
        with translated(address, "the build"):
            import docker.errors

            headers = {"Content-Type": "application/x-tar"}
            client._set_auth_headers(headers)  # for base images that want a sign-in
            try:
                # `APIClient.build` hides its response, which a cancel must break; this is the same request.
                self._response = client._post(
                    client._url("/build"),
                    data=self._sent(),
                    params=self._parameters(),
                    headers=headers,
                    stream=True,
                    timeout=None,
                )
                client._raise_for_status(self._response)
            except docker.errors.APIError as error:
                raise build_failure(str(error.explanation or error), "", 0) from error
            except Exception:
                if self._broken is not None:
                    raise self._broken from None
                raise
            if self._cancelled.is_set():  # while the context was on its way: there was nothing to break yet
                raise BuildFailed("The build was cancelled.")
            self._since = _http_seconds(self._response.headers.get("Date"))
            yield from self._read(client._stream_helper(self._response, decode=True))

    def _read(self, events: Iterable[dict[str, Any]]) -> Iterator[BuildProgress]:
        image_id = ""
        lines = {"out": LineJoiner(), "err": LineJoiner()}
        for event in events:
            if "errorDetail" in event or "error" in event:
                yield from self._rest(lines)
                raise self._failure(event)
            if "aux" in event:
                image_id = str(event["aux"].get("ID", image_id))
            elif "status" in event:
                yield self._pulled(event)
            elif "stream" in event:
                text = str(event["stream"])
                stream = "err" if text.startswith("\x1b[91m") else "out"
                if stream == "err":
                    text = text.removeprefix("\x1b[91m").removesuffix("\x1b[0m")
                if stream == "out" and self._ends_output(text):
                    yield from self._rest(lines)  # the step's last line may have had no end
                for line in lines[stream].feed(text):
                    yield from self._line(line, stream)
        yield from self._rest(lines)
        if self._cancelled.is_set():
            raise BuildFailed("The build was cancelled.")
        if not self._built:
            raise EngineUnavailable(
                f"The engine at {self._connection.address} stopped building without a word; look whether it is "
                "still running, then build again."
            )
        found = self._connection.client().inspect_image(image_id or self._spec.tag)
        yield BuildProgress("image", self._steps, self._steps, image_id=str(found["Id"]))

    def _ends_output(self, text: str) -> bool:
        line = text.strip("\n")
        if match := _STEP.match(line):
            return int(match[1] or match[3]) == self._step + 1
        return bool(self._container) and (match := _REMOVED.match(line)) is not None and match[1] in self._container

    def _line(self, line: str, stream: str) -> Iterator[BuildProgress]:
        """Tell the builder's own lines from a step's output, which may look like them."""
        silent = self._silent and stream == "out"
        if stream == "out":
            if (match := _STEP.match(line)) and int(match[1] or match[3]) == self._step + 1:
                self._step, self._steps = int(match[1] or match[3]), int(match[2] or match[4])
                self._instruction, self._silent = match[5], True
                self._container = ""
                if not self._ours:
                    yield self._progress("step", self._instruction)
                return
            if silent and (match := _RUNNING.match(line)):
                self._container = match[1]
                return
            if silent and _CACHED.match(line):
                if not self._ours:
                    yield self._progress("cached", self._instruction)
                return
            if (match := _REMOVED.match(line)) and self._container.startswith(match[1]):
                self._container, self._silent = "", True
                return
            if self._step == self._steps and not self._container and _BUILT.match(line):
                self._built = True
                return
            if (silent and _RESULT.match(line)) or (self._built and _TAGGED.match(line)):
                return
        self._silent = False
        yield self._progress("line", line, stream)

    @property
    def _ours(self) -> bool:
        """Whether the step is one that the builder appends for a label of ours: the user's Dockerfile has no such."""
        return self._step > self._steps - len(self._spec.labels)

    def _rest(self, lines: dict[str, LineJoiner]) -> Iterator[BuildProgress]:
        for stream, joiner in lines.items():
            for text in joiner.rest():
                yield from self._line(text, stream)

    def _progress(self, kind: str, text: str, stream: str = "out") -> BuildProgress:
        steps = self._steps - len(self._spec.labels)
        return BuildProgress(kind, min(self._step, steps), steps, text, stream)

    def _pulled(self, event: dict[str, Any]) -> BuildProgress:
        detail = event.get("progressDetail") or {}
        text = " ".join(str(event.get(key, "")) for key in ("status", "id")).strip()
        current, total = int(detail.get("current") or 0), int(detail.get("total") or 0)
        return BuildProgress("pull", self._step, self._steps, text, current=current, total=total)

    def _failure(self, event: dict[str, Any]) -> ImageManagerError:
        detail = event.get("errorDetail") or {}
        text = str(detail.get("message") or event.get("error") or "")
        code = detail.get("code")
        if code is None and (match := _CODE.search(text)):  # Podman says it in words only
            code = int(match[1] or match[2])
        return build_failure(text, self._instruction, self._step, code)


def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment[:19] + "+00:00").timestamp())


def _http_seconds(moment: str | None) -> int:
    """Return the time of an HTTP header: the engine's clock, which a container's creation is compared with."""
    return int(parsedate_to_datetime(moment).timestamp()) if moment else 0
