"""What is in use on the engine's machine, and its GPUs by name, where it is this one. Reads nothing but ``/proc``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
SAME = 0.02
"""Part by which two answers on the memory of one machine may differ: kernels keep a little for themselves."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as run settings name it, and as people do."""

    id: str
    name: str


def memory_in_use(engine_memory: int, proc: Path = PROC) -> int | None:
    """Return the bytes in use on the engine's machine; None where that is another one, or does not say.

    Parameters
    ----------
    engine_memory : int
        Bytes that the engine says its machine has.
    proc : Path
        Where the kernel tells.
    """
    try:
        text = (proc / "meminfo").read_text()
    except OSError:
        return None
    found = {key: int(value) << 10 for key, value in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.M)}
    total, available = found.get("MemTotal", 0), found.get("MemAvailable")
    if not total or available is None or abs(total - engine_memory) > SAME * total:
        return None
    return total - available


def gpus(proc: Path = PROC) -> tuple[Gpu, ...]:
    """Return the GPUs that the driver of this machine names, in the order of their numbers."""
    found = []
    for path in sorted((proc / "driver" / "nvidia" / "gpus").glob("*/information")):
        try:
            said = dict(re.findall(r"^([\w ]+):[ \t]+(\S.*?)\s*$", path.read_text(), re.M))
        except OSError:
            continue  # it went away meanwhile, as a card in a box may
        found.append((said.get("Device Minor", ""), said.get("GPU UUID", ""), said.get("Model", "")))
    found.sort()
    return tuple(
        Gpu(uuid if uuid and "?" not in uuid else str(number), name or f"GPU {number}")
        for number, (_, uuid, name) in enumerate(found)
    )
