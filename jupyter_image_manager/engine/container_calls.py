"""Containers, through the SDK."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import Conflict, EngineError, EngineUnavailable, ImageManagerError, InvalidRequest, NotFound
from .calls import Calls, filters
from .containers import create_arguments, state_in_list, state_of
from .port import Attachment, ContainerSpec, ContainerState, RunResult


class ContainerCalls(Calls):
    """Create, start, watch, signal and remove containers."""

    def create(self, spec: ContainerSpec) -> str:
        """Create a container; return its id."""
        info = self.info()
        if info.remote and spec.binds:
            raise EngineUnavailable(
                f"The engine at {self.address} is on another machine, where folders of this one cannot be mounted; "
                "use an engine of this machine."
            )
        if spec.gpus.kind != "none" and not info.gpus and info.kind == "podman":
            raise InvalidRequest("The engine has no GPUs to give; set GPUs to none or optional.")
        with self._translated(spec.image):
            client = self._client()
            return str(client.create_container(**create_arguments(client, spec, info))["Id"])

    def start(self, container: str) -> None:
        """Start a created container."""
        with self._translated("the container"):
            self._client(stream=True).start(container)

    def inspect(self, container: str) -> ContainerState | None:
        """Return its state; None when there is no such container."""
        try:
            with self._translated("the container"):
                return state_of(self._client().inspect_container(container))
        except NotFound:
            return None

    def list_containers(self, labels: dict[str, str]) -> list[ContainerState]:
        """Return containers, running or not, that carry all these labels."""
        with self._translated():
            return [state_in_list(c) for c in self._client().containers(all=True, filters=filters(labels))]

    def wait(self, container: str, timeout: float | None = None) -> int | None:
        """Wait for its end; return the exit code, None after `timeout` seconds."""
        import requests.exceptions

        client = self._connection.fresh(stream=True)
        try:
            with self._translated("the container"):
                try:
                    return int(client.wait(container, timeout=timeout)["StatusCode"])
                except (requests.exceptions.ReadTimeout, requests.exceptions.ConnectionError) as error:
                    if timeout is not None and "timed out" in str(error).lower():
                        return None
                    raise
        except NotFound:
            return 137  # it was removed: killed, as far as anybody can tell
        finally:
            self._connection.forget(client)

    def signal(self, container: str, signum: int) -> None:
        """Signal the container's process group; success when it has already ended."""
        try:
            with self._translated("the container"):
                self._client().kill(container, signal=signum)
        except (NotFound, Conflict):
            return
        except EngineError as error:
            said = f"{error} {error.details.get('engine', '')}"
            if not any(words in said for words in ("is not running", "can only kill running", "improper state")):
                raise

    def stop(self, container: str, grace: float) -> None:
        """Ask it to end, then kill it after `grace` seconds; success when it has ended."""
        try:
            with self._translated("the container"):
                self._client(stream=True).stop(container, timeout=max(0, round(grace)))
        except (NotFound, Conflict):
            return

    def remove(self, container: str, *, force: bool = True) -> None:
        """Remove it; success when it is not there, or is going already."""
        try:
            with self._translated("the container"):
                self._client(stream=True).remove_container(container, force=force, v=True)
        except NotFound:
            return
        except (Conflict, EngineError) as error:
            if "already in progress" not in str(error):
                raise

    def logs(self, container: str, tail: int | None = None) -> bytes:
        """Return what it wrote to stdout and stderr."""
        with self._translated("the container"):
            return bytes(self._client().logs(container, tail="all" if tail is None else tail))

    def follow(self, container: str) -> Iterator[tuple[str, bytes]]:
        """Yield what it writes from the start until it ends."""
        from .attach import BLOCK, frames

        client = self._connection.fresh(stream=True)
        try:
            with self._translated("the container"):
                # An attachment would miss what a quick command wrote before; the log has all of it.
                response = client._get(
                    client._url("/containers/{0}/logs", container),
                    params={"stdout": 1, "stderr": 1, "follow": 1, "tail": "all"},
                    stream=True,
                )
                client._raise_for_status(response)
                if not client.inspect_container(container)["Config"]["Tty"]:
                    yield from frames(response.raw)
                    return
                while chunk := response.raw.read1(BLOCK):
                    yield "out", chunk
        finally:
            self._connection.forget(client)

    @contextmanager
    def attach(self, container: str, *, stdin: bool = False, tty: bool = False) -> Iterator[Attachment]:
        """Give the streams of a created container; nothing of it is lost when it is started afterwards."""
        from .attach import SocketAttachment

        client = self._connection.fresh()
        try:
            attachment = SocketAttachment(
                client, container, stdin=stdin, tty=tty, translated=lambda: self._translated("the container")
            )
            try:
                yield attachment
            finally:
                attachment.close()
        finally:
            self._connection.forget(client)

    def run(
        self, spec: ContainerSpec, *, timeout: float, stdin: bytes | None = None, limit: int = 16 << 20
    ) -> RunResult:
        """Run a short-lived container to its end and remove it, whatever happens."""
        from .attach import Collector

        container = self.create(spec)
        try:
            with self.attach(container, stdin=stdin is not None, tty=spec.tty) as attachment:
                collector = Collector(attachment, stdin=stdin, limit=limit)
                try:
                    self.start(container)
                    code = self.wait(container, timeout)
                    if code is None:
                        self.signal(container, 9)
                        self.wait(container, 10)
                    state = self.inspect(container)
                    collector.end(wait=True)
                finally:
                    collector.end(wait=False)
            return RunResult(
                exit_code=137 if code is None else code,
                output=bytes(collector.kept["out"]),
                errors=bytes(collector.kept["err"]),
                oom_killed=bool(state and state.oom_killed and (code in (None, 137))),
                timed_out=code is None,
            )
        finally:
            self.remove(container)

    def execute(self, container: str, command: tuple[str, ...], *, user: str = "", timeout: float = 30.0) -> RunResult:
        """Run a command inside a running container; what outlives its time goes with the container."""
        from .attach import frames

        kept = {"out": bytearray(), "err": bytearray()}
        late = threading.Event()
        client = self._connection.fresh(stream=True)

        def give_up() -> None:
            late.set()
            self._connection.interrupt(client)

        timer = threading.Timer(timeout, give_up)
        timer.daemon = True
        timer.start()
        try:
            with self._translated("the container"):
                made = client.exec_create(container, list(command), user=user)["Id"]
                # The SDK's own reading knows no time limit.
                response = client._post_json(
                    client._url("/exec/{0}/start", made), data={"Tty": False, "Detach": False}, stream=True
                )
                client._raise_for_status(response)
                for stream, chunk in frames(response.raw):
                    kept[stream] += chunk
                code = None if late.is_set() else self._client().exec_inspect(made)["ExitCode"]
        except ImageManagerError:
            if not late.is_set():
                raise
            code = None
        finally:
            timer.cancel()
            self._connection.forget(client)
        return RunResult(
            137 if code is None else int(code), bytes(kept["out"]), bytes(kept["err"]), timed_out=late.is_set()
        )

    def copy_out(self, image_or_container: str, path: str) -> Iterator[bytes]:
        """Yield the tar of a path inside a container, or inside an image, which is never started for it."""
        made = None
        if self.inspect(image_or_container) is None:
            made = self.create(
                ContainerSpec(image=image_or_container, command=("-",), name="", labels={}, init=False, network="none")
            )
        client = self._connection.fresh(stream=True)
        try:
            with self._translated(path):
                chunks, _ = client.get_archive(made or image_or_container, path)
                yield from chunks
        finally:
            self._connection.forget(client)
            if made is not None:
                self.remove(made)
