"""Communities, the sealed secrets of their service agents, and what is published to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import CommunityNotFound, Conflict, StoreError
from ..models import Community, utcnow
from .base import Records

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class CommunityRecords(Records):
    """Communities: insert, change, look up. A secret goes in and out sealed; this room cannot open it."""

    def add_community(self, community: Community) -> Community:
        """Insert a community.

        Raises
        ------
        Conflict
            Its name is taken.
        """
        from sqlalchemy.exc import IntegrityError

        from .rows import to_columns
        from .tables import CommunityRow

        try:
            with self._session(write=True) as session:
                session.add(CommunityRow(**to_columns(community, set(CommunityRow.__table__.columns.keys()))))
                session.flush()
                self._note(session, "community", community.id, "", "created")
        except StoreError as error:
            if isinstance(error.__cause__, IntegrityError):
                raise Conflict(f"There is already a community {community.name!r}; choose another name.") from error
            raise
        return community

    def community(self, id: str) -> Community | None:
        """Return a community by id."""
        return next(iter(self._communities(id=id)), None)

    def communities(self) -> list[Community]:
        """Return every community, by name."""
        return self._communities()

    def personal_community(self, owner: str) -> Community | None:
        """Return the personal community of somebody, where it was made already."""
        return next(iter(self._communities(owner=owner, personal=True)), None)

    def _communities(self, **where: Any) -> list[Community]:
        from sqlalchemy import select

        from .rows import to_model
        from .tables import CommunityRow

        query = select(CommunityRow).filter_by(**where).order_by(CommunityRow.name, CommunityRow.id)
        with self._session() as session:
            return [to_model(Community, row) for row in session.scalars(query)]

    def set_community(self, id: str, **changes: Any) -> Community:
        """Change some values of a community."""
        from .rows import column, to_model

        with self._session(write=True) as session:
            row = self._community_row(session, id)
            for name, value in changes.items():
                setattr(row, name, column(value))
            session.flush()
            self._note(session, "community", id, "", "updated")
            found: Community = to_model(Community, row)
        return found

    def delete_community(self, id: str) -> None:
        """Forget a community with its secret.

        Raises
        ------
        Conflict
            It has projects or published images.
        """
        from sqlalchemy import func, select

        from .tables import ProjectRow, PublicationRow, SecretRow

        with self._session(write=True) as session:
            row = self._community_row(session, id)
            projects = session.scalar(select(func.count()).where(ProjectRow.community_id == id)) or 0
            published = session.scalar(select(func.count()).where(PublicationRow.community_id == id)) or 0
            if projects or published:
                raise Conflict(
                    f"The community {row.name!r} has {projects} projects and {published} published images; "
                    "move and unpublish them first."
                )
            if secret := session.get(SecretRow, id):
                session.delete(secret)
            session.delete(row)
            self._note(session, "community", id, "", "deleted")

    @staticmethod
    def _community_row(session: Session, id: str) -> Any:
        from .tables import CommunityRow

        row = session.get(CommunityRow, id)
        if row is None:
            raise CommunityNotFound("That community is not there any more; list the communities again.")
        return row

    # Secrets
    def sealed_secret(self, community_id: str) -> str:
        """Return the sealed secret of a community's service agent; empty when there is none."""
        from .tables import SecretRow

        with self._session() as session:
            row = session.get(SecretRow, community_id)
            return row.sealed if row else ""

    def set_agent(self, community_id: str, agent: str, sealed: str, *, enabled: bool) -> Community:
        """Write a service agent and its sealed secret as one; empty: there is none any more."""
        from .rows import to_model
        from .tables import SecretRow

        with self._session(write=True) as session:
            row = self._community_row(session, community_id)
            row.agent, row.agent_enabled, row.agent_changed = agent, enabled, utcnow()
            if sealed:
                session.merge(SecretRow(community_id=community_id, sealed=sealed))
            elif secret := session.get(SecretRow, community_id):
                session.delete(secret)
            session.flush()
            self._note(session, "community", community_id, "", "updated")
            found: Community = to_model(Community, row)
        return found

    # Publications (R51)
    def publish(self, image_id: str, community_id: str, by: str) -> None:
        """Write that an image is published to a community."""
        from .tables import ImageRow, PublicationRow

        with self._session(write=True) as session:
            self._community_row(session, community_id)
            image = session.get(ImageRow, image_id)
            if image is None:
                raise Conflict("That image is not there any more; list the images again.")
            if session.get(PublicationRow, (image_id, community_id)) is None:
                session.add(
                    PublicationRow(image_id=image_id, community_id=community_id, published=utcnow(), published_by=by)
                )
                self._note(session, "image", image_id, image.project_id, "published")

    def unpublish(self, image_id: str, community_id: str) -> None:
        """Write that an image is not published to a community any more."""
        from .tables import ImageRow, PublicationRow

        with self._session(write=True) as session:
            row = session.get(PublicationRow, (image_id, community_id))
            if row is not None:
                session.delete(row)
                image = session.get(ImageRow, image_id)
                self._note(session, "image", image_id, image.project_id if image else "", "unpublished")

    def publications(self, *, image_id: str | None = None, community_id: str | None = None) -> list[tuple[str, str]]:
        """Return pairs of image and community ids: all, of one image, or of one community."""
        from sqlalchemy import select

        from .tables import PublicationRow

        query = select(PublicationRow.image_id, PublicationRow.community_id).order_by(PublicationRow.published)
        if image_id is not None:
            query = query.filter_by(image_id=image_id)
        if community_id is not None:
            query = query.filter_by(community_id=community_id)
        with self._session() as session:
            return [(row[0], row[1]) for row in session.execute(query)]
