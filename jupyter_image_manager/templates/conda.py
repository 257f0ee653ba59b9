"""What of a conda environment.yml a template can take over. Pure.

Kernels' images are made by pip; most of what conda calls a package has the same name there. What is no Python package,
or cannot be said to pip, is named, so that nobody misses it later.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from ..errors import InvalidRequest
from .recipes import PYTHONS

DISTRIBUTIONS = {
    "blas": "",
    "brotli-python": "brotli",
    "dask-core": "dask",
    "dataclasses": "",
    "importlib_metadata": "importlib-metadata",
    "jpype1": "JPype1",
    "libgdal": "",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "opencv": "opencv-python-headless",
    "py-opencv": "opencv-python-headless",
    "py-xgboost": "xgboost",
    "python-graphviz": "graphviz",
    "pytables": "tables",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "seaborn-base": "seaborn",
    "tensorflow-gpu": "tensorflow",
}
"""Names that differ between conda and pip; empty: it is no Python package."""

WITH_PYTHON = {"pip", "setuptools", "wheel", "ipykernel", "tzdata"}
"""What the template brings, or Python itself."""

FOREIGN = re.compile(
    r"_.*|lib.*|r-.*|.*_linux-64|.*_win-64|.*-ng|ca-certificates|compilers|c-compiler|cxx-compiler|openssl|sqlite|zlib|bzip2|xz"
    r"|readline|ncurses|tk|gcc|gxx|gfortran|cmake|make|git|nodejs|mkl|intel-openmp|cudatoolkit|cuda.*|cudnn|nccl|zstd|zeromq"
    r"|yaml|ffmpeg|geos|proj|gdal|hdf5|openblas|openjdk|perl|freetype|icu|expat|glib|qt|qt-main|freeglut|krb5|curl|wget"
    r"|graphviz|pandoc|python_abi|vc|vs.*_runtime|ucrt|m2w64-.*|conda|mamba"
)
LARGEST = 256 * 1024


def read_environment(text: str) -> dict[str, Any]:
    """Read an environment.yml as the beginning of a template's choices.

    Parameters
    ----------
    text : str
        The file's text.

    Returns
    -------
    dict
        ``name`` (empty when it has none), ``python`` (empty when none is asked for that templates exist for),
        ``requirements`` (as the lines of a requirements.txt), ``left_out`` (one text each).

    Raises
    ------
    InvalidRequest
        It is no such file.
    """
    if len(text) > LARGEST:
        raise InvalidRequest(f"An environment file of {len(text)} letters is longer than is read ({LARGEST}).")
    try:
        # Aliases can make a small file huge; no environment has them.
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise InvalidRequest("This environment file refers to itself (&, *), which is not read; write it out.")
        read = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise InvalidRequest(f"This is no environment file: it cannot be read as YAML{where}.") from None
    if not isinstance(read, dict) or not isinstance(read.get("dependencies"), list):
        raise InvalidRequest("This is no environment file of conda: it has no list `dependencies`.")
    python, wanted, left_out = "", {}, list[str]()
    for each in read["dependencies"]:
        if isinstance(each, dict) and isinstance(each.get("pip"), list):
            for line in each["pip"]:
                wanted[_key(str(line))] = str(line).strip()
            continue
        if not isinstance(each, str):
            left_out.append(str(each))
            continue
        name, version = _split(each)
        if name == "python":
            python = _python(version)
            if not python:
                left_out.append(each)
        elif name not in WITH_PYTHON:
            requirement = _requirement(name, version)
            if requirement:
                # What pip is asked for expressly goes before.
                wanted.setdefault(_key(requirement), requirement)
            else:
                left_out.append(each)
    for line in [line for line in wanted.values() if line.startswith(("-r", "-c", "-e", "--requirement", "."))]:
        left_out.append(line)
        del wanted[_key(line)]
    title = read.get("name")
    return {
        "name": title if isinstance(title, str) else "",
        "python": python,
        "requirements": "".join(f"{line}\n" for line in wanted.values()),
        "left_out": left_out,
    }


def _split(dependency: str) -> tuple[str, str]:
    """Return the name and the version that a dependency asks for, without its channel and build."""
    words = dependency.split("::")[-1].strip()
    match = re.fullmatch(r"([A-Za-z0-9_.-]+)\s*(.*)", words, re.S)
    if match is None:
        return words, "?"
    name, rest = match[1].lower(), match[2].strip()
    exact = re.fullmatch(r"=?\s*([^\s=<>!~|,]+)(?:\s*=\s*|\s+)\S+", rest)  # with a build: version and build
    return name, f"=={exact[1]}" if exact else rest


def _specifier(version: str) -> str | None:
    """Return what pip says for a version of conda; None when it has no word for it."""
    if not version or version == "*":
        return ""
    parts = []
    for part in version.replace(" ", "").split(","):
        if re.fullmatch(r"=[^=].*", part):  # fuzzy: any that begins so
            part = f"=={part[1:].rstrip('*').rstrip('.')}.*"
        elif re.match(r"[0-9]", part):
            part = f"=={part}"
        if part.startswith((">", "<")):
            part = part.removesuffix(".*")
        parts.append(part)
    try:
        SpecifierSet(",".join(parts))
    except InvalidSpecifier:
        return None
    return ",".join(parts)


def _python(version: str) -> str:
    """Return the newest Python of the templates that fits; empty when none does, or none is asked for."""
    specifier = _specifier(version)
    if specifier is None:
        return ""
    # The patch is the base image's affair.
    specifiers = SpecifierSet(re.sub(r"==(\d+\.\d+)(?:\.\d+)?(?:\.\*)?(?=,|$)", r"==\1.*", specifier))
    return next((python for python in PYTHONS if specifiers.contains(f"{python}.99")), "")


def _requirement(name: str, version: str) -> str:
    distribution = DISTRIBUTIONS.get(name, "" if FOREIGN.fullmatch(name) else name)
    specifier = _specifier(version)
    if not distribution or specifier is None:
        return ""
    try:
        Requirement(distribution + specifier)
    except InvalidRequirement:
        return ""
    return distribution + specifier


def _key(line: str) -> str:
    try:
        return canonicalize_name(Requirement(line).name)
    except InvalidRequirement:
        return line
