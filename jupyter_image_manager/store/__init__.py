"""Projects, images, recipes and builds, kept: SQLite embedded, or PostgreSQL by URL.

Rows become the dataclasses of :mod:`jupyter_image_manager.models` before they leave. Every write is one short
transaction that also appends to ``changes``, from which the server's events come.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from traitlets import Enum, Float, Unicode
from traitlets.config import LoggingConfigurable

from ..errors import BuildNotFound, Conflict, ImageNotFound, InvalidRequest, ProjectNotFound, StoreError
from ..models import FINISHED_BUILD_STATES, Build, BuildState, Image, ImageState, Project, Recipe, utcnow

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine as Database
    from sqlalchemy.orm import Session

T = TypeVar("T")
ACTIVE = tuple(s.value for s in (BuildState.BUILDING, BuildState.CHECKING, BuildState.SAVING, BuildState.PUSHING))
UNFINISHED = (BuildState.QUEUED.value, *ACTIVE)
IMMUTABLE = frozenset(
    {"id", "project_id", "name", "version", "recipe_id", "created", "created_by", "engine_image", "digest"}
)
KEPT_CHANGES = 10_000
"""How many of the newest changes are kept; older ones were seen by everybody."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a project, image, build or kernel."""

    sequence: int
    noun: str
    id: str
    project_id: str
    action: str
    data: dict[str, Any] = field(default_factory=dict)


