"""The program that runs inside an image and tells what it finds, as one line of JSON.

It is sent as text to whatever Python the image has, so it uses the standard library only, keeps to what
Python 3.6 understands, writes below the temporary folder only, and never needs the network. Each finding
stands alone: what cannot be read is left out, not fatal.
"""

import base64
import glob
import hashlib
import json
import os
import platform
import re
import shutil
import site
import stat
import subprocess
import sys
import tempfile
import zipfile
from typing import Any, Dict, List, Tuple

MARK = "@@jupyter-image-manager-probe@@"
TOOLS = (
    "sh bash apt-get dnf microdnf yum apk zypper conda mamba micromamba python3 pip "
    "useradd usermod groupadd groupmod adduser addgroup sed find"
).split()
WHEEL = "jupyter_image_manager_probe"


def os_release() -> Dict[str, str]:
    """Return the fields of os-release."""
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                pairs = [line.strip().split("=", 1) for line in file if "=" in line and not line.startswith("#")]
        except OSError:
            continue
        return {key: value.strip("\"'") for key, value in pairs}
    return {}


def read(path: str) -> str:
    """Return a file's text, empty when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def libc() -> Tuple[str, str]:
    """Return the name and version of the C library that this interpreter runs on."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        if name == "glibc":
            return name, version
    except (ValueError, OSError, AttributeError):
        pass
    loaders = glob.glob("/lib/ld-musl-*.so.1")
    if loaders:
        version = ""
        try:
            run = subprocess.run([loaders[0]], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=10)
            found = re.search(r"Version (\S+)", (run.stderr + run.stdout).decode("utf-8", "replace"))
            version = found.group(1) if found else ""
        except (OSError, subprocess.SubprocessError):
            pass
        return "musl", version
    return platform.libc_ver()


