"""Images and recipes in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import Conflict, ImageInUse, ImageNotFound, InvalidRequest, ProjectNotFound
from ..models import Image, ImageState, Recipe, Storage
from .base import Records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

IMMUTABLE = frozenset(
    {"id", "project_id", "name", "version", "recipe_id", "created", "created_by", "engine_image", "digest"}
)
CONTENT_FIXED = (ImageState.READY.value, ImageState.MISSING.value)
AT_ONCE = 100
"""Rows that are fetched at a time: what lives shortly costs the collector of garbage little."""
UNMADE = (ImageState.BUILDING.value, ImageState.FAILED.value)


class ImageRecords(Records):
    """Images and what they are built from. What decides an image's content is written once (R7)."""

    def add_image(self, image: Image, recipe: Recipe) -> Image:
        """Insert an image with its recipe; its version is the next one of its name, whoever else inserts now."""
        from sqlalchemy import func, select

        from ..models import as_json
        from .rows import to_columns
        from .tables import ImageRow, ProjectRow, RecipeRow

        columns = set(ImageRow.__table__.columns.keys())
        with self._session(write=True) as session:
            if not image.system and session.get(ProjectRow, image.project_id) is None:
                raise ProjectNotFound("That project is not there any more; list the projects again.")
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

    def add_recipe(self, recipe: Recipe) -> Recipe:
        """Insert a recipe by itself: a build's, once it is known what was really sent."""
        from ..models import as_json
        from .tables import RecipeRow

        with self._session(write=True) as session:
            session.add(RecipeRow(id=recipe.id, digest=recipe.digest, content=as_json(recipe)))
        return recipe

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
        return [
            *self.each_image(project_id, state=state, search=search, after=after, limit=limit, with_report=with_report)
        ]

    def each_image(
        self,
        project_id: str | None,
        *,
        state: ImageState | None = None,
        search: str = "",
        after: str | None = None,
        limit: int | None = None,
        with_report: bool = False,
    ) -> Iterator[Image]:
        """Yield what :meth:`images` returns, one by one: of thousands, few are then in memory at a time."""
        from sqlalchemy import func, or_, select, tuple_

        from .rows import to_models
        from .tables import ImageRow

        # Plain columns: two thousand images are listed while somebody waits.
        columns = [c for c in ImageRow.__table__.columns if with_report or c.key != "report"]
        query = select(*columns).order_by(ImageRow.created.desc(), ImageRow.id.desc())
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
        with self._session() as session:
            if after is not None:
                last = session.get(ImageRow, after)
                if last is None:
                    raise InvalidRequest("The list has changed since: `after` names no image; begin again without it.")
                query = query.where(tuple_(ImageRow.created, ImageRow.id) < (last.created, last.id))
            rows = session.execute(query.limit(limit).execution_options(yield_per=AT_ONCE))
            yield from to_models(Image, [c.key for c in columns], rows, **({} if with_report else {"report": None}))

    def count_images(self, project_id: str) -> int:
        """Return how many images a project has."""
        from sqlalchemy import func, select

        from .tables import ImageRow

        with self._session() as session:
            return session.scalar(select(func.count()).where(ImageRow.project_id == project_id)) or 0

    def images_named(self, project_id: str, name: str) -> list[Image]:
        """Return every version of a name, newest first."""
        from sqlalchemy import select

        from .rows import to_model
        from .tables import ImageRow

        query = select(ImageRow).filter_by(project_id=project_id, name=name).order_by(ImageRow.version.desc())
        with self._session() as session:
            return [to_model(Image, row, report=None) for row in session.scalars(query)]

    def images_of_engine(self, engine_image: str) -> list[str]:
        """Return the ids of all images, of any project, that are this one image of the engine."""
        from sqlalchemy import select

        from .tables import ImageRow

        with self._session() as session:
            return list(session.scalars(select(ImageRow.id).filter_by(engine_image=engine_image)))

    def unmade_images(self) -> list[Image]:
        """Return images that nobody makes and that are not made: still in state building, or failed with a reference.

        A failed image's reference is the tag by which the engine may hold something of it.
        """
        from sqlalchemy import or_, select

        from .builds import UNFINISHED
        from .rows import to_model
        from .tables import BuildRow, ImageRow

        building, failed = ImageRow.state == ImageState.BUILDING.value, ImageRow.state == ImageState.FAILED.value
        query = select(ImageRow).where(
            ImageRow.id.not_in(select(BuildRow.image_id).where(BuildRow.state.in_(UNFINISHED))),
            or_(building, failed & (ImageRow.reference != "")),
        )
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
            fixed = IMMUTABLE if row.state in CONTENT_FIXED else IMMUTABLE - {"engine_image", "digest", "recipe_id"}
            # The first push gives it the digest by which its registry knows it; the database holds to that too.
            pushed = row.storage == Storage.REGISTRY.value and not row.repository and changes.get("repository")
            for name, value in changes.items():
                if name in fixed and getattr(row, name) != column(value) and not (pushed and name == "digest"):
                    raise Conflict(
                        f"{row.name}:{row.version} is immutable: its {name} cannot change; build a new version."
                    )
                if name == "state" and row.state in CONTENT_FIXED and value in UNMADE:
                    raise Conflict(f"{row.name}:{row.version} is made; it cannot be {ImageState(value).value} again.")
                setattr(row, name, column(value))
            session.flush()
            self._note(session, "image", id, row.project_id, "updated")
        return self._require_image(id)

    def delete_image(self, id: str) -> None:
        """Forget an image; its version number is never given again.

        Raises
        ------
        ImageInUse
            It is active in a project or published, perhaps since a moment ago.
        """
        from sqlalchemy import func, select

        from .tables import FactRow, ImageRow, ProjectRow, PublicationRow

        with self._session(write=True) as session:
            row = session.get(ImageRow, id)
            if row is None:
                return
            published = session.scalar(select(func.count()).where(PublicationRow.image_id == id))
            if published:
                raise ImageInUse(
                    f"{row.name}:{row.version} is published; unpublish it first.", {"published": published}
                )
            users = list(session.scalars(select(ProjectRow.name).where(ProjectRow.active_image_id == id)))
            if users:
                raise ImageInUse(
                    f"{row.name}:{row.version} is active in the project {users[0]!r}; activate another image first.",
                    {"used_by": users},
                )
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

    def context_digests(self) -> frozenset[str]:
        """Return the digests of the stored contexts that the recipes of images need."""
        from sqlalchemy import select

        from .tables import ImageRow, RecipeRow

        query = select(RecipeRow.content).where(RecipeRow.id.in_(select(ImageRow.recipe_id)))
        with self._session() as session:
            contents = list(session.scalars(query))
        return frozenset(str(one.get("context_digest")) for one in contents if one.get("context_stored"))
