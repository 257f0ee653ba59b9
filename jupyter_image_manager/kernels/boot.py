"""Start the Python kernel inside the container. Runs in the image's Python, so: 3.8 and the standard library only.

A copy lies in the kernel's private folder, with ``boot.json`` beside it. It does what the server cannot do
from outside: finds the kernel package, or appends the runtime that the server brought *after* everything of
the image, picks a locale and time zone that exist here, and becomes the kernel in the same process, so that
signals reach it directly. Subprocesses inherit none of this.
"""

from __future__ import annotations

import importlib.util
import json
import locale
import os
import socket
import sys
import threading
import time

REFUSED = 78
"""Exit code with which the kernel is refused; the reason is the last line on stderr."""


def refuse(reason: str) -> None:
    """End with a reason that the server shows to the user."""
    sys.stderr.write("jupyter-image-manager: " + reason + "\n")
    sys.stderr.flush()
    raise SystemExit(REFUSED)


def settings(folder: str) -> dict:  # type: ignore[type-arg]  # its values are of every JSON type
    """Read what the server says, and take the file away: it may hold secrets."""
    path = os.path.join(folder, "boot.json")  # noqa: PTH118 - this file stays cheap to import
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        said = json.load(file)
    try:
        os.unlink(path)  # noqa: PTH108
    except OSError:
        # Only a folder that is not ours to write refuses; the server removes the file with the folder.
        sys.stderr.write("jupyter-image-manager: boot.json could not be removed\n")
    return said  # type: ignore[no-any-return]  # JSON of the server's making


def set_locale(wanted: str) -> None:
    """Take the server's locale if the image has it, else one that every libc knows."""
    if wanted and "LANG" not in os.environ and "LC_ALL" not in os.environ:
        os.environ["LANG"] = wanted
    try:
        locale.setlocale(locale.LC_ALL, "")
    except locale.Error:
        os.environ["LANG"] = "C.UTF-8"
        os.environ.pop("LC_ALL", None)
    finally:
        locale.setlocale(locale.LC_ALL, "C")
        # As the interpreter itself does at its start: only the character set is taken from the environment.
        try:
            locale.setlocale(locale.LC_CTYPE, "")
        except locale.Error:
            locale.setlocale(locale.LC_CTYPE, "C")


def set_time_zone(name: str, rule: str) -> None:
    """Take the server's time zone by its name if the image knows it, else by its POSIX rule."""
    if "TZ" in os.environ and os.environ["TZ"] != rule:
        return
    if name and os.path.exists("/usr/share/zoneinfo/" + name):  # noqa: PTH110
        os.environ["TZ"] = name
    elif rule:
        os.environ["TZ"] = rule
    time.tzset()


def end_with_owner(folder: str) -> None:
    """End this kernel as soon as the process that wants it is dead, as a local kernel does."""
    line = socket.socket(socket.AF_UNIX)
    try:
        line.connect(os.path.join(folder, "life"))  # noqa: PTH118
    except OSError:
        line.close()  # channels are TCP: the reaper takes care
        return

    def wait() -> None:
        try:
            line.recv(1)
        except OSError:
            os._exit(1)
        os._exit(1)

    threading.Thread(target=wait, name="life line", daemon=True).start()


def main() -> None:
    """Prepare this process and become the kernel."""
    folder = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    said = settings(folder)
    if sys.path and sys.path[0] == folder:
        del sys.path[0]
    if not said["warm"]:
        end_with_owner(folder)
    os.umask(said["umask"])
    os.environ.pop("TINI_KILL_PROCESS_GROUP", None)
    os.environ.update(said["environment"])
    set_locale(said["language"])
    set_time_zone(said["zone"], said["zone_rule"])
    # Packages that the image's own user installed for itself, when the kernel runs as somebody else.
    sys.path.extend(path for path in said["user_site"] if os.path.isdir(path) and path not in sys.path)  # noqa: PTH112
    if importlib.util.find_spec("ipykernel") is None:
        if not said["runtime"]:
            refuse("the image has no ipykernel, and no kernel runtime was given")
        sys.path.append(said["runtime"])
        if importlib.util.find_spec("ipykernel") is None:
            refuse("the kernel runtime in " + said["runtime"] + " holds no ipykernel")
    if said["curve"]:
        from ipykernel.kernelapp import IPKernelApp

        if not hasattr(IPKernelApp, "curve_secretkey"):
            refuse("the image's ipykernel is too old to encrypt its channels; install 7.3 or newer in the image")
    sys.argv = ["ipykernel_launcher", *said["arguments"]]
    become_kernel(said["arguments"], said["warm"])


def become_kernel(arguments: list[str], warm: bool) -> None:
    """Run the kernel; with `warm`, only until it could answer, so that its modules are compiled once."""
    from ipykernel.kernelapp import IPKernelApp

    # As if started by a server: no banner, and since 1 never goes away, no watch for its death.
    kernel_app = IPKernelApp.instance(parent_handle=1)
    kernel_app.initialize(arguments)  # type: ignore[no-untyped-call]  # ipykernel's
    shell = kernel_app.shell
    if warm:
        if shell is not None:
            shell.run_cell("6 * 7")
            shell.complete("import o")
        sys.stdout.flush()
        os._exit(0)

    def own_cache_again(*_: object) -> None:
        # The cache brought along serves the kernel's own start; what users import is compiled where it lies.
        sys.pycache_prefix = None

    if sys.pycache_prefix and shell is not None:
        shell.events.register("pre_run_cell", own_cache_again)
    kernel_app.start()  # type: ignore[no-untyped-call]  # ipykernel's


main()
