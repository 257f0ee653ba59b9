"""What kernels of an image need from outside, made once: the runtime, and compiled modules of a kernel's start.

Official Python images carry no compiled standard library, and the user of a kernel may not write one there:
each start would compile two hundred modules. So the kernel is started once until it could answer, in a container
without network, with a cache folder that later kernels of this very image mount read-only.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from ..engine.port import LABEL, Bind, ContainerSpec, Engine
from ..errors import EngineUnavailable, ImageManagerError
from ..processes import ProcessIdentity
from . import container, launcher, runtime
from .runtime import ImageFacts

SPACE = "/.jupyter-image-manager/warm"
TIMEOUT = 120.0


def prepare(
    engine: Engine, data: Path, image: str, report: ImageFacts, installation: str, log: logging.Logger
) -> tuple[Path | None, Path | None]:
    """Return the folders of the runtime, None when the image has its own ipykernel, and of the compiled modules.

    Raises
    ------
    KernelStartError
        The runtime cannot be fetched. A cache that cannot be made only costs time.
    """
    rootless = engine.info().rootless
    user = "0:0" if rootless or os.getuid() == 0 else f"{os.getuid()}:{os.getgid()}"
    plain = ContainerSpec(
        image=image,
        command=(),
        name="",
        labels={
            f"{LABEL}.installation": installation,
            f"{LABEL}.role": "check",
            f"{LABEL}.owner": str(ProcessIdentity.current()),
        },
        user=user,
        environment={"HOME": "/tmp"},  # noqa: S108 - a tmpfs of the container's own
        working_dir="/tmp",  # noqa: S108
        tmpfs={"/tmp": "rw,mode=1777,size=64m"},  # noqa: S108
        network="none",
        read_only=True,
    )

    def compile_runtime(folder: Path) -> None:
        python = report.python_path or "python3"
        spec = replace(
            plain,
            name=container.container_name("check", "compile"),
            command=(python, "-m", "compileall", "-q", "-j2", container.RUNTIME_TARGET),
            binds=(Bind(str(folder), container.RUNTIME_TARGET),),
        )
        _quietly(engine, spec, log)

    brought = None
    if not report.ipykernel:
        brought = runtime.ensure(runtime.RuntimeKey.of(report), data / "runtimes", compile_runtime)
    cache = data / "pycache" / image.removeprefix("sha256:")
    if not cache.is_dir():
        _warm(engine, plain, report, brought, cache, log)
    return brought, cache if cache.is_dir() else None


def _warm(
    engine: Engine, plain: ContainerSpec, report: ImageFacts, brought: Path | None, cache: Path, log: logging.Logger
) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with cache.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if cache.is_dir():
            return
        folder = Path(tempfile.mkdtemp(prefix=".warm-", dir=cache.parent))
        try:
            made, boot = folder / "pycache", folder / "boot"
            made.mkdir()
            boot.mkdir()
            shutil.copyfile(launcher.BOOT, boot / "boot.py")
            said = launcher.boot_settings(["-f", "/tmp/warm.json"], runtime=brought is not None, warm=True)  # noqa: S108
            (boot / "boot.json").write_text(json.dumps(said))
            binds = [Bind(str(made), container.PYCACHE_TARGET), Bind(str(boot), SPACE)]
            if brought is not None:
                binds.append(Bind(str(brought), container.RUNTIME_TARGET, True))
            spec = replace(
                plain,
                name=container.container_name("check", "warm"),
                command=(*launcher.interpreter(report, cached=True), f"{SPACE}/boot.py"),
                binds=tuple(binds),
            )
            if _quietly(engine, spec, log):
                made.chmod(0o755)
                made.rename(cache)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _quietly(engine: Engine, spec: ContainerSpec, log: logging.Logger) -> bool:
    """Run something that only saves time; a kernel starts without it too."""
    try:
        result = engine.run(spec, timeout=TIMEOUT)
    except EngineUnavailable:
        raise
    except ImageManagerError as error:
        log.debug("Kernels of %s start slower: %s", spec.image, error)
        return False
    if result.exit_code:
        log.debug("Kernels of %s start slower: %s", spec.image, result.errors.decode("utf-8", "replace")[-500:])
    return result.exit_code == 0


def forget(data: Path, image: str) -> None:
    """Remove what was made for an image that is deleted."""
    for path in (data / "pycache" / image.removeprefix("sha256:"), data / "accounts" / image.removeprefix("sha256:")):
        shutil.rmtree(path, ignore_errors=True)
