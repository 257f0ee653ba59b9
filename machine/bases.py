"""Base images of tests and benchmarks: what `FROM python:3.x` gives, also where Docker Hub is out of reach.

``python -m machine.bases`` makes all of them; the fixtures make what a test asks for. An image carries a
digest of what it was made from, so that a second run only looks that up. Each trusts the certificate
authorities of this machine, as a company's own base images do.

With Docker Hub in reach the official images are taken. Without it, Python is copied out of a pyenv of this machine
onto a root file system of Debian's packages.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import docker
import docker.errors

PREFIX = "jim-test"
LABEL = "org.jupyter.image-manager.test-base"
PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.13")
ALL = (*(f"python:{version}" for version in PYTHONS), "debian:12", "nopython")
EXTRA = ("debian:11",)
CA_BUNDLE = Path(os.environ.get("SSL_CERT_FILE") or "/etc/ssl/certs/ca-certificates.crt")
CA_INSIDE = "/etc/ssl/certs/ca-certificates.crt"
SUITES = {"11": "bullseye", "12": "bookworm"}
# What a CPython of pyenv links against.
LIBRARIES = (
    "ca-certificates,libbz2-1.0,libffi8,liblzma5,libncursesw6,libreadline8,libsqlite3-0,libssl3,libuuid1,libnsl2,"
    "zlib1g,libexpat1,libcrypt1"
)
RECIPE = "1"
"""To be raised when the way in which bases are made changes: all are then made anew."""
DEBIAN_PYTHON = "python3,python3-pip,python3-venv,ca-certificates"


class NoBase(RuntimeError):
    """A base image can be made in no way on this machine; the message says what is missing."""


def reference(name: str) -> str:
    """Return the tag by which the engine holds a base."""
    return f"{PREFIX}/{name}"


def base_image(python: str) -> str:
    """Return the base with a Python version, made if need be; of ``{python}`` all, and the pattern."""
    ensure(*(f"python:{version}" for version in (PYTHONS if python == "{python}" else (python,))))
    return reference(f"python:{python}")


def ensure(*names: str) -> list[str]:
    """Make the bases that are not there yet; return their references."""
    client = docker.APIClient(timeout=None, version="auto")
    try:
        return [_ensure(client, name) for name in names]
    finally:
        client.close()


def _ensure(client: docker.APIClient, name: str) -> str:
    tag = reference(name)
    if _digest_of(client, tag) == _digest(name):
        return tag
    with _lock():
        if _digest_of(client, tag) != _digest(name):
            _make(client, name)
    return tag


def _digest_of(client: docker.APIClient, tag: str) -> str:
    try:
        image = client.inspect_image(tag)
    except docker.errors.ImageNotFound:
        return ""
    return (image["Config"].get("Labels") or {}).get(LABEL, "")


@cache
def _digest(name: str) -> str:
    digest = hashlib.sha256(f"{RECIPE} {name} {LIBRARIES} {DEBIAN_PYTHON}".encode())
    if CA_BUNDLE.is_file():
        digest.update(CA_BUNDLE.read_bytes())
    return digest.hexdigest()


@contextmanager
def _lock() -> Iterator[None]:
    """Let one test run at a time make bases."""
    with (Path(tempfile.gettempdir()) / f"{PREFIX}-bases-{os.getuid()}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(client: docker.APIClient, name: str) -> None:
    kind, _, version = name.partition(":")
    official = {"python": f"python:{version}-slim", "debian": f"debian:{SUITES.get(version)}-slim"}
    wanted = official.get(kind, "debian:bookworm-slim")
    with tempfile.TemporaryDirectory() as temporary:
        context = Path(temporary)
        if CA_BUNDLE.is_file():
            shutil.copy(CA_BUNDLE, context / "ca.crt")
        else:
            (context / "ca.crt").touch()
        lines = []
        if _pulled(client, wanted):
            lines.append(f"FROM {wanted}")
            if kind == "debian":
                lines.append(
                    f"RUN apt-get update && apt-get install -y --no-install-recommends "
                    f"{DEBIAN_PYTHON.replace(',', ' ')} && rm -rf /var/lib/apt/lists/*"
                )
            if CA_BUNDLE.is_file():
                lines.append(f"COPY ca.crt {CA_INSIDE}")
        elif kind == "python":
            libraries = f"{PREFIX}/libraries"
            if _digest_of(client, libraries) != _digest("libraries"):
                _debian(client, "bookworm", LIBRARIES, libraries, _digest("libraries"))
            _copy_pyenv(version, context / "local")
            lines += [
                f"FROM {libraries}",
                "COPY local /usr/local",
                "RUN ldconfig && ln -sf python3 /usr/local/bin/python",
                'CMD ["python3"]',
            ]
        else:
            packages = DEBIAN_PYTHON if kind == "debian" else "ca-certificates"
            _debian(client, SUITES.get(version, "bookworm"), packages, reference(name), _digest(name))
            return
        lines.append(f"LABEL {LABEL}={_digest(name)}")
        (context / "Dockerfile").write_text("\n".join(lines) + "\n")
        _build(client, context, reference(name))


def _pulled(client: docker.APIClient, name: str) -> bool:
    """Tell whether an official image is there, or can be pulled."""
    try:
        client.inspect_image(name)
    except docker.errors.ImageNotFound:
        if not _hub(client):
            return False
        client.pull(name)
    return True


@cache
def _hub(client: docker.APIClient) -> bool:
    """Ask the engine, not this process: it may have a mirror or a proxy of its own."""
    try:
        client.inspect_distribution("debian:bookworm-slim")
    except docker.errors.APIError:
        return False
    return True


def _debian(client: docker.APIClient, suite: str, packages: str, tag: str, digest: str) -> None:
    """Import a root file system made of Debian's packages."""
    program = shutil.which("mmdebstrap")
    if program is None:
        raise NoBase(
            f"{tag} cannot be made: the engine reaches no registry, and there is no mmdebstrap. "
            "Run machine/system-packages."
        )
    hook = f'if [ -e "{CA_BUNDLE}" ] && [ -d "$1/etc/ssl/certs" ]; then cp "{CA_BUNDLE}" "$1{CA_INSIDE}"; fi'
    with tempfile.TemporaryDirectory() as temporary:
        archive = Path(temporary) / "root.tar"
        subprocess.run(
            [
                program,
                "--quiet",
                "--variant=apt",
                f"--include={packages}",
                "--dpkgopt=path-exclude=/usr/share/doc/*",
                "--dpkgopt=path-exclude=/usr/share/man/*",
                "--dpkgopt=path-exclude=/usr/share/locale/*",
                '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/* "$1"/var/log/*',
                f"--customize-hook={hook}",
                suite,
                str(archive),
                _mirror(),
            ],
            check=True,
        )
        repository, _, version = tag.partition(":")
        client.import_image_from_file(
            str(archive),
            repository=repository,
            tag=version or "latest",
            changes=["ENV LANG=C.UTF-8", f"LABEL {LABEL}={digest}"],
        )


