"""What registries said of the images that are kept in them, and which of them want to be left alone for a while."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime

from ..models import Image, ImageState, RegistryState, utcnow
from .base import Records

_REST = "rest:"
"""Beginning of the names of leases that stand for a registry which takes no more requests."""


class RegistryRecords(Records):
    """States of images in registries, with the time of the last look."""

    def images_in_registries(
        self, *, checked_before: datetime | None = None, ids: Collection[str] | None = None, limit: int | None = None
    ) -> list[Image]:
        """Return made images that were pushed, those first that were looked up longest ago.

        Parameters
        ----------
        checked_before : datetime, optional
            Only those that were not looked up since.
        ids : collection of str, optional
            Only these.
        """
        from sqlalchemy import or_, select

        from .rows import to_model
        from .tables import ImageRow

        made = (ImageState.READY.value, ImageState.MISSING.value)
        query = select(ImageRow).where(ImageRow.repository != "", ImageRow.state.in_(made))
        if checked_before is not None:
            query = query.where(or_(ImageRow.registry_checked.is_(None), ImageRow.registry_checked < checked_before))
        if ids is not None:
            query = query.where(ImageRow.id.in_(ids))
        query = query.order_by(ImageRow.registry_checked.is_not(None), ImageRow.registry_checked, ImageRow.id)
        with self._session() as session:
            return [
                to_model(Image, row, report=None) for row in session.scalars(query.limit(limit) if limit else query)
            ]

    def set_registry_state(self, id: str, state: RegistryState, checked: datetime) -> None:
        """Write down what a registry said of an image; only another state than before is a change that is told."""
        from .tables import ImageRow

        with self._session(write=True) as session:
            row = session.get(ImageRow, id)
            if row is None:
                return
            changed = row.registry_state != state.value
            row.registry_state, row.registry_checked = state.value, checked
            if changed:
                session.flush()
                self._note(session, "image", id, row.project_id, "updated")

    def let_registry_rest(self, host: str, until: datetime) -> None:
        """Remember until when a registry takes no more requests, as it said itself."""
        from .tables import LeaseRow

        with self._session(write=True) as session:
            name = _REST + hashlib.sha256(host.encode()).hexdigest()[:32]
            session.merge(LeaseRow(name=name, holder=host, until=until))

    def resting_registries(self) -> dict[str, datetime]:
        """Return the registries that take no requests now, each with the time until when."""
        from sqlalchemy import select

        from .tables import LeaseRow

        query = select(LeaseRow).where(LeaseRow.name.startswith(_REST), LeaseRow.until > utcnow())
        with self._session() as session:
            return {row.holder: row.until for row in session.scalars(query)}
