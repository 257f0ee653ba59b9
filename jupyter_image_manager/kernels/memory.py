"""A notebook remembers, in its metadata, the image it last ran in (R49).

The memory is written when the notebook is saved, into the very content that is saved: so it never races with
the editor's own save, and a notebook that is only looked at does not change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..models import Image, Project

if TYPE_CHECKING:
    import logging

KEY = "image_manager"


def memory_of(project: Project, image: Image) -> dict[str, Any]:
    """Return what a notebook is to remember."""
    return {"image": image.spec, "digest": image.digest or image.engine_image, "project": project.id}


def read_memory(notebook: Any) -> dict[str, Any] | None:
    """Return what a notebook's content remembers; None when nothing, or something that is not ours."""
    metadata = notebook.get("metadata") if isinstance(notebook, dict) else None
    found = metadata.get(KEY) if isinstance(metadata, dict) else None
    if not isinstance(found, dict) or not all(isinstance(found.get(k), str) for k in ("image", "digest")):
        return None
    return {"image": found["image"], "digest": found["digest"], "project": str(found.get("project", ""))}


def remember(notebook: dict[str, Any], memory: dict[str, Any] | None) -> bool:
    """Write the memory into a notebook's content; None forgets it. Return whether anything changed."""
    metadata = notebook.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        return False
    if memory is None:
        return metadata.pop(KEY, None) is not None
    if metadata.get(KEY) == memory:
        return False
    metadata[KEY] = dict(memory)
    return True


class NotebookMemory:
    """A ``pre_save_hook`` of the server's contents manager.

    Parameters
    ----------
    running : callable
        From a Jupyter path to what the kernel of that path's session runs in: a memory, False when its kernel
        is a local one, or None when it has no kernel.
    log : logging.Logger
        Where a failure is noted; a save never fails for it.
    """

    def __init__(self, running: Callable[[str], dict[str, Any] | bool | None], log: logging.Logger) -> None:
        self._running = running
        self._log = log

    def __call__(self, *, model: dict[str, Any], path: str, contents_manager: Any = None, **kwargs: Any) -> None:
        """Remember in the content that is about to be saved."""
        content = model.get("content")
        if model.get("type") != "notebook" or not isinstance(content, dict):
            return
        try:
            found = self._running(path)
        except (KeyError, AttributeError, RuntimeError) as error:
            self._log.debug("What %s runs in is not known: %s", path, error)
            return
        if isinstance(found, dict):
            remember(content, found)
        elif found is False:
            # It ran in the server's environment since: the memory of an image would be a lie.
            remember(content, None)


def of_kernel_manager(km: Any) -> dict[str, Any] | bool:
    """Return what a kernel manager's kernel runs in: a memory, or False for a local kernel."""
    provisioner = getattr(km, "provisioner", None)
    target = getattr(provisioner, "target", None)
    if target is None:
        return False
    return memory_of(target.project, target.image)


def install(serverapp: Any) -> NotebookMemory:
    """Make the server's notebooks remember; call once, when the extension starts.

    The session manager's rows cannot be read synchronously, so sessions are followed by the kernels' own
    ``JPY_SESSION_NAME``, which the server keeps up to date when a notebook is renamed.
    """
    kernels, contents = serverapp.kernel_manager, serverapp.contents_manager

    def running(path: str) -> dict[str, Any] | bool | None:
        wanted = path.strip("/")
        found: dict[str, Any] | bool | None = None
        for kernel_id in list(kernels.list_kernel_ids()):
            km = kernels.get_kernel(kernel_id)
            env = (getattr(km, "_launch_args", None) or {}).get("env") or {}
            session = str(env.get("JPY_SESSION_NAME", ""))
            if session and _jupyter_path(session, str(getattr(contents, "root_dir", ""))) == wanted:
                found = of_kernel_manager(km)
        return found

    hook = NotebookMemory(running, serverapp.log)
    contents.register_pre_save_hook(hook)
    return hook


def _jupyter_path(session: str, root: str) -> str:
    """Return the path below the server's root of what JPY_SESSION_NAME says."""
    if root and session.startswith(root.rstrip("/") + "/"):
        session = session[len(root.rstrip("/")) :]
    return session.strip("/")
