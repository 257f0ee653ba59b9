"""What the doctor looks at on this machine: store and data folder, sockets, kernels, and how Jupyter sees us."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import jupyter_config_path, jupyter_path

from .kernels.sockets import base_folder, ipc_possible
from .models import Finding

if TYPE_CHECKING:
    from .manager import ImageManager

PROVISIONER = "image-provisioner"
PROVISIONER_GROUP = "jupyter_client.kernel_provisioners"
PROVISIONER_VARIABLE = "JUPYTER_DEFAULT_PROVISIONER_NAME"
EXTENSION = "jupyter_image_manager"
LABEXTENSION = "jupyter-image-manager"
NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "lustre", "beegfs", "ceph", "fuse.glusterfs", "9p", "gpfs", "afs"}
)
KEPT_FREE = 200 << 20
KEPT_FILES = 1000


def machine_findings(manager: ImageManager) -> dict[str, Callable[[], Iterable[Finding]]]:
    """Return the checks of this machine and of Jupyter, by name."""
    return {
        "data-folder": lambda: data_folder(Path(manager.data_dir)),
        "store": lambda: store(manager),
        # On the command line every folder is below the root: then most projects are below the home.
        "root-folder": lambda: root_folder(Path.home() if manager.root_dir == "/" else Path(manager.root_dir)),
        "sockets": lambda: sockets(manager),
        "provisioner": lambda: provisioner(manager),
        "server-extension": server_extension,
        "labextension": labextension,
        "runtime": lambda: runtime(Path(manager.data_dir) / "runtimes"),
    }


def data_folder(path: Path) -> Iterator[Finding]:
    """Whether the data folder can be written, belongs to this user, and is closed to others."""
    title = "Data folder"
    existing = path
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not os.access(existing, os.W_OK):
        yield Finding(
            "data-folder",
            title,
            "error",
            f"{existing} cannot be written by this user.",
            "Set ImageManager.data_dir to a folder that can, or mend its permissions.",
        )
        return
    room = os.statvfs(existing)
    if room.f_bavail * room.f_frsize < KEPT_FREE:
        yield Finding(
            "data-folder-room",
            "Room for logs",
            "warning",
            f"{room.f_bavail * room.f_frsize >> 20} MiB are free at {path}: logs and contexts may not fit.",
            "Make room, or move ImageManager.data_dir.",
        )
    if room.f_files and room.f_favail < KEPT_FILES:
        yield Finding(
            "data-folder-inodes",
            "Files for logs",
            "warning",
            f"{room.f_favail} files are all that can still be made at {path}: logs and the database may fail.",
            "Delete files there that nobody needs, or move ImageManager.data_dir.",
        )
    if not path.exists():
        yield Finding("data-folder", title, "ok", f"{path} is made on first use.")
        return
    found = path.stat()
    if found.st_uid != os.getuid() and os.getuid() != 0:
        yield Finding(
            "data-folder",
            title,
            "warning",
            f"{path} belongs to another user (uid {found.st_uid}).",
            f"chown -R {os.getuid()} '{path}'",
        )
    elif found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield Finding(
            "data-folder",
            title,
            "warning",
            f"{path} is open to other users of this machine: they could read logs and stored contexts.",
            f"chmod 700 '{path}'",
        )
    else:
        yield Finding("data-folder", title, "ok", f"{path} is yours alone.")


def store(manager: ImageManager) -> Iterator[Finding]:
    """Whether the database opens, and whether its journal suits the file system."""
    installation = manager.store.installation_id()
    yield Finding("store", "Store", "ok", f"{manager.store.place} (installation {installation[:8]}).")
    if manager.store.url and not str(manager.store.url).startswith("sqlite"):
        return
    kind = file_system(Path(manager.data_dir))
    if kind in NETWORK_FILE_SYSTEMS and manager.store.journal_mode == "WAL":
        yield Finding(
            "store-journal",
            "Journal of the store",
            "error",
            f"{manager.data_dir} lies on {kind}, where SQLite's WAL journal damages the database.",
            "Set Store.journal_mode to 'DELETE', or ImageManager.data_dir to a local disk.",
        )


def file_system(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """Return the kind of file system a path lies on, as the mount table names it; empty when it cannot be told."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    target, best, kind = os.path.realpath(path), "", ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[1])
        inside = target == point or target.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind


def root_folder(path: Path, mounts: Path = Path("/proc/self/mounts")) -> Iterator[Finding]:
    """Whether an engine can mount the projects below the server's root folder."""
    title = "Projects' file system"
    kind = file_system(path, mounts)
    if kind in ("9p", "drvfs"):
        yield Finding(
            "root-folder",
            title,
            "warning",
            f"{path} lies on a disk of another system ({kind}): slow, and without owners of files.",
            "Keep projects in this Linux's own file system; under WSL that is your home, not /mnt/c.",
        )
    elif kind.startswith("fuse.") or kind in NETWORK_FILE_SYSTEMS:
        cure = "mount it with allow_other" if kind.startswith("fuse.") else "export it without root_squash"
        yield Finding(
            "root-folder",
            title,
            "info",
            f"{path} lies on {kind}, where root may have no rights: if kernels cannot mount their folder, {cure}, or "
            "use a rootless engine.",
        )
    else:
        yield Finding("root-folder", title, "ok", f"{path} lies on {kind or 'a local disk'}.")


