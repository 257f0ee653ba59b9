"""The Docker command line of this machine, for what is compared with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from jupyter_image_manager.engine.buildkit import find_client


def docker_cli(*words: str) -> list[str]:
    """Return the command ``docker WORDS``, by a client that can build here.

    A Docker CLI of version 23 or newer builds through docker-buildx only; where that is not installed an older CLI of
    the distribution is looked for.
    """
    programs = [shutil.which("docker", path=folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)]
    found = list(dict.fromkeys(program for program in programs if program))
    if not found:
        raise RuntimeError("There is no docker command line here; install docker.io or docker-cli.")
    client = find_client()
    if client is not None and client.name == "docker-buildx":
        return [found[0], *words]
    older = [program for program in found if _major(program) < 23]
    return [(older or found)[0], *words]


def _major(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"version (\d+)", said)
    return int(version[1]) if version else 99
