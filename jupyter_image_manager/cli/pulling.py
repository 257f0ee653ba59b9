"""A pull that is followed: a bar on a terminal, a line from time to time elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..models import Image, Pull
from ..pulls import words
from .context import Context
from .output import duration, harmless, size

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SAY = 5.0
"""Seconds between two lines where no bar can be drawn."""
ID_PREFIX = 6


class PullDisplay:
    """Where the progress of a pull is shown."""

    def __init__(self, context: Context, spec: str) -> None:
        self.console, self.spec = context.console, spec
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._said = -SAY

    def __enter__(self) -> PullDisplay:
        """Begin to draw."""
        if self.console.terminal:
            from rich.console import Console as RichConsole
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

            self._progress = Progress(
                SpinnerColumn(),
                TextColumn("[bold]{task.fields[name]}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[about]}", markup=False),
                console=RichConsole(file=self.console.err),
                transient=True,
            )
            self._progress.start()
            self._task = self._progress.add_task("", name=harmless(self.spec), about="waiting", total=None)
        return self

    def __exit__(self, *exc: object) -> None:
        """Leave the terminal as it was."""
        if self._progress is not None:
            self._progress.stop()

    def show(self, pull: Pull) -> None:
        """Show how far it is."""
        if self._progress is not None and self._task is not None:
            left = pull.seconds_left
            about = f"{size(pull.current)} of {size(pull.total)} · {pull.layers_done} of {pull.layers} layers"
            self._progress.update(
                self._task,
                total=pull.total or None,
                completed=pull.current,
                about=about + (f" · {duration(left)} left" if left is not None else "") if pull.layers else "waiting",
            )
        elif not self.console.as_json and time.monotonic() - self._said >= SAY:
            self._said = time.monotonic()
            self.console.note(words.progress(self.spec, pull))


def follow(context: Context, pull: Pull, spec: str) -> None:
    """Show a pull to its end.

    Raises
    ------
    ImageManagerError
        It failed, or was cancelled.
    """
    with PullDisplay(context, spec) as display:
        context.manager.pulls.wait(context.actor, pull.id, progress=display.show)


def bring(context: Context, image: Image) -> None:
    """Have an image on this machine, as a command in it needs it; whoever waits may also give up."""
    from ..kernels.readiness import begin

    waiting = begin(context.manager, context.actor, image)
    if waiting is not None:
        follow(context, waiting.pull, image.spec)


def bring_active(context: Context, project_id: str) -> None:
    """Show the pull that an activation began; it goes on also when nobody looks any more."""
    manager, project = context.manager, context.manager.projects.get(context.actor, project_id)
    if project.active_image_id is None:
        return
    image = manager.images.image(context.actor, project.active_image_id)
    if not image.pinned:
        return
    pull = manager.pulls.ensure(context.actor, image, unattended=True)
    if pull is None:
        return
    try:
        follow(context, pull, image.spec)
    except KeyboardInterrupt:
        context.console.note(
            f"{image.spec} is pulled in the background; `jupyter image cancel {image.spec}` ends that."
        )


def cancelled(context: Context, text: str) -> Pull | None:
    """Cancel the pull that an id, or the image that is pulled, means; None when no pull is meant."""
    pulls, project = context.manager.pulls, context.project()
    for pull in pulls.list(context.actor, project.id, active=True):
        image = context.manager.images.image(context.actor, pull.image_id)
        if text in (image.spec, image.id) or (len(text) >= ID_PREFIX and pull.id.startswith(text)):
            return pulls.cancel(context.actor, pull.id)
    return None
