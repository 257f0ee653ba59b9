"""Containers in the SDK's words, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .port import ContainerSpec, ContainerState, EngineInfo

if TYPE_CHECKING:
    import docker

LOG_OPTIONS = {"max-size": "10m", "max-file": "2"}
"""A kernel that prints for days must not fill the disk."""

LOG_DRIVER = "local"
"""Keeps bytes as they are; ``json-file`` would replace all that is no UTF-8."""


def create_arguments(client: docker.APIClient, spec: ContainerSpec, info: EngineInfo) -> dict[str, Any]:
    """Return the arguments of the SDK's ``create_container`` for a container of ours.

    Everything is denied that the specification does not ask for: no privileges, no capabilities.
    """
    import docker.types

    security = ["no-new-privileges"]
    if any("selinux" in option for option in info.security_options):
        # Relabelling the user's folder would change it for everybody else.
        security.append("label=disable")
    host: dict[str, Any] = {
        "cap_drop": ["ALL"],
        "cap_add": list(spec.cap_add) or None,
        "security_opt": security,
        "init": spec.init,
        "network_mode": spec.network,
        "read_only": spec.read_only,
        "tmpfs": dict(spec.tmpfs) or None,
        "mounts": [
            docker.types.Mount(target=bind.target, source=bind.source, type="bind", read_only=bind.read_only)
            for bind in spec.binds
        ],
        "group_add": list(spec.groups) or None,
        "mem_limit": spec.memory,
        # Swap would only make a kernel that is out of memory slow before it dies.
        "memswap_limit": spec.memory,
        "nano_cpus": int(spec.cpus * 1e9) if spec.cpus else None,
        "pids_limit": spec.processes,
        "shm_size": spec.shm_size,
        "port_bindings": dict.fromkeys(spec.ports, ("127.0.0.1", None)) or None,
        "log_config": docker.types.LogConfig(type=LOG_DRIVER, config=LOG_OPTIONS) if info.kind == "docker" else None,
    }
    request = spec.gpus
    if request.kind != "none":
        host["device_requests"] = [
            docker.types.DeviceRequest(
                count={"all": -1, "count": request.count}.get(request.kind, 0),
                device_ids=list(request.ids),
                capabilities=[["gpu"]],
            )
        ]
    environment = dict(spec.environment)
    if spec.init:
        # Then docker-init passes a signal to the kernel's process group, so that its children hear it too.
        environment["TINI_KILL_PROCESS_GROUP"] = "1"
    return {
        "image": spec.image,
        "command": list(spec.command) or None,
        "name": spec.name,
        "labels": dict(spec.labels),
        "entrypoint": None if spec.entrypoint is None else list(spec.entrypoint) or "",
        "user": spec.user or None,
        "environment": environment,
        "working_dir": spec.working_dir or None,
        "hostname": spec.hostname or None,
        "ports": list(spec.ports) or None,
        "stdin_open": spec.stdin,
        "tty": spec.tty,
        "host_config": client.create_host_config(**{key: value for key, value in host.items() if value is not None}),
    }


def state_of(found: dict[str, Any]) -> ContainerState:
    """Return what ``inspect`` says of a container."""
    state = found.get("State") or {}
    ports: dict[int, int] = {}
    for port, bindings in ((found.get("NetworkSettings") or {}).get("Ports") or {}).items():
        if bindings:
            ports[int(port.split("/")[0])] = int(bindings[0]["HostPort"])
    status = str(state.get("Status") or ("running" if state.get("Running") else "exited"))
    ended = status in ("exited", "dead")
    return ContainerState(
        id=found["Id"],
        name=str(found.get("Name", "")).lstrip("/"),
        image_id=str(found.get("Image", "")),
        status=status,
        exit_code=int(state["ExitCode"]) if ended and "ExitCode" in state else None,
        oom_killed=bool(state.get("OOMKilled")),
        error=str(state.get("Error") or ""),
        pid=int(state.get("Pid") or 0),
        started=str(state.get("StartedAt") or ""),
        finished=str(state.get("FinishedAt") or ""),
        labels=dict((found.get("Config") or {}).get("Labels") or {}),
        ports=ports,
    )


def state_in_list(found: dict[str, Any]) -> ContainerState:
    """Return what the list of containers says: enough to count and to recognise, for one call in all."""
    from datetime import datetime, timezone

    created = datetime.fromtimestamp(int(found.get("Created") or 0), timezone.utc)
    return ContainerState(
        id=found["Id"],
        name=str((found.get("Names") or [""])[0]).lstrip("/"),
        image_id=str(found.get("ImageID", "")),
        status=str(found.get("State", "")),
        exit_code=None,
        oom_killed=False,
        error="",
        pid=0,
        started=created.isoformat().replace("+00:00", "Z"),
        finished="",
        labels=dict(found.get("Labels") or {}),
        ports={int(p["PrivatePort"]): int(p["PublicPort"]) for p in found.get("Ports") or [] if p.get("PublicPort")},
    )
