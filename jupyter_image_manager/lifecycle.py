"""States of images and builds, and what each allows; pure."""

from __future__ import annotations

import re
from datetime import datetime

from .models import Build, BuildState, Image, ImageState, Recipe, RegistryState, Report, SourceKind, Storage

S = BuildState

BUILD_STEPS: dict[BuildState, frozenset[BuildState]] = {
    S.QUEUED: frozenset({S.BUILDING, S.CHECKING, S.PUSHING, S.CANCELLED, S.FAILED, S.INTERRUPTED}),
    S.BUILDING: frozenset({S.CHECKING, S.SAVING, S.FAILED, S.CANCELLED, S.INTERRUPTED}),
    S.CHECKING: frozenset({S.BUILDING, S.SAVING, S.FAILED, S.CANCELLED, S.INTERRUPTED}),
    S.SAVING: frozenset({S.PUSHING, S.SUCCEEDED, S.FAILED, S.CANCELLED, S.INTERRUPTED}),
    S.PUSHING: frozenset({S.SUCCEEDED, S.FAILED, S.CANCELLED, S.INTERRUPTED}),
    S.SUCCEEDED: frozenset(),
    S.FAILED: frozenset({S.QUEUED}),
    S.CANCELLED: frozenset({S.QUEUED}),
    S.INTERRUPTED: frozenset({S.QUEUED}),
}
"""Which state may follow which; back to ``queued`` only by a retry."""


def lacking(report: Report) -> str:
    """Return the titles of what a check found missing, in one line."""
    return "; ".join(item.title for item in report.items if item.required and not item.ok)


def why_unusable(image: Image) -> str | None:
    """Return why an image cannot run kernels, with what to do; None when its state allows it."""
    if image.state is ImageState.READY:
        return registry_lost(image) or None
    if image.state is ImageState.BUILDING:
        return f"{image.spec} is still being built; follow it with `jupyter image log {image.spec}`."
    if image.state is ImageState.FAILED:
        return (
            f"{image.spec} was not built: `jupyter image log {image.spec}` says why, "
            f"`jupyter image retry {image.spec}` tries again."
        )
    if image.state is ImageState.UNUSABLE:
        if image.report is None:
            return f"{image.spec} has not been checked yet; `jupyter image check {image.spec}` does."
        lacks = f" ({said})" if (said := lacking(image.report)) else ""
        return f"{image.spec} lacks what a kernel needs{lacks}; `jupyter image check --fix {image.spec}` appends it."
    return f"{image.spec} is no longer in the engine; {_build_again(image)}."


def unpushed(image: Image) -> bool:
    """Tell whether an image is to be kept in a registry and is saved on this machine only."""
    return image.storage is Storage.REGISTRY and image.state is ImageState.READY and not image.repository


def kept_in(image: Image) -> str:
    """Return where an image is kept, in a word or two."""
    if image.storage is Storage.LOCAL:
        return "local"
    if unpushed(image):
        return "not pushed yet"
    fine = image.registry_state in (RegistryState.PRESENT, RegistryState.NONE)
    state = "" if fine else f", {image.registry_state.value.replace('_', ' ')}"
    return f"registry{state}{', optimized' if image.optimized else ''}"


def place(build: Build) -> str:
    """Return where a build is, in a few words."""
    if build.state is S.BUILDING and build.steps:
        return f"step {build.step} of {build.steps} · {build.instruction}"
    if build.state is S.PUSHING and build.instruction:
        layers = f", {build.step} of {build.steps} layers are there" if build.steps else ""
        return build.instruction + layers
    return build.state.value


def registry_lost(image: Image) -> str:
    """Return that an image's version is gone from its registry and nothing else holds it (R14); empty otherwise."""
    if image.registry_state is not RegistryState.MISSING or image.optimized:
        return ""
    return (
        f"{image.spec} is missing in the registry: {image.repository} has its version no more, or does not show it, so "
        f"it can no longer be pulled, optimized or activated; {_build_again(image)}."
    )


