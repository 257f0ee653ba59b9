"""Base images made of Debian's packages, for machines whose engine cannot reach Docker Hub.

``jupyter image base create`` makes one; templates then start from it, unless the administrator named another base.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from traitlets import Instance, Unicode
from traitlets.config import LoggingConfigurable

from .engine.port import LABEL, BuildSpec
from .errors import ImageManagerError, ImageNotFound, InvalidRequest

if TYPE_CHECKING:
    from .manager import ImageManager

REPOSITORY = "jupyter-image-manager/base"
BASE_LABEL = f"{LABEL}.base"
RECORD = "bases.json"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
DEFAULT_MIRROR = "http://deb.debian.org/debian"
PACKAGES = ("python3", "python3-pip", "python3-venv", "python-is-python3", "ca-certificates", "adduser")

DOCKERFILE = """\
FROM {root}
RUN useradd --create-home --uid 1000 --shell /bin/bash jupyter
CMD ["python3"]
"""


@dataclass(frozen=True, slots=True)
class Release:
    """A Debian release that brings one of the supported Pythons."""

    number: str
    suite: str
    security: str


RELEASES = {
    "3.11": Release("12", "bookworm", "bookworm-security"),
    "3.9": Release("11", "bullseye", "bullseye-security"),
}


@dataclass(frozen=True, slots=True)
class Base:
    """A base image made here. ``size`` is in bytes."""

    reference: str
    python: str
    size: int
    id: str


class BaseError(ImageManagerError):
    """A base image could not be made."""

    code = "base_failed"


class BaseImages(LoggingConfigurable):
    """Make and list base images of this machine."""

    manager: ImageManager = Instance("jupyter_image_manager.manager.ImageManager")  # type: ignore[assignment]  # a trait

    mirror = Unicode(
        "",
        help="Debian mirror from which base images are made. Default: the one in this machine's own apt sources.",
    ).tag(config=True)

    def create(
        self, python: str = "3.11", *, mirror: str | None = None, line: Callable[[str], None] | None = None
    ) -> Base:
        """Make the base with a Python version; templates use it from then on.

        Parameters
        ----------
        python : str
            ``3.11`` or ``3.9``, which Debian has.
        mirror : str, optional
            Address of a Debian mirror.
        line : callable, optional
            Told each line of what goes on.

        Raises
        ------
        InvalidRequest
            Debian has no such Python.
        BaseError
            Its packages could not be installed into a folder: the message holds the decisive line.
        """
        release = RELEASES.get(python)
        if release is None:
            raise InvalidRequest(f"Debian has no Python {python}; a base can be made with {' or '.join(RELEASES)}.")
        tell = line or self.log.info
        source = mirror or self.mirror or debian_mirror()
        if not re.fullmatch(r"(https?|file|copy)://\S+", source):
            raise InvalidRequest(f"{source!r} is no address of a Debian mirror, such as {DEFAULT_MIRROR}.")
        reference = f"{REPOSITORY}:{python}-debian{release.number}"
        self.manager.engine.info()  # says at once when there is no engine to give it to
        if hindered := obstacle():
            raise BaseError(f"A base image cannot be made here: {hindered}")
        with tempfile.TemporaryDirectory(prefix="jupyter-image-base-") as temporary:
            archive = Path(temporary) / "root.tar"
            tell(f"Installing Debian {release.number}'s packages from {source}")
            _install(release, source, archive, tell)
            tell(f"Giving it to the engine as {reference}")
            raw = f"{REPOSITORY}:{python}-debian{release.number}-root"
            with archive.open("rb") as stream:
                self.manager.engine.import_filesystem(stream, raw, env={"LANG": "C.UTF-8"})
            try:
                self._finish(raw, reference, python)
            finally:
                self.manager.engine.remove_image(raw)
        self._record(python, reference)
        return self._base(reference, python)

    def list(self) -> list[Base]:
        """Return the bases made here that the engine still has."""
        found = []
        for python, reference in recorded(self.manager.data_path).items():
            try:
                found.append(self._base(reference, python))
            except ImageNotFound:
                continue
        return found

    def _base(self, reference: str, python: str) -> Base:
        image = self.manager.engine.inspect_image(reference)
        return Base(reference, python, image.size, image.id)

    def _finish(self, raw: str, reference: str, python: str) -> None:
        spec = BuildSpec(tag=reference, dockerfile="Dockerfile", labels={BASE_LABEL: python}, build_args={})
        for _ in self.manager.engine.build(spec, _context(DOCKERFILE.format(root=raw))):
            pass

    def _record(self, python: str, reference: str) -> None:
        folder = self.manager.data_path
        known = {**recorded(folder), python: reference}
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as file:
            json.dump(known, file)
        Path(file.name).replace(folder / RECORD)


def recorded(data: Path) -> dict[str, str]:
    """Return the bases made for an installation: Python version to reference."""
    try:
        known = json.loads((data / RECORD).read_text())
    except (OSError, ValueError):
        return {}
    return {str(python): str(reference) for python, reference in known.items()} if isinstance(known, dict) else {}


def debian_mirror() -> str:
    """Return the Debian mirror of this machine's own apt sources, else Debian's own."""
    folder = Path("/etc/apt")
    for path in (folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))):
        if path.suffix not in (".list", ".sources"):
            continue
        try:
            lines = path.read_text(errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            if line.lstrip().startswith("#"):
                continue
            for address in re.findall(r"https?://[^\s\]]+", line):
                if re.search(r"/debian/?$", address):
                    return str(address)
    return DEFAULT_MIRROR


def _sources(release: Release, mirror: str) -> list[str]:
    # On a distribution other than Debian apt does not trust Debian's keys by itself.
    deb = f"deb [signed-by={KEYRING}]" if KEYRING.is_file() else "deb"
    lines = [f"{deb} {mirror} {release.suite} main", f"{deb} {mirror} {release.suite}-updates main"]
    security = re.sub(r"/debian/?$", "/debian-security", mirror)
    if security != mirror:
        lines.append(f"{deb} {security} {release.security} main")
    return lines


def obstacle() -> str:
    """Return why no base image can be made on this machine by this user, and what to do; empty when nothing is known.

    Who is not root needs user name spaces and a range of uids in them, or fakechroot in their stead.
    """
    root = os.getuid() == 0
    if not shutil.which("mmdebstrap") and not (root and shutil.which("debootstrap")):
        return "mmdebstrap is not installed; install it (`apt-get install mmdebstrap`, or `jupyter image setup`)."
    if root or (shutil.which("fakechroot") and shutil.which("fakeroot")):
        return ""
    again = "or repeat `jupyter image base create` as root."
    for setting in ("user/max_user_namespaces", "kernel/unprivileged_userns_clone"):
        try:
            off = Path("/proc/sys", setting).read_text().strip() == "0"
        except OSError:
            continue  # kernels without it have nothing to switch off
        if off:
            return f"user name spaces are switched off ({setting} is 0); switch them on by sysctl, {again}"
    if not shutil.which("newuidmap"):
        return f"newuidmap is not installed; install it (`apt-get install uidmap`), {again}"
    name = pwd.getpwuid(os.getuid()).pw_name
    try:
        ranges = Path("/etc/subuid").read_text().splitlines()
    except OSError:
        ranges = []
    if not any(line.partition(":")[0] in (name, str(os.getuid())) for line in ranges):
        return (
            f"{name} has no range of uids in /etc/subuid; give one by `sudo usermod --add-subuids 100000-165535 "
            f"--add-subgids 100000-165535 {name}`, {again}"
        )
    return ""


def _install(release: Release, mirror: str, archive: Path, tell: Callable[[str], None]) -> None:
    if shutil.which("mmdebstrap"):
        _run(_mmdebstrap(release, archive, _sources(release, mirror)), tell)
        return
    if shutil.which("debootstrap") and os.getuid() == 0:
        root = archive.parent / "root"
        include = f"--include={','.join(PACKAGES)}"
        _run(["debootstrap", "--variant=minbase", include, release.suite, str(root), mirror], tell)
        for pattern in TRIMMED:
            for path in root.glob(pattern):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        _run(["tar", "-C", str(root), "--numeric-owner", "--one-file-system", "-cf", str(archive), "."], tell)
        return
    raise BaseError(f"A base image cannot be made here: {obstacle()}")


TRIMMED = (
    "usr/share/man/*",
    "usr/share/info/*",
    "usr/share/locale/*",
    "var/lib/apt/lists/*",
    "var/cache/apt/*",
    "var/log/*",
    # Debian marks its Python as its own; in an image `pip install` is how packages are meant to come.
    "usr/lib/python3*/EXTERNALLY-MANAGED",
)


def _mmdebstrap(release: Release, archive: Path, sources: list[str]) -> list[str]:
    hook = 'cd "$1" && rm -rf ' + " ".join(TRIMMED)
    return [
        "mmdebstrap",
        "--variant=apt",
        f"--include={','.join(PACKAGES)}",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        f"--customize-hook={hook}",
        release.suite,
        str(archive),
        *sources,
    ]


def _run(command: list[str], tell: Callable[[str], None]) -> None:
    last: list[str] = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for text in process.stdout or ():
            text = text.rstrip()
            if text:
                last = [*last[-19:], text]
                tell(text)
    if process.returncode:
        errors = [text for text in last if text.startswith("E:")]
        # The first one of apt is the reason; the later ones say that it failed.
        decisive = (
            [text for text in errors if not text.startswith(("E: mmdebstrap", "E: apt-get"))] or errors or last[-1:]
        )
        raise BaseError(
            f"{command[0]} could not install Debian's packages: {decisive[0] if decisive else 'it said nothing'}; "
            "check that the mirror can be reached, or name another with --mirror.",
            {"lines": last},
        )


def _context(dockerfile: str) -> list[bytes]:
    import io
    import tarfile

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(dockerfile)
        archive.addfile(member, io.BytesIO(dockerfile.encode()))
    return [stream.getvalue()]
