"""First result of a kernel: from "start" to the answer of ``1 + 1``.

A local kernel of this environment, a kernel in an image through us (no spare ready), and the same image through
the tools that run kernels in containers today, each by its own code and kernelspec, all in turn in one run. A tool
whose package is not installed (``requirements/bench.txt``) fails the benchmark.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory

from harness import ACTOR, Result, built, workplace
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


async def first_result(cwd: Path, spec: str, specs: KernelSpecManager, environment: dict[str, str]) -> float:
    """Start a kernel, wait for the answer of one cell, shut it down; return the seconds up to the answer."""
    manager = AsyncKernelManager(kernel_name=spec, kernel_spec_manager=specs)
    begin = perf_counter()
    await manager.start_kernel(cwd=str(cwd), env=os.environ | environment)
    client = manager.client()
    client.start_channels()
    try:
        while True:
            asked = client.execute("1 + 1")
            try:
                while True:
                    message: dict[str, Any] = await client.get_iopub_msg(timeout=0.5)
                    if message["msg_type"] == "execute_result" and message["parent_header"]["msg_id"] == asked:
                        return perf_counter() - begin
            except Exception as error:  # queue.Empty of three kinds: the sockets were not bound yet, so ask again
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
    write_spec(folder, "local", [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"])
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


async def run_in_turn(cases: dict[str, tuple[Path, str, dict[str, str]]], specs: KernelSpecManager) -> dict[str, float]:
    """Run the cases A B C A B C …, so that a drift of the machine hits all; return the median of each.

    One event loop for all: gateway_provisioners listens for its kernels on the first it sees. One round more is
    run first and not counted.
    """
    factory = KernelProvisionerFactory.instance()
    seconds: dict[str, list[float]] = {case: [] for case in cases}
    for turn in range(RUNS + 1):
        for case, (cwd, spec, environment) in cases.items():
            factory.default_provisioner_name = PROVISIONER if case == "ours" else "local-provisioner"
            took = await first_result(cwd, spec, specs, environment)
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
        ours = {"JUPYTER_DATA_DIR": str(Path(manager.data_dir).parent)}
        cases = {"local": (outside, "local", {}), "ours": (Path(project.path), "local", ours)}
        for other in OTHERS:
            cases[other] = (outside, other, {"KERNEL_USERNAME": "jupyter"})
        took = asyncio.run(run_in_turn(cases, specs))
        assert manager.kernels.list(ACTOR, project.id) == []
        told = ", ".join(f"{case} {value:.2f} s" for case, value in took.items())
        return [Result("first result over a local kernel", took["ours"] / took["local"], 1.25, detail=told)] + [
            Result(f"first result over {other}", took["ours"] / took[other], 0.999) for other in OTHERS
        ]