class Store(LoggingConfigurable):
    """The one door to the database. Calls may come from any thread and process."""

    url = Unicode("", help="SQLAlchemy URL of the database. Default: SQLite in the data folder.").tag(config=True)
    journal_mode = Enum(
        ["WAL", "DELETE"],
        "WAL",
        help="Journal mode of SQLite: WAL on local disks, DELETE where the data folder lies on a network file system.",
    ).tag(config=True)
    busy_timeout = Float(30.0, help="Seconds to wait for another process that is writing.").tag(config=True)

    def __init__(self, *, directory: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.directory = directory
        self._lock = threading.Lock()

    @cached_property
    def _database(self) -> Database:
        from .connection import connect

        return connect(self.url, self.directory, journal_mode=self.journal_mode, busy_timeout=self.busy_timeout)

    @contextmanager
    def _session(self, *, write: bool = False) -> Iterator[Session]:
        from sqlalchemy.exc import SQLAlchemyError
        from sqlalchemy.orm import Session

        from .connection import explain

        with self._lock:
            database = self._database
        try:
            with Session(database, expire_on_commit=False) as session, session.begin():
                if write and database.dialect.name == "sqlite":
                    session.connection().exec_driver_sql("BEGIN IMMEDIATE")
                yield session
        except SQLAlchemyError as error:
            raise explain(error, self.place) from error

    @property
    def place(self) -> str:
        """Where the database is, for messages; without a password."""
        if not self.url:
            return str(self.directory / "store.sqlite")
        from sqlalchemy import make_url

        return make_url(self.url).render_as_string(hide_password=True)

    def close(self) -> None:
        """Let go of the connections."""
        if "_database" in self.__dict__:
            self._database.dispose()
            del self.__dict__["_database"]

    # Facts and changes
    def installation_id(self) -> str:
        """Return the id by which this installation's containers and images are told from others'."""
        from .tables import FactRow

        with self._session() as session:
            found = session.get(FactRow, "installation")
            if found is not None:
                return found.value
        with self._session(write=True) as session:
            found = session.get(FactRow, "installation")
            if found is None:
                found = FactRow(name="installation", value=uuid.uuid4().hex)
                session.add(found)
            return found.value

    def last_change(self) -> int:
        """Return the sequence number of the newest change."""
        from sqlalchemy import func, select

        from .tables import ChangeRow

        with self._session() as session:
            return session.scalar(select(func.max(ChangeRow.sequence))) or 0

    def changes(self, after: int, limit: int = 500) -> list[Change]:
        """Return what changed after a sequence number, in order."""
        from sqlalchemy import select

        from .tables import ChangeRow

        with self._session() as session:
            query = select(ChangeRow).where(ChangeRow.sequence > after).order_by(ChangeRow.sequence).limit(limit)
            return [
                Change(r.sequence, r.noun, r.id, r.project_id, r.action, dict(r.data)) for r in session.scalars(query)
            ]

    def note_change(self, noun: str, id: str, project_id: str, action: str, data: dict[str, Any] | None = None) -> None:
        """Record a change that has no row of its own, such as a kernel's death."""
        with self._session(write=True) as session:
            self._note(session, noun, id, project_id, action, data)

    def _note(
        self, session: Session, noun: str, id: str, project_id: str, action: str, data: dict[str, Any] | None = None
    ) -> None:
        from sqlalchemy import delete

        from .tables import ChangeRow

        row = ChangeRow(noun=noun, id=id, project_id=project_id, action=action, at=utcnow(), data=data or {})
        session.add(row)
        session.flush()
        if row.sequence % 1000 == 0:
            session.execute(delete(ChangeRow).where(ChangeRow.sequence <= row.sequence - KEPT_CHANGES))

    # Projects
    def add_project(self, project: Project) -> Project:
        """Insert a project."""
        return self._write_project(project, "created")

    def put_project(self, project: Project) -> Project:
        """Write a project's present values."""
        return self._write_project(project, "updated")

    def _write_project(self, project: Project, action: str) -> Project:
        from sqlalchemy.exc import IntegrityError

        from .rows import to_columns
        from .tables import ProjectRow

        values = to_columns(project, set(ProjectRow.__table__.columns.keys()))
        try:
            with self._session(write=True) as session:
                if action == "created":
                    session.add(ProjectRow(**values))
                else:
                    row = session.get(ProjectRow, project.id)
                    if row is None:
                        raise ProjectNotFound(f"The project {project.name!r} is not there any more.")
                    for name, value in values.items():
                        setattr(row, name, value)
                session.flush()
                self._note(session, "project", project.id, project.id, action)
        except StoreError as error:
            if isinstance(error.__cause__, IntegrityError):
                raise Conflict(f"{project.path} is already a project.") from error
            raise
        self._write_active()
        return project

    def _write_active(self) -> None:
        from ..kernels import active

        active.write(self.directory, self.projects())

    def delete_project(self, id: str) -> None:
        """Forget a project."""
        from .tables import ProjectRow

        with self._session(write=True) as session:
            row = session.get(ProjectRow, id)
            if row is not None:
                session.delete(row)
                self._note(session, "project", id, id, "deleted")
        self._write_active()

    def project(self, id: str) -> Project | None:
        """Return a project by id."""
        return next(iter(self._projects(id=id)), None)

    def project_at(self, path: str) -> Project | None:
        """Return the project whose folder this is."""
        return next(iter(self._projects(path=path)), None)

    def project_by_folder(self, folder_id: str) -> Project | None:
        """Return the project whose folder had this device and inode."""
        return next(iter(self._projects(folder_id=folder_id)), None)

    def projects(self) -> list[Project]:
        """Return every project, by name."""
        return self._projects()

    def _projects(self, **where: str) -> list[Project]:
        from sqlalchemy import select

        from .rows import to_model
        from .tables import ProjectRow

        with self._session() as session:
            rows = session.scalars(select(ProjectRow).filter_by(**where).order_by(ProjectRow.name, ProjectRow.id))
            return [to_model(Project, row, found=True) for row in rows]

    # Images
    def add_image(self, image: Image, recipe: Recipe) -> Image:
        """Insert an image with its recipe; its version is the next one of its name, whoever else inserts now."""
        from sqlalchemy import func, select

        from ..models import as_json
        from .rows import to_columns
        from .tables import ImageRow, RecipeRow

        columns = set(ImageRow.__table__.columns.keys())
        with self._session(write=True) as session:
            version = image.version
            if version < 1:
                query = select(func.max(ImageRow.version)).filter_by(project_id=image.project_id, name=image.name)
                last = session.scalar(query) or 0
                deleted = self._last_deleted(session, image.project_id, image.name)
                version = max(last, deleted) + 1
            if session.get(RecipeRow, recipe.id) is None:
                session.add(RecipeRow(id=recipe.id, digest=recipe.digest, content=as_json(recipe)))
                session.flush()
            session.add(ImageRow(**{**to_columns(image, columns), "version": version}))
            session.flush()
            self._note(session, "image", image.id, image.project_id, "created")
        return self._require_image(image.id)

    @staticmethod
    def _version_fact(project_id: str, name: str) -> str:
        import hashlib

        return "version:" + hashlib.sha256(f"{project_id}/{name}".encode()).hexdigest()[:40]

    def _last_deleted(self, session: Session, project_id: str, name: str) -> int:
        """Return the highest deleted version of a name: a number that once meant an image never means another."""
        from .tables import FactRow

        found = session.get(FactRow, self._version_fact(project_id, name))
        return int(found.value) if found else 0

    def image(self, id: str) -> Image | None:
        """Return an image with its report."""
        from .rows import to_model
        from .tables import ImageRow

        with self._session() as session:
            row = session.get(ImageRow, id)
            return None if row is None else to_model(Image, row)

    def _require_image(self, id: str) -> Image:
        found = self.image(id)
        if found is None:
            raise ImageNotFound("That image is not there any more; list the images again.")
        return found

    def images(
        self,
        project_id: str | None,
        *,
        state: ImageState | None = None,
        search: str = "",
        after: str | None = None,
        limit: int | None = None,
        with_report: bool = False,
    ) -> list[Image]:
        """Return a project's images (None: the system's), newest first; `after` is the id of the last one seen."""
        from sqlalchemy import func, or_, select, tuple_
        from sqlalchemy.orm import undefer

        from .rows import to_model
        from .tables import ImageRow

        query = select(ImageRow).order_by(ImageRow.created.desc(), ImageRow.id.desc())
        query = query.filter_by(project_id=project_id) if project_id is not None else query.filter_by(system=True)
        if state is not None:
            query = query.filter_by(state=state.value)
        if search:
            like = "%" + search.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            query = query.where(
                or_(
                    func.lower(ImageRow.name).like(like, escape="\\"),
                    func.lower(ImageRow.description).like(like, escape="\\"),
                )
            )
        if with_report:
            query = query.options(undefer(ImageRow.report))
        with self._session() as session:
            if after is not None:
                last = session.get(ImageRow, after)
                if last is None:
                    raise InvalidRequest("The list has changed since: `after` names no image; begin again without it.")
                query = query.where(tuple_(ImageRow.created, ImageRow.id) < (last.created, last.id))
            rows = session.scalars(query.limit(limit) if limit is not None else query)
            return [to_model(Image, row, **({} if with_report else {"report": None})) for row in rows]

    def images_named(self, project_id: str, name: str) -> list[Image]:
        """Return every version of a name, newest first."""
        from sqlalchemy import select

        from .rows import to_model
        from .tables import ImageRow

        query = select(ImageRow).filter_by(project_id=project_id, name=name).order_by(ImageRow.version.desc())
        with self._session() as session:
            return [to_model(Image, row, report=None) for row in session.scalars(query)]

    def find_image_ids(self, prefix: str) -> list[str]:
        """Return the ids that begin with these characters."""
        from sqlalchemy import select

        from .tables import ImageRow

        with self._session() as session:
            return list(session.scalars(select(ImageRow.id).where(ImageRow.id.startswith(prefix, autoescape=True))))

    def set_image(self, id: str, **changes: Any) -> Image:
        """Change an image; what decides its content never changes once it is ready (R7)."""
        from .rows import column
        from .tables import ImageRow

        with self._session(write=True) as session:
            row = session.get(ImageRow, id)
            if row is None:
                raise ImageNotFound("That image is not there any more; list the images again.")
            fixed = IMMUTABLE if row.state in ("ready", "missing") else IMMUTABLE - {"engine_image", "digest"}
            for name, value in changes.items():
                if name in fixed and getattr(row, name) != column(value):
                    raise Conflict(
                        f"{row.name}:{row.version} is immutable: its {name} cannot change; build a new version."
                    )
                setattr(row, name, column(value))
            session.flush()
            self._note(session, "image", id, row.project_id, "updated")
        return self._require_image(id)

    def delete_image(self, id: str) -> None:
        """Forget an image; its version number is never given again."""
        from .tables import FactRow, ImageRow

        with self._session(write=True) as session:
            row = session.get(ImageRow, id)
            if row is None:
                return
            name = self._version_fact(row.project_id, row.name)
            session.merge(
                FactRow(name=name, value=str(max(row.version, self._last_deleted(session, row.project_id, row.name))))
            )
            session.delete(row)
            self._note(session, "image", id, row.project_id, "deleted")

    def recipe(self, id: str) -> Recipe | None:
        """Return a recipe."""
        from .rows import from_json
        from .tables import RecipeRow

        with self._session() as session:
            row = session.get(RecipeRow, id)
            return None if row is None else from_json(Recipe, row.content)

    # Builds
    def add_build(self, build: Build) -> Build:
        """Insert a build."""
        from .rows import to_columns
        from .tables import BuildRow, ImageRow

        with self._session(write=True) as session:
            session.add(BuildRow(**to_columns(build, set(BuildRow.__table__.columns.keys()))))
            image = session.get(ImageRow, build.image_id)
            if image is not None:
                image.last_build_id = build.id
            session.flush()
            self._note(session, "build", build.id, build.project_id, build.state.value)
        return build

    def build(self, id: str) -> Build | None:
        """Return a build."""
        from .rows import to_model
        from .tables import BuildRow

        with self._session() as session:
            row = session.get(BuildRow, id)
            return None if row is None else to_model(Build, row)

    def builds(
        self,
        *,
        project_id: str | None = None,
        active: bool | None = None,
        image_id: str | None = None,
        limit: int | None = None,
    ) -> list[Build]:
        """Return builds, newest first."""
        from sqlalchemy import select

        from .rows import to_model
        from .tables import BuildRow

        query = select(BuildRow).order_by(BuildRow.created.desc(), BuildRow.id.desc())
        if project_id is not None:
            query = query.filter_by(project_id=project_id)
        if image_id is not None:
            query = query.filter_by(image_id=image_id)
        if active is not None:
            query = query.where(BuildRow.state.in_(UNFINISHED) if active else BuildRow.state.not_in(UNFINISHED))
        with self._session() as session:
            return [to_model(Build, row) for row in session.scalars(query.limit(limit) if limit is not None else query)]

    def set_build(self, id: str, **changes: Any) -> Build:
        """Change a build; one that has ended stays as it ended."""
        return self._change_build(id, changes)

    def restart_build(self, id: str, **changes: Any) -> Build:
        """Queue a finished build once more."""
        fresh = {
            "state": BuildState.QUEUED,
            "started": None,
            "finished": None,
            "heartbeat": None,
            "step": 0,
            "failure": None,
            "worker": "",
            "cancel_requested": False,
            "log_lines": 0,
        }
        return self._change_build(id, fresh | changes, restart=True)

    def _change_build(self, id: str, changes: dict[str, Any], *, restart: bool = False) -> Build:
        from .rows import column, to_model
        from .tables import BuildRow

        with self._session(write=True) as session:
            row = session.get(BuildRow, id)
            if row is None:
                raise BuildNotFound("That build is not there any more.")
            finished = BuildState(row.state) in FINISHED_BUILD_STATES
            if finished != restart:
                if "state" in changes or restart:
                    raise Conflict(
                        f"The build is {row.state}; " + ("it has to end first." if restart else "it has ended.")
                    )
                if set(changes) - {"joined", "log_lines"}:
                    raise Conflict(f"The build is {row.state}: it has ended.")
            if restart:
                row.attempt += 1
            before = (row.state, row.step)
            for name, value in changes.items():
                setattr(row, name, column(value))
            session.flush()
            if (row.state, row.step) != before:
                self._note(session, "build", id, row.project_id, row.state)
            return to_model(Build, row)

    def claim_slot(self, id: str, limit: int) -> bool:
        """Let a queued build begin, if fewer than `limit` run and none has waited longer."""
        from sqlalchemy import func, select

        from .tables import BuildRow

        with self._session(write=True) as session:
            row = session.get(BuildRow, id)
            if row is None or row.state != BuildState.QUEUED.value:
                return False
            running = session.scalar(select(func.count()).where(BuildRow.state.in_(ACTIVE))) or 0
            waiting = select(func.count()).where(
                BuildRow.state == BuildState.QUEUED.value, BuildRow.created < row.created, BuildRow.worker != ""
            )
            if running + (session.scalar(waiting) or 0) >= limit:
                return False
            now = utcnow()
            row.state, row.started, row.heartbeat = BuildState.BUILDING.value, now, now
            self._note(session, "build", id, row.project_id, row.state)
            return True

    def active_build_of(self, project_id: str, name: str, recipe_digest: str) -> Build | None:
        """Return an unfinished build of the same recipe under the same name (R8)."""
        from sqlalchemy import select

        from .rows import to_model
        from .tables import BuildRow, ImageRow, RecipeRow

        query = (
            select(BuildRow)
            .join(ImageRow, ImageRow.id == BuildRow.image_id)
            .join(RecipeRow, RecipeRow.id == ImageRow.recipe_id)
            .where(
                ImageRow.project_id == project_id,
                ImageRow.name == name,
                RecipeRow.digest == recipe_digest,
                BuildRow.state.in_(UNFINISHED),
            )
            .limit(1)
        )
        with self._session() as session:
            row = session.scalar(query)
            return None if row is None else to_model(Build, row)

    def durations(self, project_id: str, name: str, template: str = "") -> list[float]:
        """Return the seconds of earlier successful builds of this name, else of the template, newest first."""
        from sqlalchemy import select

        from .tables import BuildRow, ImageRow, RecipeRow

        query = (
            select(BuildRow.started, BuildRow.finished, ImageRow.name, RecipeRow.content)
            .join(ImageRow, ImageRow.id == BuildRow.image_id)
            .join(RecipeRow, RecipeRow.id == ImageRow.recipe_id)
            .where(ImageRow.project_id == project_id, BuildRow.state == BuildState.SUCCEEDED.value)
            .order_by(BuildRow.created.desc())
            .limit(50)
        )
        with self._session() as session:
            rows = [r for r in session.execute(query) if r.started and r.finished]
        same = [r for r in rows if r.name == name]
        like = same or [r for r in rows if template and (r.content.get("template") or {}).get("name") == template]
        return [(r.finished - r.started).total_seconds() for r in like]
