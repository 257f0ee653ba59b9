"""A build or check that is followed to its end, and what is said of it then."""

from __future__ import annotations

import threading
from typing import Any, Protocol

from ..builds.failure import PUSH_FAILED
from ..errors import ImageManagerError
from ..models import Build, BuildKind, BuildState, ImageSummary, Report, as_json
from .context import Context
from .output import BuildDisplay, duration

UNREACHABLE = 3
"""Exit code where a registry was not reached, or refused."""
FOLLOW_INTERVAL = 0.3
"""Seconds between two looks at a build's row while its log is followed."""


def finish(context: Context, build: Build) -> int:
    """Follow a build to its end, unless told not to, and say what came of it."""
    manager, console = context.manager, context.console
    image = manager.images.get(context.actor, build.image_id)
    if build.joined:
        console.note(f"The same recipe is already being built as {image.image.spec}: this waits for it too.")
    if context.args.detach:
        if console.as_json:
            console.document(image.as_json() | {"build": as_json(build)})
        else:
            done = "pushed" if build.kind is BuildKind.PUSH else "built"
            console.say(f"{image.image.spec} is being {done}; follow it with `jupyter image log {image.image.spec}`.")
        return 0
    try:
        build = follow_build(context, build, BuildDisplay(console, image.image.spec))
    except KeyboardInterrupt:
        manager.builds.cancel(context.actor, build.id)
        console.note(f"{image.image.spec}: cancelled. Nothing else has changed.")
        return 130
    return report_outcome(context, build)


class Display(Protocol):
    """Where the progress of a build is shown: a terminal or a cell."""

    def __enter__(self) -> Any:
        """Begin to draw."""

    def __exit__(self, *exc: object) -> None:
        """Leave the place as it was."""

    def show(self, build: Build) -> None:
        """Show where the build is."""

    def line(self, text: str) -> None:
        """Show, or remember, a line of the log."""


def follow_build(context: Context, build: Build, display: Display) -> Build:
    """Show a build until its end; return it as it ended."""
    builds = context.manager.builds
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(FOLLOW_INTERVAL):
            display.show(builds.get(context.actor, build.id))

    with display:
        display.show(build)
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            for line in builds.follow(context.actor, build.id):
                display.line(line.text)
        finally:
            ended.set()
            watcher.join()
    return builds.get(context.actor, build.id)


def report_outcome(context: Context, build: Build) -> int:
    """Say what came of a finished build; return the exit code."""
    console = context.console
    image = context.manager.images.get(context.actor, build.image_id)
    spec = image.image.spec
    if console.as_json:
        console.document(image.as_json() | {"build": as_json(build)})
    if build.state is BuildState.SUCCEEDED and image.image.state.value == "ready":
        seconds = (build.finished - build.started).total_seconds() if build.finished and build.started else None
        ready = "is in its registry" if build.kind is BuildKind.PUSH else "is ready"
        console.say(f"{spec} {ready} after {duration(seconds)}." + _next_step(image))
        _warn_of_quotas(context, image.image.project_id)
        return 0
    failure = build.failure
    if failure and not console.as_json:
        if failure.instruction:
            console.note(f"step {failure.step} failed: {failure.instruction}")
        for line in failure.lines:
            console.note("  " + line)
    message = failure.message if failure else f"{spec} {build.state.value}."
    hint = f" {failure.hint}" if failure and failure.hint else f" The whole log: `jupyter image log {spec}`."
    console.error(message + hint)
    if image.image.report is not None and not console.as_json:
        show_report(context, image.image.report, only_wrong=True)
    return UNREACHABLE if failure and failure.code == PUSH_FAILED else 1


def _warn_of_quotas(context: Context, project_id: str) -> None:
    """Say before a build is refused that a quota or the disk is nearly used up."""
    for warning in context.manager.images.usage(context.actor, project_id)["warnings"]:
        context.console.note(f"warning: {warning}")


def _next_step(image: ImageSummary) -> str:
    if image.active:
        return " It is active: new kernels of the project run in it."
    return f" Activate it with `jupyter image activate {image.image.spec}`."


def follow_check(context: Context, check: Build) -> Report:
    """Follow a check to its end; return what it found.

    Raises
    ------
    ImageManagerError
        It could not be made, or was cancelled.
    """
    images = context.manager.images
    spec = images.get(context.actor, check.image_id).image.spec
    try:
        ended = follow_build(context, check, BuildDisplay(context.console, spec))
    except KeyboardInterrupt:
        context.manager.builds.cancel(context.actor, check.id)
        raise
    report = images.get(context.actor, check.image_id).image.report
    failure = ended.failure
    if report is None or (failure is not None and failure.code != "image_unusable"):
        said = (
            f"{failure.message} {failure.hint}".strip() if failure else f"The check of {spec} is {ended.state.value}."
        )
        raise ImageManagerError(said, {"build_id": ended.id})
    return report


def show_report(context: Context, report: Report, *, only_wrong: bool = False) -> None:
    """Print each item of a check with its result and its cure."""
    for item in report.items:
        if only_wrong and item.ok:
            continue
        mark = "ok  " if item.ok else ("FAIL" if item.required else "warn")
        context.console.say(f"{mark}  {item.title}" + (f": {item.message}" if item.message else ""))
        if not item.ok:
            for line in item.cure:
                context.console.say(f"        {line}")
