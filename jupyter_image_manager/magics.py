"""``%image`` and ``%%image`` in a notebook: status, list, use, build with live progress in the cell.

The words are those of the command line (:mod:`jupyter_image_manager.cli`); only what is shown differs.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.display import display

from . import lifecycle
from .cli.builds import request_from
from .cli.context import Context, WrongUsage
from .cli.following import follow_build
from .cli.main import build_parser
from .cli.output import Console, ago, duration, harmless, size
from .errors import ImageManagerError
from .models import Build, BuildState, ImageSummary, Project

TAIL = 6
"""Lines of the log shown below the progress of a running build."""


@dataclass(frozen=True)
class Table:
    """Rows with a heading, as HTML where the client shows it and as text elsewhere."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        cells = [self.head, *self.rows]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.head))]
        text = "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells)
        head = "".join(f"<th style='text-align:left'>{escape(cell)}</th>" for cell in self.head)
        body = "".join(
            "<tr>" + "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self.rows
        )
        html = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if self.rows else ""
        if self.note:
            html += f"<p>{escape(self.note)}</p>"
            text = f"{text}\n{self.note}" if self.rows else self.note
        return {"text/plain": text, "text/html": html}


@dataclass(frozen=True)
class BuildView:
    """A build as it stands: what runs, how far it is, the last lines of its log."""

    spec: str
    build: Build
    lines: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """One sentence that says where the build is."""
        build = self.build
        if build.state is BuildState.SUCCEEDED:
            return f"{self.spec} is ready."
        if build.done:
            return build.failure.message if build.failure else f"The build of {self.spec} was {build.state.value}."
        return f"{self.spec}: {lifecycle.place(build)}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        build = self.build
        about = f" · about {duration(build.estimate)} in all" if build.estimate and not build.done else ""
        lines = build.failure.lines if build.failure else (() if build.done else self.lines)
        text = "\n".join([self.headline + about, *("  " + harmless(line) for line in lines)])
        part = 100 if build.state is BuildState.SUCCEEDED else (100 * max(0, build.step - 1) // max(1, build.steps))
        bar = "" if build.done else f"<progress max='100' value='{part}' style='width:24em'></progress>"
        pre = f"<pre style='margin:0'>{escape(chr(10).join(harmless(line) for line in lines))}</pre>" if lines else ""
        return {"text/plain": text, "text/html": f"<div>{escape(self.headline + about)}</div>{bar}{pre}"}


class CellDisplay:
    """Live progress of a build in a cell's output: the counterpart of the terminal's bar."""

    def __init__(self, spec: str, build: Build) -> None:
        self.view = BuildView(spec, build)
        self.handle: Any = display(self.view, display_id=True)  # type: ignore[no-untyped-call]

    def __enter__(self) -> CellDisplay:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def show(self, build: Build) -> None:
        """Show where the build is now."""
        if (view := replace(self.view, build=build)) != self.view:
            self.view = view
        self.handle.update(self.view)

    def line(self, text: str) -> None:
        """Remember a line of the log; drawn with the next look at the build."""
        self.view = replace(self.view, lines=(*self.view.lines, text)[-TAIL:])


@magics_class
class ImageMagics(Magics):
    """``%image``."""

    @line_cell_magic
    def image(self, line: str, cell: str | None = None) -> Any:
        """Environment of this notebook's project.

        ``%image`` says which image is active; ``%image list``; ``%image use NAME``; ``%image build NAME ...`` with
        the options of ``jupyter image build``; ``%%image NAME`` builds the cell, a Dockerfile. Any other command of
        ``jupyter image`` works too, for example ``%image packages``.
        """
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"%image: {error}") from None
        if cell is not None and words[:1] != ["build"]:
            words = ["build", *words]
        if words[:1] == ["use"]:
            words = ["deactivate"] if words[1:] in (["none"], ["server"]) else ["activate", *words[1:]]
        context = self._context(words)
        try:
            return self._run(context, words, cell)
        except (ImageManagerError, WrongUsage) as error:
            raise UsageError(f"%image: {error}") from None
        finally:
            context.close()

    def _context(self, words: list[str]) -> Context:
        parser = build_parser()
        try:
            args = parser.parse_args(words or ["show"])
        except SystemExit as stop:
            raise UsageError("%image: the words are off, see `%image --help`") from (stop if stop.code else None)
        return Context(args, Console(as_json=False, plain=True))

    def _run(self, context: Context, words: list[str], cell: str | None) -> Any:
        command = words[0] if words else None
        if command is None:
            return self._status(context)
        if command == "list":
            return self._list(context)
        if command == "build":
            return self._build(context, cell)
        context.args.run(context)
        if command in ("activate", "deactivate"):
            print("Restart this notebook's kernel to switch.")
        return None

    def _status(self, context: Context) -> Table:
        project = context.manager.projects.enclosing(context.actor, str(context.folder))
        if project is None or project.active_image_id is None:
            where = f"The project {project.name!r} has" if project else "This folder belongs to no project, so it has"
            return Table((), (), f"{where} no active image: kernels run in the server's environment.")
        active = context.manager.images.get(context.actor, project.active_image_id)
        return Table(
            ("image", "state", "storage", "python", "size", "digest"),
            (self._row(active, digest=True),),
            " ".join(active.warnings) or f"Active in the project {project.name!r}.",
        )

    def _list(self, context: Context) -> Table:
        project: Project = context.project()
        found = context.manager.images.list(context.actor, project.id)
        rows = tuple((*self._row(s), ago(s.image.created)) for s in found)
        note = "" if rows else f"The project {project.name!r} has no images yet; build one with %image build NAME."
        return Table(("image", "state", "storage", "python", "size", "created"), rows, note)

    @staticmethod
    def _row(summary: ImageSummary, *, digest: bool = False) -> tuple[str, ...]:
        image = summary.image
        state = "active" if summary.active else image.state.value
        row = (image.spec, state, lifecycle.kept_in(image), image.python_version or "—", size(image.size))
        return (*row, image.digest[:19] or "—") if digest else row

    def _build(self, context: Context, cell: str | None) -> None:
        with context.project_or_new() as project:
            request = request_from(context, project)
            if cell is not None:
                request = replace(request, dockerfile_text=cell)
            build = context.manager.builds.submit(context.actor, project.id, request)
        spec = context.manager.images.get(context.actor, build.image_id).image.spec
        shown = CellDisplay(spec, build)
        if context.args.detach:
            return
        try:
            build = follow_build(context, build, shown)
        except KeyboardInterrupt:
            build = context.manager.builds.cancel(context.actor, build.id)
        shown.show(build)


def load(ipython: Any) -> None:
    """Register the magics with an IPython shell."""
    ipython.register_magics(ImageMagics)
