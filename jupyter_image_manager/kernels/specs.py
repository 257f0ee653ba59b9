"""Kernelspecs: ours for clients without a Jupyter server, and those that images bring along (R40, R43)."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import InvalidRequest
from ..models import Image

MARK = "image_manager"
"""Key in a kernelspec's metadata by which ours are told from others'."""

NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


def kernelspec(display_name: str, project_dir: str | None) -> dict[str, Any]:
    """Return the kernel.json whose command starts the kernel in the image of its folder's project."""
    argv = [sys.executable, "-m", "jupyter_image_manager.kernels.launch", "-f", "{connection_file}"]
    if project_dir is not None:
        argv += ["--project", project_dir]
    return {
        "argv": argv,
        "display_name": display_name,
        "language": "python",
        "interrupt_mode": "signal",
        "metadata": {
            "debugger": True,
            MARK: {"project": project_dir},
            # Our own provisioner would start the kernel in the image a second time, around the first.
            "kernel_provisioner": {"provisioner_name": "local-provisioner"},
        },
    }


def install(project_dir: str | Path | None = None, name: str | None = None, prefix: str | Path | None = None) -> Path:
    """Write a kernelspec for nbclient, papermill, nbconvert, VS Code and ``jupyter console``.

    Parameters
    ----------
    project_dir : str or Path, optional
        Bind it to one project; by default the kernel's working directory decides.
    name : str, optional
        Name of the kernelspec; default ``project-image``, or the project folder's name.
    prefix : str or Path, optional
        Write below ``PREFIX/share/jupyter/kernels`` instead of the user's folder.

    Returns
    -------
    Path
        The folder of the kernelspec.

    Raises
    ------
    InvalidRequest
        The name cannot be a kernelspec's.
    """
    project = str(Path(project_dir).expanduser().resolve()) if project_dir is not None else None
    if name is None:
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(project).name).strip("-").lower() if project else "project-image"
        name = name or "project-image"
    if not NAME.fullmatch(name):
        raise InvalidRequest(
            f"{name!r} is no name for a kernelspec; use letters, digits, dots, dashes and underscores."
        )
    from jupyter_client.kernelspec import KernelSpecManager

    title = f"Python ({Path(project).name})" if project else "Python (project image)"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "kernel.json").write_text(json.dumps(kernelspec(title, project), indent=1))
        where = KernelSpecManager().install_kernel_spec(
            folder, kernel_name=name, user=prefix is None, prefix=str(prefix) if prefix else None
        )
    return Path(where)


def of_image(image: Image) -> dict[str, dict[str, Any]]:
    """Return the kernelspecs of other languages that an image brings, by name."""
    found = image.report.kernelspecs if image.report else {}
    return {
        name: spec
        for name, spec in found.items()
        if NAME.fullmatch(name) and str(spec.get("language", "python")).lower() != "python" and spec.get("argv")
    }


def publish(folder: Path, images: Iterable[Image]) -> bool:
    """Make the languages of the active images visible to servers: one kernelspec a name, in our data folder.

    The server extension adds the folder to ``KernelSpecManager.kernel_dirs``; the argv is replaced at the start
    by that of the project's own image. Return whether anything changed.
    """
    wanted: dict[str, dict[str, Any]] = {}
    for image in images:
        for name, spec in of_image(image).items():
            wanted.setdefault(
                name,
                {
                    "argv": [str(word) for word in spec["argv"]],
                    "display_name": str(spec.get("display_name", name)),
                    "language": str(spec["language"]),
                    "interrupt_mode": str(spec.get("interrupt_mode", "signal")),
                    "metadata": {MARK: {"image": image.spec}},
                },
            )
    folder.mkdir(parents=True, exist_ok=True)
    changed = False
    for name, content in wanted.items():
        place, text = folder / name / "kernel.json", json.dumps(content, indent=1, sort_keys=True)
        if not place.is_file() or place.read_text() != text:
            place.parent.mkdir(exist_ok=True)
            partial = place.with_suffix(".partial")
            partial.write_text(text)
            partial.replace(place)
            changed = True
    for place in folder.iterdir():
        if place.is_dir() and place.name not in wanted:
            shutil.rmtree(place, ignore_errors=True)
            changed = True
    return changed