def registry_warning(image: Image, limited_until: datetime | None = None) -> str:
    """Return what the state of an image in its registry means for who relies on it; empty when all is well.

    Parameters
    ----------
    limited_until : datetime, optional
        When the registry will answer again, where it said so.
    """
    if unpushed(image):
        return (
            "It is saved on this machine only: it is not pushed yet, or its push failed; `jupyter image retry "
            f"{image.spec}` pushes it without building."
        )
    host = image.repository.partition("/")[0]
    on = f" (looked up {image.registry_checked:%Y-%m-%d %H:%M} UTC)" if image.registry_checked else ""
    if image.registry_state is RegistryState.MISSING and image.optimized:
        return f"It is missing in the registry{on}: it works on from its optimized copy, and deleting that is final."
    if image.registry_state is RegistryState.UNREACHABLE:
        return f"The registry {host} cannot be reached{on}: what is not on the machine cannot be pulled for now."
    if image.registry_state is RegistryState.FORBIDDEN:
        return (
            f"The registry {host} does not let the community's service agent see it{on}: it cannot be pulled before "
            "the community's administrator gives the agent that right, or its secret anew."
        )
    if image.registry_state is RegistryState.RATE_LIMITED:
        wait = f" until {limited_until:%H:%M} UTC" if limited_until else ""
        return (
            f"The registry {host} limits requests and takes no more{wait}{on}: what is not on the machine cannot be "
            "pulled for now; wait, or sign the service agent in as somebody whom it allows more."
        )
    return registry_lost(image)


def why_absent(image: Image, engine_id: str, address: str) -> str:
    """Return why the engine does not hold an image that was made, with what to do."""
    if image.engine_id in ("", engine_id):
        return f"{image.spec} is no longer in the engine; {_build_again(image)}."
    return (
        f"{image.spec} was built on another engine than the one at {address}, which does not hold it; go back to that "
        f"engine (DockerEngine.host or DOCKER_HOST), or {_build_again(image)}."
    )


def _build_again(image: Image) -> str:
    return f"build it again from its recipe with `jupyter image build {image.name} --from-image {image.spec}`"


def warnings(
    image: Image, machine: str = "", absent: str = "", retired: str = "", limited_until: datetime | None = None
) -> tuple[str, ...]:
    """Return what a person should know before relying on an image.

    Parameters
    ----------
    machine : str
        The engine's architecture; empty when it is not known.
    absent : str
        Why the engine does not hold it; empty when it does, or when that is not known.
    retired : str
        What a retirement means for it; empty when none reaches it.
    limited_until : datetime, optional
        When its registry, which limits requests, will answer again.
    """
    found = [retired] if retired and image.state not in (ImageState.BUILDING, ImageState.FAILED) else []
    if image.state in (ImageState.MISSING, ImageState.UNUSABLE):
        found.append(why_unusable(image) or "")
    elif said := registry_warning(image, limited_until):
        found.append(said)
    elif absent:
        found.append(absent)
    if machine and image.architecture and image.architecture != machine:
        found.append(f"It is made for {image.architecture} and this machine is {machine}: kernels cannot run in it.")
    if image.report is not None:
        if image.state is ImageState.READY and not image.report.ok:
            found.append(
                f"The last check found that it lacks what a kernel needs ({lacking(image.report)}); "
                f"`jupyter image check --fix {image.spec}` builds the next version with it."
            )
        found += [item.message or item.title for item in image.report.items if not item.ok and not item.required]
    return tuple(found)


def rebuilding(recipe: Recipe | None) -> tuple[str, ...]:
    """Return what a later build from a recipe needs that is not kept with it."""
    if recipe is None:
        return ()
    found = []
    if recipe.reference and "@" not in recipe.reference and recipe.kind in (SourceKind.IMPORT, SourceKind.DUPLICATE):
        found.append(
            f"{recipe.reference} has no digest, since it came from no registry: building again takes whatever has that "
            "name then. Push it to a registry and import it from there to pin it."
        )
    if recipe.kind is SourceKind.ARCHIVE and recipe.context_digest and not recipe.context_stored:
        found.append(
            f"The archive {recipe.reference} ({recipe.context_digest[:19]}, {recipe.context_size / 1e6:.0f} MB) was "
            "too big to keep: building again needs the file where it was, so keep it."
        )
    elif recipe.context_digest and not recipe.context_stored:
        found.append(
            f"The context ({recipe.context_digest[:19]}, {recipe.context_size / 1e6:.0f} MB) was too big to keep: "
            f"building again takes the folder {recipe.context_path!r} as it is then."
        )
    own = re.search(r"^FROM (jupyter-image-manager/(?!archive:)\S+)", recipe.dockerfile, re.M)
    if own:
        found.append(f"It stands on {own[1]}, an image of this machine alone: building again needs that image.")
    return tuple(found)
