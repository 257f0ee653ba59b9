"""Projects in the store, and the little file by which kernel starts know of them without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import Conflict, ImageNotFound, ProjectNotFound, StoreError
from ..models import Project
from .base import Records

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class ProjectRecords(Records):
    """Projects: insert, change, look up."""

    def add_project(self, project: Project) -> Project:
        """Insert a project.

        Raises
        ------
        Conflict
            Its folder is a project already.
        """
        from .rows import to_columns
        from .tables import ProjectRow

        with self._changing(project.path) as session:
            session.add(ProjectRow(**to_columns(project, set(ProjectRow.__table__.columns.keys()))))
            session.flush()
            self._note(session, "project", project.id, project.id, "created")
        return project

    def put_project(self, project: Project) -> Project:
        """Write every value of a project; :meth:`set_project` leaves alone what others may change meanwhile."""
        from .rows import to_columns
        from .tables import ProjectRow

        values = to_columns(project, set(ProjectRow.__table__.columns.keys()) - {"id"})
        self.set_project(project.id, **values)
        return project

    def set_project(self, id: str, **changes: Any) -> Project:
        """Change some values of a project.

        Raises
        ------
        ProjectNotFound
            It was deleted meanwhile.
        Conflict
            Another project has the folder.
        """
        from .rows import column

        with self._changing(str(changes.get("path", ""))) as session:
            row = self._project_row(session, id)
            for name, value in changes.items():
                setattr(row, name, column(value))
            session.flush()
            self._note(session, "project", id, id, "updated")
        return self._require_project(id)

    def activate_image(self, id: str, image_id: str | None) -> Project:
        """Make an image the active one, remembering what was; nothing happens if it is already.

        Raises
        ------
        ImageNotFound
            The image was deleted meanwhile.
        """
        from .tables import ImageRow

        with self._changing() as session:
            row = self._project_row(session, id)
            if image_id is not None and session.get(ImageRow, image_id) is None:
                raise ImageNotFound("That image is not there any more; list the images again.")
            if row.active_image_id != image_id:
                row.previous_image_id, row.active_image_id = row.active_image_id, image_id
                session.flush()
                self._note(session, "project", id, id, "activated")
        return self._require_project(id)

    def delete_project(self, id: str) -> None:
        """Forget a project.

        Raises
        ------
        Conflict
            It has images, perhaps since a moment ago.
        """
        from sqlalchemy import func, select

        from .tables import ImageRow, ProjectRow

        with self._changing() as session:
            row = session.get(ProjectRow, id)
            if row is None:
                return
            images = session.scalar(select(func.count()).where(ImageRow.project_id == id))
            if images:
                raise Conflict(f"The project {row.name!r} has {images} images; delete them first.")
            session.delete(row)
            self._note(session, "project", id, id, "deleted")

    @staticmethod
    def _project_row(session: Session, id: str) -> Any:
        from .tables import ProjectRow

        row = session.get(ProjectRow, id)
        if row is None:
            raise ProjectNotFound("That project is not there any more; list the projects again.")
        return row

    @contextmanager
    def _changing(self, path: str = "") -> Iterator[Session]:
        """Change projects, and what kernel starts read, as one: the file is written while other writers wait."""
        from sqlalchemy.exc import IntegrityError

        wrote = False
        try:
            with self._session(write=True) as session:
                yield session
                session.flush()
                self._write_active(session)
                wrote = True
        except StoreError as error:
            if wrote:
                # The commit failed: the file must not tell what the store does not.
                with self._session() as session:
                    self._write_active(session)
            if isinstance(error.__cause__, IntegrityError):
                raise Conflict(f"{path} is already a project.") from error
            raise

    def _write_active(self, session: Session) -> None:
        from ..kernels import active

        try:
            active.write(self.directory, self._select(session))
        except OSError as error:
            raise StoreError(
                f"The file {self.directory / active.FILE} cannot be written: {error.strerror}; check the rights and "
                "the free space of its folder."
            ) from error

    def project(self, id: str) -> Project | None:
        """Return a project by id."""
        return next(iter(self._projects(id=id)), None)

    def _require_project(self, id: str) -> Project:
        found = self.project(id)
        if found is None:
            raise ProjectNotFound("That project is not there any more; list the projects again.")
        return found

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
        with self._session() as session:
            return self._select(session, **where)

    @staticmethod
    def _select(session: Session, **where: str) -> list[Project]:
        from sqlalchemy import select

        from .rows import to_model
        from .tables import ProjectRow

        rows = session.scalars(select(ProjectRow).filter_by(**where).order_by(ProjectRow.name, ProjectRow.id))
        return [to_model(Project, row, found=True) for row in rows]