def _mirror() -> str:
    """Return the Debian mirror of this machine's own apt sources."""
    for path in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]:
        if path.is_file():
            for address in re.findall(r"https?://[^\s\]]+/debian/?(?=\s)", path.read_text(errors="replace")):
                line = next(line for line in path.read_text(errors="replace").splitlines() if address in line)
                if not line.lstrip().startswith("#"):
                    return address
    return "http://deb.debian.org/debian"


def _copy_pyenv(version: str, target: Path) -> None:
    """Copy one CPython as the official images have it: with pip, without tests, tk and other packages."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = sorted((root / "versions").glob(f"{version}.*"), key=lambda path: [int(n) for n in path.name.split(".")])
    if not found:
        raise NoBase(
            f"There is no Python {version} for {reference(f'python:{version}')}: let the engine reach Docker Hub "
            f"or a mirror of it, or run `pyenv install {version}`."
        )
    source = found[-1]
    unwanted = re.compile(r"(^|/)(test|tests|__pycache__|idlelib|tkinter|turtledemo|lib2to3|_tkinter[^/]*|[^/]*\.a)$")
    installers = ("pip", "setuptools", "wheel", "pkg_resources", "_distutils_hack", "distutils-precedence.pth")
    packages = f"lib/python{version}/site-packages/"

    def wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if unwanted.search(member.name):
            return None
        if member.name.startswith(packages):
            top = member.name.removeprefix(packages).partition("/")[0]
            if top.partition("-")[0] not in installers:
                return None
        if member.name.startswith("bin/") and not member.name.startswith(("bin/python", "bin/pip")):
            return None
        return member

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for part in ("bin", "lib", "include"):
            archive.add(source / part, part, filter=wanted)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        archive.extractall(target, filter="fully_trusted")  # noqa: S202 - this process made it
    for script in (target / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            content = script.read_bytes()
            if content.startswith(b"#!" + bytes(source)):
                script.write_bytes(content.replace(b"#!" + bytes(source) + b"/bin/", b"#!/usr/local/bin/", 1))


def _build(client: docker.APIClient, context: Path, tag: str) -> None:
    for event in client.build(path=str(context), tag=tag, rm=True, forcerm=True, decode=True):
        if "error" in event:
            raise NoBase(f"{tag} cannot be built: {event['error']}")


if __name__ == "__main__":
    for made in ensure(*(sys.argv[1:] or ALL)):
        print(made)
