"""Why a kernel is gone, in words for the person in front of the notebook (R43)."""

from __future__ import annotations

import signal

from ..engine.port import ContainerState
from ..models import KernelDeath

KILLED = 128 + signal.SIGKILL


def decisive_line(log: bytes, limit: int = 300) -> str:
    """Return the line of a container's output that says why it ended; empty when it said nothing."""
    lines = [line.strip() for line in log.decode("utf-8", "replace").splitlines() if line.strip()]
    ours = [line for line in lines if line.startswith("jupyter-image-manager: ")]
    if ours:
        return ours[-1].removeprefix("jupyter-image-manager: ")[:limit]
    return lines[-1][:limit] if lines else ""


def explain(
    kernel_id: str,
    state: ContainerState | None,
    *,
    memory: int | None,
    log: bytes = b"",
    exit_code: int | None = None,
    asked: bool = False,
) -> KernelDeath:
    """Return why the kernel ended.

    Parameters
    ----------
    kernel_id : str
        The kernel.
    state : ContainerState or None
        Its container as it is now; None when somebody removed it.
    memory : int or None
        The memory limit it ran under, in bytes.
    log : bytes
        The end of what it wrote.
    exit_code : int, optional
        What was last known, when the container is gone.
    asked : bool
        Whether we ended it ourselves.
    """
    if state is None:
        return KernelDeath(
            kernel_id,
            "removed",
            "The kernel's container was removed from outside, by somebody or something with access to the engine; "
            "restart the kernel.",
            exit_code,
        )
    code = state.exit_code if state.exit_code is not None else exit_code
    if code == KILLED and not asked and (state.oom_killed or memory is not None):
        # Podman and cgroup v2 without memory events do not say that memory was the reason: under a limit,
        # a SIGKILL that nobody here sent has no likelier one.
        limit = f" of {_size(memory)}" if memory else ""
        sure = "" if state.oom_killed else " very probably"
        return KernelDeath(
            kernel_id,
            "out_of_memory",
            f"The kernel was{sure} killed because it used more memory than its limit{limit}; load less data "
            "at once, or raise the memory in the project's run settings.",
            code,
        )
    if state.oom_killed and code == KILLED:
        return KernelDeath(kernel_id, "out_of_memory", "The kernel was killed because memory ran out.", code)
    said = decisive_line(log)
    tail = f" Its last line was: {said}" if said else ""
    if code is not None and 128 < code < 128 + 65:
        name = _signal_name(code - 128)
        why = {
            "SIGSEGV": "compiled code in it touched memory that is not its own (segmentation fault)",
            "SIGBUS": "it ran out of shared memory or touched a file that had been cut; raise the shared memory in the "
            "project's run settings",
            "SIGABRT": "compiled code in it gave up",
            "SIGFPE": "compiled code in it divided by zero",
            "SIGILL": "compiled code in it uses instructions that this processor does not have",
            "SIGKILL": "somebody or the system killed it",
            "SIGTERM": "somebody asked it to end",
        }.get(name, f"it received {name}")
        return KernelDeath(kernel_id, "signal", f"The kernel died: {why} ({name}).{tail}", code)
    if state.error:
        return KernelDeath(
            kernel_id, "engine", f"The engine could not run the kernel: {state.error.rstrip('.')}.", code
        )
    if code == 0:
        return KernelDeath(kernel_id, "exit", "The kernel ended by itself (exit code 0).", code)
    return KernelDeath(kernel_id, "exit", f"The kernel ended with exit code {code}.{tail}", code)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _size(value: int) -> str:
    return f"{value / (1 << 30):.3g} GiB" if value >= 1 << 30 else f"{value / (1 << 20):.3g} MiB"
