"""Builds by the engine's classic builder, through the SDK."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import BuildFailed, EngineError, ImageManagerError, ImageNotFound
from .lines import LineJoiner
from .port import BuildProgress, BuildRun, BuildSpec
from .translate import meaning, translated

if TYPE_CHECKING:
    from .connection import Connection

_STEP = re.compile(r"(?:Step (\d+)/(\d+) :|STEP (\d+)/(\d+):) ?(.*)")
_RUNNING = re.compile(r" ---> Running in ([0-9a-f]{12,64})$")
_CACHED = re.compile(r" ---> Using cache$|--> Using cache ")
_RESULT = re.compile(r" ---> [0-9a-f]{12}$|Removing intermediate container [0-9a-f]+$|Successfully (?:built|tagged) ")
_NEEDS_BUILDKIT = re.compile(
    r"the --(mount|chmod|link|security|network) (?:option|flag) requires BuildKit|unknown flag: (\w+)", re.I
)


class ClassicBuild(BuildRun):
    """One build by the classic builder."""

    def __init__(self, connection: Connection, spec: BuildSpec, context: Iterable[bytes]) -> None:
        self._connection = connection
        self._spec = spec
        self._context = context
        self._client: Any = None
        self._response: Any = None
        self._containers: set[str] = set()
        self._cancelled = threading.Event()

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
        """Remove the containers of steps that were running; they carry no label of ours."""
        with translated(self._connection.address):
            client = self._connection.client()
            import docker.errors

            for container in self._containers:
                try:
                    client.remove_container(container, force=True, v=True)
                except docker.errors.APIError as error:
                    if error.response is None or error.response.status_code not in (404, 409, 500):
                        raise
        self._connection.forget(self._client)

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

    def _run(self) -> Iterator[BuildProgress]:
        client, address = self._client, self._connection.address
        if self._cancelled.is_set():
            raise BuildFailed("The build was cancelled.")
        with translated(address, "the build"):
            # `APIClient.build` hides its response, which a cancel must break; this is the same request.
            self._response = client._post(
                client._url("/build"),
                data=iter(self._context),
                params=self._parameters(),
                headers={"Content-Type": "application/x-tar"},
                stream=True,
                timeout=None,
            )
            client._raise_for_status(self._response)
            if self._cancelled.is_set():  # while the context was on its way: there was nothing to break yet
                raise BuildFailed("The build was cancelled.")
            events = client._stream_helper(self._response, decode=True)
            yield from self._read(events)

    def _read(self, events: Iterable[dict[str, Any]]) -> Iterator[BuildProgress]:
        step = steps = 0
        instruction, image_id = "", ""
        lines = {"out": LineJoiner(), "err": LineJoiner()}
        for event in events:
            if "errorDetail" in event or "error" in event:
                for stream, joiner in lines.items():
                    for text in joiner.rest():
                        yield BuildProgress("line", step, steps, text, stream)
                raise self._failure(event, instruction, step)
            if "aux" in event:
                image_id = str(event["aux"].get("ID", image_id))
            elif "status" in event:
                detail = event.get("progressDetail") or {}
                text = " ".join(str(event.get(key, "")) for key in ("status", "id")).strip()
                yield BuildProgress(
                    "pull",
                    step,
                    steps,
                    text,
                    current=int(detail.get("current") or 0),
                    total=int(detail.get("total") or 0),
                )
            elif "stream" in event:
                text = str(event["stream"])
                stream = "err" if text.startswith("\x1b[91m") else "out"
                if stream == "err":
                    text = text.removeprefix("\x1b[91m").removesuffix("\x1b[0m")
                for line in lines[stream].feed(text):
                    match = _STEP.match(line) if stream == "out" else None
                    if match:
                        step, steps = int(match[1] or match[3]), int(match[2] or match[4])
                        instruction = match[5]
                        yield BuildProgress("step", step, steps, instruction)
                    elif running := _RUNNING.match(line):
                        self._containers.add(running[1])
                    elif _CACHED.match(line):
                        yield BuildProgress("cached", step, steps, instruction)
                    elif not _RESULT.match(line):
                        yield BuildProgress("line", step, steps, line, stream)
        for stream, joiner in lines.items():
            for text in joiner.rest():
                yield BuildProgress("line", step, steps, text, stream)
        if self._cancelled.is_set():
            raise BuildFailed("The build was cancelled.")
        yield BuildProgress("image", steps, steps, image_id=self._built(image_id))

    def _built(self, image_id: str) -> str:
        import docker.errors

        try:
            found = self._connection.client().inspect_image(image_id or self._spec.tag)
        except docker.errors.NotFound as error:
            raise EngineError(
                "The engine stopped building without an image and without an error; try again."
            ) from error
        return str(found["Id"])

    def _failure(self, event: dict[str, Any], instruction: str, step: int) -> ImageManagerError:
        detail = event.get("errorDetail") or {}
        text = str(detail.get("message") or event.get("error") or "")
        needs = _NEEDS_BUILDKIT.search(text)
        details = {"instruction": instruction, "step": step, "exit_code": detail.get("code"), "engine": text[:2000]}
        if needs:
            return BuildFailed(
                f"The instruction `{instruction}` needs BuildKit, and this engine is driven by the classic builder; "
                "install docker-buildx, or do without it.",
                details,
            )
        if detail.get("code") is not None or "returned a non-zero code" in text:
            return BuildFailed(f"The instruction `{instruction}` failed with exit code {detail.get('code')}.", details)
        subject = (
            instruction.split()[1] if instruction.upper().startswith("FROM ") and len(instruction.split()) > 1 else ""
        )
        known = meaning(text, subject)
        if type(known) is EngineError or isinstance(known, ImageNotFound):
            known = BuildFailed(
                known.message if subject else f"The instruction `{instruction}` failed: {text}", details
            )
        known.details = {**known.details, **details}
        return known
