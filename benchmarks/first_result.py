"""First result of a kernel: from "start" to the answer of one cell.

A local kernel of this environment, a kernel in an image through us (no spare ready), and the same image through
the tools that run kernels in containers today, each by its own code and kernelspec, all in turn in one run. A tool
whose package is not installed (``requirements/bench.txt``) fails the benchmark.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import socket
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from types import SimpleNamespace
from typing import Any

from ipykernel.kernelspec import make_ipkernel_cmd
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from traitlets.config import Configurable

from harness import ACTOR, Result, built, workplace
from jupyter_image_manager.kernels.provisioner import SETTING
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import BuildRequest
from machine.bases import base_image

RUNS = 7
PROVISIONER = "image-provisioner"
OTHERS = ("dockernel", "envkernel", "gateway_provisioners")
# dockernel and gateway_provisioners run what the image starts by itself; one image serves both and us.
DOCKERFILE = """\
FROM {base}
RUN pip install --no-cache-dir ipykernel gateway_provisioners \\
    && jupyter image-bootstrap install --languages=Python \\
    && chmod -R 755 /usr/local/bin/bootstrap-kernel.sh /usr/local/bin/kernel-launchers
CMD if [ -n "$DOCKERNEL_CONNECTION_FILE" ]; \\
    then exec python3 -m ipykernel_launcher -f "$DOCKERNEL_CONNECTION_FILE"; \\
    else exec /usr/local/bin/bootstrap-kernel.sh; fi
"""


class Server(Configurable):
    """Where a kernel's manager finds the service that the server extension made, as in a running server."""

    def __init__(self, manager: ImageManager) -> None:
        super().__init__(config=manager.config)
        self.web_app = SimpleNamespace(settings={SETTING: manager})


async def first_result(
    cwd: Path, spec: str, specs: KernelSpecManager, environment: dict[str, str], server: Server, inside: str
) -> float:
    """Start a kernel, wait for the answer of one cell, shut it down; return the seconds up to the answer.

    `inside` is what the cell must say: whether it runs on another host, a container, than this process.
    """
    manager = AsyncKernelManager(kernel_name=spec, kernel_spec_manager=specs, parent=server)
    begin = perf_counter()
    await manager.start_kernel(cwd=str(cwd), env=os.environ | environment)
    client = manager.client()
    client.start_channels()
    try:
        while True:
            asked = client.execute(f"__import__('socket').gethostname() != {socket.gethostname()!r}")
            try:
                while True:
                    message: dict[str, Any] = await client.get_iopub_msg(timeout=0.5)
                    if message["msg_type"] == "execute_result" and message["parent_header"]["msg_id"] == asked:
                        took = perf_counter() - begin
                        if message["content"]["data"]["text/plain"] != inside:
                            raise RuntimeError(f"{spec} in {cwd} does not run where it should")
                        return took
            except queue.Empty as error:  # the sockets were not bound yet, so ask again
                if not await manager.is_alive() or perf_counter() - begin > 60:
                    raise RuntimeError(f"no answer from {spec} in {cwd}") from error
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


def write_spec(folder: Path, name: str, argv: list[str], **more: object) -> None:
    """Write a kernelspec as the tool's own installer writes it."""
    place = folder / name
    place.mkdir(parents=True)
    place.joinpath("kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": name, "language": "python", **more}), encoding="utf-8"
    )


def write_specs(folder: Path, image: str) -> None:
    """Write the kernelspecs of the local kernel and of the other tools."""
    kernel = ["python3", "-m", "ipykernel_launcher", "-f"]
    write_spec(folder, "local", make_ipkernel_cmd())
    write_spec(
        folder,
        "dockernel",
        [sys.executable, "-m", "dockernel", "start", image, "{connection_file}"],
        interrupt_mode="message",
    )
    write_spec(
        folder,
        "envkernel",
        [
            *(str(Path(sys.executable).with_name("envkernel")), "docker", "run"),
            *("--connection-file", "{connection_file}", image, "--", *kernel, "{connection_file}"),
        ],
    )
    environment = os.environ | {"JUPYTER_DATA_DIR": str(folder.parent), "JUPYTER_PREFER_ENV_PATH": "0"}
    command = [str(Path(sys.executable).with_name("jupyter-docker-spec")), "install", "--user"]
    naming = ["--image-name", image, "--kernel-name", "gateway_provisioners"]
    subprocess.run([*command, *naming], env=environment, check=True, capture_output=True)


async def run_in_turn(
    cases: dict[str, tuple[Path, str, dict[str, str]]], specs: KernelSpecManager, server: Server
) -> dict[str, float]:
    """Run the cases A B C A B C …, so that a drift of the machine hits all; return the median of each.

    One event loop for all: gateway_provisioners listens for its kernels on the first it sees. One round more is
    run first and not counted.
    """
    factory = KernelProvisionerFactory.instance()
    seconds: dict[str, list[float]] = {case: [] for case in cases}
    for turn in range(RUNS + 1):
        for case, (cwd, spec, environment) in cases.items():
            factory.default_provisioner_name = PROVISIONER if case == "ours" else "local-provisioner"
            inside = str(case != "local")
            took = await first_result(cwd, spec, specs, environment, server, inside)
            if turn:
                seconds[case].append(took)
    return {case: statistics.median(values) for case, values in seconds.items()}


def measure() -> list[Result]:
    """Measure all in turn in one run."""
    with workplace() as (manager, project), TemporaryDirectory(prefix="jim-bench-") as name:
        scratch = Path(name).resolve()
        Path(project.path, "Dockerfile").write_text(DOCKERFILE.format(base=base_image("3.11")))
        _, image = built(manager, project, BuildRequest(name="timed", activate=True, fix=True))
        write_specs(scratch / "kernels", image.reference)
        specs = KernelSpecManager(kernel_dirs=[str(scratch / "kernels")], ensure_native_kernel=False)
        outside = scratch / "outside"
        outside.mkdir()
        cases: dict[str, tuple[Path, str, dict[str, str]]] = {
            "local": (outside, "local", {}),
            "ours": (Path(project.path), "local", {}),
        }
        for other in OTHERS:
            cases[other] = (outside, other, {"KERNEL_USERNAME": "jupyter"})
        took = asyncio.run(run_in_turn(cases, specs, Server(manager)))
        assert manager.kernels.list(ACTOR, project.id) == []
        told = ", ".join(f"{case} {value:.2f} s" for case, value in took.items())
        return [Result("first result over a local kernel", took["ours"] / took["local"], 1.25, detail=told)] + [
            Result(f"first result over {other}", took["ours"] / took[other], 0.999) for other in OTHERS
        ]
