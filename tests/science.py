"""An image of the scientific kind, and the example's notebook: what people really run."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from pathlib import Path

from jupyter_image_manager.engine.port import BuildSpec, Engine
from jupyter_image_manager.errors import ImageNotFound
from machine import bases

EXAMPLE = Path(__file__).parents[1] / "examples" / "churn-model"
PIP = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
PACKAGES = " ".join((EXAMPLE / "requirements.txt").read_text().split())
SCIENTIFIC = f"RUN pip install -q --no-cache-dir {PACKAGES} ipywidgets\n"
"""What the example needs, with widgets."""
CHURN = 'ENV CHURN_MODEL="logistic regression, by hand"\n'
"""What the example's Dockerfile says beside its packages."""


def build(engine: Engine, dockerfile: str, tag: str, labels: dict[str, str]) -> str:
    """Build a Dockerfile that copies nothing; return the engine's id."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(dockerfile.encode())
        archive.addfile(member, io.BytesIO(dockerfile.encode()))
    spec = BuildSpec(tag=tag, dockerfile="Dockerfile", labels=labels, build_args={}, environment=PIP)
    return next(p.image_id for p in engine.build(spec, [stream.getvalue()]) if p.kind == "image")


def kept_base(engine: Engine, python: str, slow: str) -> str:
    """Return a base that took long to make; it stays in the engine for the next run of the tests."""
    dockerfile = f"FROM {bases.base_image(python)}\nUSER root\n{slow}"
    held = engine.inspect_image(bases.base_image(python)).id
    tag = f"jim-test/kernels-base:{hashlib.sha256(f'{held}{dockerfile}'.encode()).hexdigest()[:16]}"
    try:
        engine.inspect_image(tag)
    except ImageNotFound:
        build(engine, dockerfile, tag, {})
    return tag


def write_example(folder: Path, kernel_name: str = "python3") -> None:
    """Put the example's notebook and its data into a folder, without its results; the owner becomes the folder's."""
    for name in ("churn.ipynb", "customers.csv"):
        shutil.copyfile(EXAMPLE / name, folder / name)
        if os.getuid() == 0:
            owner = folder.stat()
            os.chown(folder / name, owner.st_uid, owner.st_gid)
    notebook = folder / "churn.ipynb"
    notebook.write_text(notebook.read_text().replace('"name": "python3"', f'"name": "{kernel_name}"'))
