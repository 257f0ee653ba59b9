"""Kernels that run in images."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RunningKernel:
    """A kernel that runs in an image now, as found by the labels of its container."""

    kernel_id: str
    project_id: str
    image_id: str
    image: str  # name:version
    container: str
    started: datetime
    notebook: str = ""
    stale: bool = False  # another image is active by now
    state: str = "running"


@dataclass(frozen=True, slots=True)
class KernelDeath:
    """Why a kernel died, in words for the person in front of the notebook (R43)."""

    kernel_id: str
    reason: str  # out_of_memory | signal | exit | engine | removed
    message: str
    exit_code: int | None = None
