"""Hours of use: what each image held where, hour by hour (R25)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..models import UsageHour
from .base import Records


class UsageRecords(Records):
    """Hours of use: insert, look up."""

    def add_usage(self, hours: Iterable[UsageHour]) -> None:
        """Write hours; one that is written already stays as it is, so that two who meter count nothing twice."""
        from sqlalchemy.dialects.postgresql import insert as postgresql
        from sqlalchemy.dialects.sqlite import insert as sqlite

        from .rows import to_columns
        from .tables import UsageHourRow

        columns = set(UsageHourRow.__table__.columns.keys())
        rows = [to_columns(hour, columns) for hour in hours]
        if not rows:
            return
        with self._session(write=True) as session:
            insert = sqlite if session.connection().dialect.name == "sqlite" else postgresql
            session.execute(insert(UsageHourRow).on_conflict_do_nothing(), rows)

    def usage_hours(
        self,
        since: datetime,
        until: datetime,
        *,
        project_ids: Iterable[str] | None = None,
        community_id: str | None = None,
    ) -> list[UsageHour]:
        """Return hours that begin in an interval (`until` excluded), in order: all, of projects or of a community."""
        from sqlalchemy import select

        from .rows import to_models
        from .tables import UsageHourRow

        columns = list(UsageHourRow.__table__.columns)
        query = (
            select(*columns)
            .where(UsageHourRow.hour >= since, UsageHourRow.hour < until)
            .order_by(UsageHourRow.hour, UsageHourRow.image_id, UsageHourRow.storage)
        )
        if project_ids is not None:
            query = query.where(UsageHourRow.project_id.in_(list(project_ids)))
        if community_id is not None:
            query = query.filter_by(community_id=community_id)
        with self._session() as session:
            return [*to_models(UsageHour, [c.key for c in columns], session.execute(query))]

    def last_usage_hour(self) -> datetime | None:
        """Return the newest hour that was metered."""
        from sqlalchemy import select

        from .tables import UsageHourRow

        query = select(UsageHourRow.hour).order_by(UsageHourRow.hour.desc()).limit(1)
        with self._session() as session:
            return session.scalar(query)