def normal(name: str) -> str:
    """Return a distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def packages() -> List[Tuple[str, str]]:
    """Return the installed distributions; of the same name the one that imports first."""
    found: Dict[str, Tuple[str, str]] = {}
    try:
        from importlib import metadata
    except ImportError:
        return []
    for distribution in metadata.distributions():
        try:
            name, version = distribution.metadata["Name"], distribution.version
        except Exception:  # a damaged distribution must not hide the others
            continue
        if name and version:
            found.setdefault(normal(str(name)), (str(name), str(version)))
    return sorted(found.values(), key=lambda pair: normal(pair[0]))


def kernelspecs(home: str) -> Dict[str, Any]:
    """Return the kernelspecs on every path where Jupyter would look in this image."""
    roots = [path for path in os.environ.get("JUPYTER_PATH", "").split(os.pathsep) if path]
    if home:
        roots.append(os.path.join(home, ".local", "share", "jupyter"))
    roots += [os.path.join(sys.prefix, "share", "jupyter"), "/usr/local/share/jupyter", "/usr/share/jupyter"]
    found: Dict[str, Any] = {}
    for root in roots:
        for path in sorted(glob.glob(os.path.join(root, "kernels", "*", "kernel.json"))):
            try:
                spec = json.loads(read(path))
            except ValueError:
                continue
            if isinstance(spec, dict):
                spec["resource_dir"] = os.path.dirname(path)
                found.setdefault(os.path.basename(os.path.dirname(path)).lower(), spec)
    return found


def wheel(folder: str) -> str:
    """Write the smallest wheel that installs and imports; return its path."""
    info = WHEEL + "-1.0.dist-info"
    files = {
        WHEEL + ".py": b"answer = 42\n",
        info + "/METADATA": ("Metadata-Version: 2.1\nName: %s\nVersion: 1.0\n" % WHEEL).encode(),
        info + "/WHEEL": b"Wheel-Version: 1.0\nGenerator: probe\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        record += "%s,sha256=%s,%d\n" % (name, digest, len(data))
    path = os.path.join(folder, WHEEL + "-1.0-py3-none-any.whl")
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr(info + "/RECORD", record + info + "/RECORD,,\n")
    return path


def command(argv: List[str], environment: Dict[str, str], timeout: int = 90) -> Tuple[int, str]:
    """Run a command to its end; return its exit code and what it said."""
    try:
        run = subprocess.run(
            argv,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return 124, "no answer within %d s" % timeout
    except OSError as error:
        return 127, str(error)
    return run.returncode, run.stdout.decode("utf-8", "replace")


def purelib() -> str:
    """Return the folder into which pip installs when it may write there."""
    import sysconfig

    return sysconfig.get_paths()["purelib"]


def may_write(path: str) -> bool:
    """Tell by owner and mode whether this user may write, whatever file system is mounted read-only."""
    try:
        status = os.stat(path)
    except OSError:
        return False
    if os.geteuid() == 0:
        return True
    if status.st_uid == os.geteuid():
        return bool(status.st_mode & stat.S_IWUSR)
    if status.st_gid in [os.getegid(), *os.getgroups()]:
        return bool(status.st_mode & stat.S_IWGRP)
    return bool(status.st_mode & stat.S_IWOTH)


def pip_trial() -> Dict[str, Any]:
    """Install a wheel made on the spot, as this user, without the network, and import it."""
    found: Dict[str, Any] = {
        "version": "",
        "path": shutil.which("pip") or "",
        "site": purelib(),
        "ok": False,
        "message": "",
    }
    found["writable"] = may_write(found["site"])
    code, text = command([sys.executable, "-m", "pip", "--version"], dict(os.environ))
    version = re.search(r"^pip (\S+)", text, re.M)
    if code or not version:
        found["message"] = text.strip()[:4000]
        return found
    found["version"] = version.group(1)
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, HOME=folder, PIP_CACHE_DIR=os.path.join(folder, "cache"))
        base = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--disable-pip-version-check", "-q"]
        code, text = command([*base, wheel(folder)], environment)
        if code and found["writable"] and re.search(r"Read-only file system|Errno 30", text):
            # The image is read-only only for this check; the same command works in a kernel.
            target = os.path.join(folder, "target")
            code, text = command([*base, "--target", target, wheel(folder)], environment)
            environment["PYTHONPATH"] = target
        if code == 0:
            code, text = command([sys.executable, "-c", "import " + WHEEL], environment)
    found["ok"] = code == 0
    found["message"] = text.strip()[:4000] if code else ""
    return found


def others() -> List[str]:
    """Return the interpreters that lie on PATH under the name of their version, newest first."""
    found: Dict[int, str] = {}
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for path in glob.glob(os.path.join(folder, "python3.*")):
            name = re.match(r"python3\.(\d+)$", os.path.basename(path))
            if name and os.access(path, os.X_OK) and os.path.realpath(path) != os.path.realpath(sys.executable):
                found.setdefault(int(name.group(1)), path)
    return [found[minor] for minor in sorted(found, reverse=True)]


def main() -> None:
    """Print what was found."""
    passwd = read("/etc/passwd")
    home = ""
    for line in passwd.splitlines():
        if line.startswith("jupyter:") and line.count(":") >= 6:
            home = line.split(":")[5]
    name, version = libc()
    everything = packages()
    lib = os.path.dirname(os.__file__)
    report = {
        "python_version": "%d.%d.%d" % sys.version_info[:3],
        "python_path": sys.executable,
        "implementation": platform.python_implementation(),
        "prefix": sys.prefix,
        "other_pythons": others(),
        "real_path": os.path.realpath(sys.executable),
        "stdlib": lib,
        "machine": platform.machine(),
        "uid": os.getuid(),
        "os_release": os_release(),
        "passwd": passwd,
        "group": read("/etc/group"),
        "libc": name,
        "libc_version": version,
        "packages": everything,
        "kernelspecs": kernelspecs(home),
        "tools": {
            tool: shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin")
            for tool in TOOLS
        },
        "python3_on_path": shutil.which("python3") or "",
        "conda": os.path.isdir(os.path.join(sys.prefix, "conda-meta")),
        "venv": sys.prefix != getattr(sys, "base_prefix", sys.prefix),
        "externally_managed": os.path.exists(os.path.join(lib, "EXTERNALLY-MANAGED")),
        "ensurepip": bool(glob.glob(os.path.join(lib, "ensurepip", "_bundled", "pip-*.whl"))),
        "user_site": bool(site.ENABLE_USER_SITE),
        "pip": pip_trial(),
    }
    sys.stdout.write("\n" + MARK + json.dumps(report) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
