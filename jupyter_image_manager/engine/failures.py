"""Why a build failed, from what either builder says of it."""

from __future__ import annotations

import re

from ..errors import BuildFailed, EngineError, ImageManagerError, ImageNotFound, InvalidDockerfile
from .translate import meaning

_PREFIX = re.compile(
    r"^(?:(?:ERROR|error): |failed to (?:build|solve)(?: with frontend \S+)?: |rpc error: code = \w+ desc = "
    r"|failed to create LLB definition: |failed to compute cache key: |failed to calculate checksum of ref \S+: )+"
)
_PARSE = re.compile(r"dockerfile parse error (?:on )?line (\d+): (.*)|Syntax error - can't find = in", re.I)
_NEEDS_BUILDKIT = re.compile(
    r"the --(?:mount|chmod|link|security|network) (?:option|flag) requires BuildKit"
    r"|unknown flag: (?:mount|chmod|link|security|network|parents|exclude)",
    re.I,
)
_SYNTAX = re.compile(r"docker/dockerfile|resolve image config for|frontend gateway\.v0", re.I)
_NO_FILE = re.compile(
    r'"?/?([^"\s]+)"?: not found|file not found in build context|no source files were specified', re.I
)


def build_failure(text: str, instruction: str, step: int, exit_code: int | None = None) -> ImageManagerError:
    """Return the error of a failed build.

    Parameters
    ----------
    text : str
        The builder's own words.
    instruction : str
        What was being done, as far as it is known: ``RUN false``, ``FROM python:9``.
    """
    said = _PREFIX.sub("", " ".join(text.split()))
    error = _why(said, text, instruction, exit_code)
    details = {"instruction": instruction, "step": step, "exit_code": exit_code, "engine": text[:2000]}
    error.details = {**error.details, **details}
    return error


def _why(said: str, text: str, instruction: str, exit_code: int | None) -> ImageManagerError:
    about = f"The instruction `{instruction}`" if instruction else "The build"
    if exit_code is not None:
        killed = ": it was killed, perhaps for want of memory" if exit_code == 137 else ""
        return BuildFailed(f"{about} failed with exit code {exit_code}{killed}.")
    if _NEEDS_BUILDKIT.search(said):
        where = _PARSE.search(said)
        what = f"Line {where[1]} of the Dockerfile" if where and where[1] else about
        return BuildFailed(
            f"{what} needs BuildKit, and this engine is driven by the classic builder; install docker-buildx, or do "
            "without it."
        )
    if instruction.startswith("# syntax") or (not instruction.startswith("FROM ") and _SYNTAX.search(text)):
        return BuildFailed(
            "The front end that the Dockerfile's line `# syntax=` asks for cannot be fetched from its registry; leave "
            f"that line out, or let the engine reach the registry: {said}"
        )
    if where := _PARSE.search(said):
        line = int(where[1]) if where[1] else 0
        return InvalidDockerfile(
            f"Line {line} of the Dockerfile: {where[2]}; correct it." if line else said, {"line": line}
        )
    if instruction.upper().startswith(("COPY ", "ADD ")) and _NO_FILE.search(said):
        return BuildFailed(f"{about} failed: the context has no such file, or .dockerignore leaves it out: {said}")
    words = instruction.split()
    subject = words[1] if len(words) > 1 and words[0].upper() == "FROM" else ""
    known = meaning(said, subject)
    if isinstance(known, ImageNotFound) and subject:
        return BuildFailed(known.message, known.details)
    if type(known) in (EngineError, ImageNotFound):
        return BuildFailed(f"{about} failed: {said}", known.details)
    return known