def sockets(manager: ImageManager) -> Iterator[Finding]:
    """Whether kernels can be reached by Unix sockets."""
    folder = base_folder(str(manager.kernels.run_dir))
    # A kernel's own folder lies one level deeper.
    reason = ipc_possible(folder) or ("" if len(os.fsencode(folder)) < 80 else f"{folder} is too long a path")
    if reason:
        yield Finding(
            "sockets",
            "Kernel channels",
            "warning",
            f"Unix sockets cannot be used ({reason}); encrypted TCP on the loopback is.",
            "Set KernelService.run_dir to a short path on a local disk, such as /run/user/1000/jim.",
        )
    else:
        yield Finding("sockets", "Kernel channels", "ok", f"Unix sockets in {folder}.")


def provisioner(manager: ImageManager) -> Iterator[Finding]:
    """Whether every kernel start passes by us."""
    title = "Kernel provisioner"
    if not entry_points(group=PROVISIONER_GROUP, name=PROVISIONER):
        yield Finding(
            "provisioner",
            title,
            "error",
            "is not installed: no kernel can start in an image.",
            "Install the package anew into the server's environment (`pip install jupyter_image_manager`).",
        )
        return
    chosen = os.environ.get(PROVISIONER_VARIABLE)
    where = f"the variable {PROVISIONER_VARIABLE}"
    if not chosen:
        chosen, where = _configured_provisioner(manager)
    if chosen and chosen != PROVISIONER:
        yield Finding(
            "provisioner",
            title,
            "error",
            f"{where} makes {chosen} the default: kernels do not start in images.",
            f"Take that setting away, or set it to {PROVISIONER}.",
        )
    else:
        yield Finding("provisioner", title, "ok", "is the server's default.")


def _configured_provisioner(manager: ImageManager) -> tuple[str, str]:
    name = manager.config.get("KernelProvisionerFactory", {}).get("default_provisioner_name", "")
    if name:
        return str(name), "the configuration"
    for folder in jupyter_config_path():
        for stem in ("jupyter_server_config", "jupyter_config"):
            path = Path(folder, f"{stem}.json")
            found = _json(path).get("KernelProvisionerFactory", {}).get("default_provisioner_name", "")
            if found:
                return str(found), str(path)
    return "", ""


def server_extension() -> Iterator[Finding]:
    """Whether the server loads our part."""
    enabled: bool | None = None
    # The first folder of the path wins, so it is read last.
    for folder in reversed(jupyter_config_path()):
        files = [
            *sorted(Path(folder, "jupyter_server_config.d").glob("*.json")),
            Path(folder, "jupyter_server_config.json"),
        ]
        for path in files:
            said = _json(path).get("ServerApp", {}).get("jpserver_extensions", {}).get(EXTENSION)
            enabled = said if said is not None else enabled
    if enabled:
        yield Finding("server-extension", "Server extension", "ok", "is enabled.")
    else:
        yield Finding(
            "server-extension",
            "Server extension",
            "error",
            "is disabled." if enabled is False else "is not enabled.",
            f"jupyter server extension enable {EXTENSION}",
        )


def labextension() -> Iterator[Finding]:
    """Whether JupyterLab finds our part."""
    title = "JupyterLab extension"
    folders = [Path(folder, LABEXTENSION) for folder in jupyter_path("labextensions")]
    found = next((folder for folder in folders if (folder / "package.json").is_file()), None)
    if found is None:
        yield Finding(
            "labextension",
            title,
            "error",
            "is not installed.",
            "Install the package anew into the server's environment (`pip install jupyter_image_manager`).",
        )
        return
    for folder in jupyter_config_path():
        disabled = _json(Path(folder, "labconfig", "page_config.json")).get("disabledExtensions", {})
        names = disabled if isinstance(disabled, list) else [name for name, off in disabled.items() if off]
        if LABEXTENSION in names:
            yield Finding("labextension", title, "error", "is disabled.", f"jupyter labextension enable {LABEXTENSION}")
            return
    yield Finding("labextension", title, "ok", f"is in {found}.")


def runtime(folder: Path) -> Iterator[Finding]:
    """Whether images without ipykernel can run kernels without a package index."""
    ready = sorted(path.name for path in folder.glob("python*") if path.is_dir()) if folder.is_dir() else []
    if ready:
        yield Finding("runtime", "Kernel runtimes", "ok", f"kept for images without ipykernel: {', '.join(ready)}.")
    else:
        yield Finding(
            "runtime",
            "Kernel runtimes",
            "info",
            "none is kept yet: the first check of an image without ipykernel needs the package index, later ones "
            "work offline.",
        )


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
