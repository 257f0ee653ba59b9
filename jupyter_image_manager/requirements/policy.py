"""Judge an image by R30 and R32: facts in, items out. Pure."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet

from ..models import CheckItem
from . import advice
from .facts import UID, USER, Facts

PYTHON_BASE = "python:3.11-slim-bookworm"


def speak(versions: SpecifierSet) -> str:
    """Name the accepted Python versions for people: ``3.8, 3.9, 3.10 or 3.11``."""
    names = [f"3.{minor}" for minor in range(6, 30) if versions.contains(f"3.{minor}.0")]
    if len(names) > 12 or not names:
        return str(versions)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def judge(facts: Facts, versions: SpecifierSet) -> list[CheckItem]:
    """Return each requirement that can be judged without a kernel, with its own result.

    Parameters
    ----------
    facts : Facts
        What was found in the image.
    versions : SpecifierSet
        Accepted Python versions.
    """
    items = [_architecture(facts)]
    if facts.foreign:
        items.append(_user(facts, advise=False))
        return items
    items.append(_python(facts, versions))
    items.append(_pip(facts, versions))
    items.append(_user(facts))
    items.append(_user_python(facts))
    items.append(_pip_install(facts))
    if facts.python_version:
        items.append(_ipykernel(facts))
    return items


def _architecture(facts: Facts) -> CheckItem:
    if facts.foreign:
        return CheckItem(
            "architecture",
            "Runs on this engine",
            False,
            message=f"The image is made for {facts.architecture}, but the engine runs {facts.engine_architecture}: "
            f"its programs cannot be started here. Build it again on, or import the variant for, "
            f"{facts.engine_architecture}.",
        )
    return CheckItem("architecture", "Runs on this engine", True, message=facts.architecture)


def _python(facts: Facts, versions: SpecifierSet) -> CheckItem:
    title = f"Python {speak(versions)}"
    version = facts.python_version
    if version and versions.contains(version, prereleases=True):
        return CheckItem("python", title, True, message=f"Python {version} ({facts.python_path})")
    cure = advice.as_root(advice.python_cure(facts, versions), facts)
    if version:
        message = f"The image has Python {version} ({facts.python_path}), but {speak(versions)} is needed."
        if not cure:
            message += f" Start the Dockerfile FROM a base that has it, for example {PYTHON_BASE}."
        return CheckItem("python", title, False, message=message, cure=cure)
    if facts.run_message:
        message = f"Python is there, but does not run: {facts.run_message}."
        return CheckItem("python", title, False, message=message, cure=cure)
    message = "The image has no Python."
    if not cure:
        release = facts.os_release.get("PRETTY_NAME") or "An unknown system"
        why = (
            "has no package manager that we know" if not facts.family else "has none of these versions in its packages"
        )
        if not facts.tools:
            release, why = "The image", "has no shell and no package manager"
        message += f" {release} {why}: start the Dockerfile FROM a base that has Python, for example {PYTHON_BASE}."
    return CheckItem("python", title, False, message=message, cure=cure)


def _pip(facts: Facts, versions: SpecifierSet) -> CheckItem:
    title = "pip"
    if facts.pip.version:
        return CheckItem("pip", title, True, message=f"pip {facts.pip.version}")
    if not facts.python_version or not versions.contains(facts.python_version, prereleases=True):
        # The Python that replaces it brings its own: nothing to add here.
        return CheckItem("pip", title, False, message="Cannot be tried without a supported Python.")
    message = "The image's Python has no pip."
    cure = advice.as_root(advice.pip_cure(facts), facts)
    if not cure:
        message += f" Nothing in the image can install it: start FROM a base that has it, for example {PYTHON_BASE}."
    elif facts.pip.message and "No module named pip" not in facts.pip.message:
        message = f"pip is there, but does not run: {facts.pip.message.splitlines()[-1]}"
    return CheckItem("pip", title, False, message=message, cure=cure)


def _user(facts: Facts, *, advise: bool = True) -> CheckItem:
    title = f"User {USER} with uid {UID}"
    jupyter = facts.account(USER)
    others = [account.name for account in facts.accounts_of(UID) if account.name != USER]
    if jupyter is not None and jupyter.uid == UID and not others:
        return CheckItem("user", title, True, message=f"home {jupyter.home or 'not set'}")
    if jupyter is None and not others:
        message = f"There is no user {USER}, and nobody has uid {UID}."
        if not facts.accounts:
            message = f"There is no user {USER}: /etc/passwd is absent or empty."
    elif jupyter is None:
        message = f"There is no user {USER}; uid {UID} belongs to {', '.join(others)}."
    elif jupyter.uid != UID and others:
        message = f"User {USER} has uid {jupyter.uid}, and uid {UID} belongs to {', '.join(others)}."
    elif jupyter.uid != UID:
        message = f"User {USER} has uid {jupyter.uid} instead of {UID}."
    else:
        message = f"Uid {UID} belongs to {USER}, but to {', '.join(others)} as well."
    cure = advice.as_root(advice.user_cure(facts), facts) if advise else ()
    if advise and not cure:
        message += " The image has neither a shell nor Python to add one with: add it in its base."
    return CheckItem("user", title, False, message=message, cure=cure)


def _user_python(facts: Facts) -> CheckItem:
    title = "python3 runs as that user"
    if not facts.python_version.startswith("3"):
        return CheckItem("user_python", title, False, message="Cannot be tried without Python 3.")
    if facts.runs_as_user and facts.python3_on_path:
        return CheckItem("user_python", title, True, message=facts.python_path)
    if not facts.runs_as_user:
        message = f"{facts.python_path} runs as root, but not as uid {UID}: {facts.run_message or 'permission denied'}."
    else:
        message = f"Python is {facts.python_path}, but there is no python3 on PATH ({facts.path or 'empty'})."
    return CheckItem("user_python", title, False, message=message, cure=advice.as_root(advice.path_cure(facts), facts))


def _pip_install(facts: Facts) -> CheckItem:
    title = "pip install works as that user, without root"
    if facts.pip.ok:
        return CheckItem("pip_install", title, True)
    if not facts.pip.version:
        return CheckItem("pip_install", title, False, message="Cannot be tried without pip.")
    if not facts.runs_as_user:
        # What is known to come next is cured in the same go, so that one rebuild is enough.
        return CheckItem(
            "pip_install",
            title,
            False,
            message="Cannot be tried while Python does not run as that user.",
            cure=(advice.MAY_INSTALL,) if facts.externally_managed else (),
        )
    if "externally-managed-environment" in facts.pip.message:
        message = "The distribution forbids pip install outside a virtual environment (EXTERNALLY-MANAGED)."
    elif facts.venv:
        message = (
            f"The virtual environment {facts.prefix} does not belong to uid {UID}, so that only root installs there."
        )
    else:
        lines = [line for line in facts.pip.message.splitlines() if line.strip()]
        wrong = [line for line in lines if line.lower().startswith("error")] or lines[-1:]
        message = f"pip install failed: {wrong[0] if wrong else 'it gave no reason'}"
    cure = advice.as_root(advice.pip_install_cure(facts), facts)
    return CheckItem("pip_install", title, False, message=message, cure=cure)


def _ipykernel(facts: Facts) -> CheckItem:
    title = "ipykernel"
    if facts.ipykernel:
        return CheckItem("ipykernel", title, True, required=False, message=f"ipykernel {facts.ipykernel}")
    return CheckItem(
        "ipykernel",
        title,
        True,
        required=False,
        message="Not in the image: kernels use the runtime that is provided from outside.",
    )
