"""Start of a project whose image is not on the machine, over the engine's own pull and then the same start (≤ 1.05).

Both up to the answer of one cell, in turn, from a registry on loopback that was not asked for this image's layers yet.
The layers are random bytes, which no compression makes smaller; before each turn the engine forgets them.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from first_result import PROVISIONER, Server, first_result, write_spec
from ipykernel.kernelspec import make_ipkernel_cmd
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.provisioning.factory import KernelProvisionerFactory

from harness import ACTOR, Result, built, timed, workplace
from jupyter_image_manager.models import BuildRequest, Storage
from machine.bases import base_image
from machine.cli import docker_cli
from tests import registries

LAYERS, MEGABYTES = 4, 100
RUNS = 3


async def in_turn(
    project: Path, pinned: str, engine_image: str, server: Server, specs: KernelSpecManager
) -> list[float]:
    """Return the medians of the bare pull with a start after it, of that start alone, and of the start that pulls."""
    seconds: list[list[float]] = [[], [], []]
    for turn in range(RUNS + 1):
        forget(engine_image)
        pull = timed(lambda: brought(pinned))
        start = await first_result(project, "local", specs, {}, server, "True")
        forget(engine_image)
        ours = await first_result(project, "local", specs, {}, server, "True")
        if turn:  # the first is not counted
            for kept, value in zip(seconds, (pull + start, start, ours), strict=True):
                kept.append(value)
    return [statistics.median(values) for values in seconds]


def brought(pinned: str) -> None:
    """Let the engine's own command pull the image."""
    subprocess.run(docker_cli("pull", "-q", pinned), check=True, capture_output=True)


def forget(engine_image: str) -> None:
    """Take the image from the machine; success when it is not there."""
    subprocess.run(docker_cli("rmi", "--force", engine_image), check=False, capture_output=True)


def measure() -> list[Result]:
    """Push one image through us, and start a kernel in it again and again."""
    # The classic builder: what BuildKit keeps in its cache would not be pulled again.
    with TemporaryDirectory(prefix="jim-bench-") as name, workplace(DockerEngine={"builder": "classic"}) as place:
        manager, project = place
        scratch = Path(name).resolve()
        with registries.running(scratch / "registry") as registry:
            community = manager.communities.of(project)
            manager.communities.update(ACTOR, community.id, registry_host=registry.address, namespace="bench")
            manager.communities.set_agent(ACTOR, community.id, "agent", "secret")
            random = "".join(f"RUN head -c {MEGABYTES}M /dev/urandom > /layer{n}\n" for n in range(LAYERS))
            dockerfile = f"FROM {base_image('3.11')}\nRUN useradd --create-home --uid 1000 jupyter\n{random}"
            request = BuildRequest(
                name="timed", dockerfile_text=dockerfile, storage=Storage.REGISTRY, activate=True, no_cache=True
            )
            _, image = built(manager, project, request)
            write_spec(scratch / "kernels", "local", make_ipkernel_cmd())
            specs = KernelSpecManager(kernel_dirs=[str(scratch / "kernels")], ensure_native_kernel=False)
            KernelProvisionerFactory.instance().default_provisioner_name = PROVISIONER
            bare, start, ours = asyncio.run(
                in_turn(Path(project.path), image.pinned, image.engine_image, Server(manager), specs)
            )
            forget(image.engine_image)
        detail = f"{ours:.2f} s over {bare:.2f} s, of which the start {start:.2f} s; {LAYERS * MEGABYTES} MB of layers"
        return [Result("start of an image not on the machine", ours / bare, 1.05, detail=detail)]
