"""A kernel as a container: what is mounted, who runs it, what it may use."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..engine.port import LABEL, Bind, ContainerSpec, EngineInfo
from ..errors import KernelStartError
from ..models import GpuRequest, RunSettings

RUNTIME_TARGET = "/.jupyter-image-manager/runtime"
PYCACHE_TARGET = "/.jupyter-image-manager/pycache"
MEMORY_MINIMUM = 32 << 20
"""Below this no Python starts, so the engine's own minimum of 6 MiB would only make a riddle of it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The administrator's defaults and bounds for run settings."""

    memory: int | None = None
    cpus: float | None = None
    processes: int = 4096
    shm_size: int | None = None
    networks: tuple[str, ...] = ("bridge", "none")
    mounts: tuple[str, ...] = ()  # folders of this machine below which extra mounts may lie
    max_memory: int | None = None
    max_cpus: float | None = None


@dataclass(frozen=True, slots=True)
class Resources:
    """Run settings as the engine will really apply them."""

    memory: int | None
    cpus: float | None
    processes: int | None
    shm_size: int | None
    gpus: GpuRequest
    network: str
    binds: tuple[Bind, ...] = ()
    notes: tuple[str, ...] = field(default=())


def resources(settings: RunSettings, limits: Limits, info: EngineInfo) -> Resources:
    """Turn run settings into what the engine will be asked for (R46).

    Raises
    ------
    KernelStartError
        The first setting that cannot be met, with its reason.
    """
    memory = settings.memory if settings.memory is not None else limits.memory
    if memory is not None:
        if memory < MEMORY_MINIMUM:
            raise KernelStartError(
                f"The project's memory limit of {_size(memory)} is too small for a kernel; "
                f"set at least {_size(MEMORY_MINIMUM)} in its run settings."
            )
        top = min(m for m in (limits.max_memory, info.memory or None, 1 << 62) if m)
        if memory > top:
            raise KernelStartError(
                f"The project's memory limit of {_size(memory)} is more than the {_size(top)} that may be used here; "
                "lower it in its run settings."
            )
    cpus = settings.cpus if settings.cpus is not None else limits.cpus
    if cpus is not None:
        most = min(c for c in (limits.max_cpus, float(info.cpus) or None, float(1 << 20)) if c)
        if not 0.01 <= cpus <= most:
            raise KernelStartError(
                f"The project asks for {cpus:g} CPUs and {most:g} are there; change it in its run settings."
            )
    processes: int | None = settings.processes if settings.processes is not None else limits.processes
    if processes is not None and processes < 32:
        raise KernelStartError(
            f"The project's limit of {processes} processes is too small for a kernel, which needs its threads; "
            "set at least 32 in its run settings."
        )
    shm_size = settings.shm_size if settings.shm_size is not None else limits.shm_size
    if shm_size is not None and memory is not None and shm_size > memory:
        raise KernelStartError(
            f"The project's shared memory of {_size(shm_size)} is more than its memory limit of {_size(memory)}; "
            "change one of them in its run settings."
        )
    if settings.network not in limits.networks:
        raise KernelStartError(
            f"The project asks for the network {settings.network!r}, which the administrator does not allow "
            f"(allowed: {', '.join(limits.networks)}); change it in its run settings."
        )
    gpus, notes = _gpus(settings.gpus, info)
    for name in info.unlimited:
        if getattr(settings, name) is not None:
            raise KernelStartError(
                f"The project limits {'CPUs' if name == 'cpus' else name}, and the engine at {info.address} cannot; "
                f"take {name} out of its run settings, or let the engine (`jupyter image doctor` says how)."
            )
    # The administrator's defaults are for engines that can.
    memory = None if "memory" in info.unlimited else memory
    cpus = None if "cpus" in info.unlimited else cpus
    processes = None if "processes" in info.unlimited else processes
    return Resources(
        memory, cpus, processes, shm_size, gpus, settings.network, _extra_mounts(settings, limits.mounts), notes
    )


def _gpus(request: GpuRequest, info: EngineInfo) -> tuple[GpuRequest, tuple[str, ...]]:
    if request.kind == "none" or info.gpus:
        return request, ()
    if request.optional:
        return GpuRequest(), ("The engine has no GPUs, so the kernel runs without.",)
    raise KernelStartError(
        f"The project asks for GPUs and the engine at {info.address} offers none; install the NVIDIA container "
        "toolkit there, or set GPUs to `none` or optional in the project's run settings."
    )


def _extra_mounts(settings: RunSettings, allowed: Iterable[str]) -> tuple[Bind, ...]:
    roots = [Path(root).resolve() for root in allowed]
    binds = []
    for mount in settings.mounts:
        source = Path(mount.source)
        real = source.resolve()
        if not any(real == root or root in real.parents for root in roots):
            raise KernelStartError(
                f"The project wants to mount {mount.source}, which is not below a folder that the administrator "
                "allows; add it to KernelService.allowed_mounts or remove the mount from the run settings."
            )
        if not real.exists():
            raise KernelStartError(
                f"The project wants to mount {mount.source}, which does not exist; change its run settings."
            )
        if not mount.target.startswith("/") or mount.target == "/" or ".." in Path(mount.target).parts:
            raise KernelStartError(
                f"{mount.target!r} is no place for a mount; name an absolute path in the project's run settings."
            )
        binds.append(Bind(str(real), mount.target, mount.read_only))
    return tuple(binds)


def _size(value: int) -> str:
    for unit, name in ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB")):
        if value >= unit:
            return f"{value / unit:.3g} {name}"
    return f"{value} bytes"


def merge_binds(binds: Iterable[Bind]) -> tuple[Bind, ...]:
    """Return the binds, outer targets first, one for each target; the first one named wins."""
    by_target: dict[str, Bind] = {}
    for bind in binds:
        by_target.setdefault(str(Path(bind.target)), bind)
    return tuple(by_target[target] for target in sorted(by_target, key=lambda t: (t.count("/"), t)))


def kernel_labels(installation: str, project_id: str, image_id: str, kernel_id: str, owner: str) -> dict[str, str]:
    """Return the labels by which a kernel's container is found again."""
    return {
        f"{LABEL}.installation": installation,
        f"{LABEL}.project": project_id,
        f"{LABEL}.image": image_id,
        f"{LABEL}.kernel": kernel_id,
        f"{LABEL}.role": "kernel",
        f"{LABEL}.owner": owner,
    }


def container_name(role: str, wanted: str) -> str:
    """Return a name that no earlier container of the same kernel can still hold."""
    return f"jupyter-image-manager-{role}-{wanted[:8]}-{secrets.token_hex(3)}"


def apply(spec: ContainerSpec, found: Resources) -> ContainerSpec:
    """Return the container with the project's resources."""
    return replace(
        spec,
        memory=found.memory,
        cpus=found.cpus,
        processes=found.processes,
        shm_size=found.shm_size,
        gpus=found.gpus,
        network=found.network,
        binds=merge_binds((*spec.binds, *found.binds)),
    )
