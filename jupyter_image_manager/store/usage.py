"""Hours of use: what each image held where, hour by hour (R25)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ..models import Layer, UsageHour
from .base import Records

LAYERS_FACT = "layers:"
SUMS_FACT = "usage of:"
DAY_FACT = "usage on:"
FACT_HEX = 56
"""How much of a digest names a fact: a name has 64 characters."""
FEW = 200


class UsageSum(NamedTuple):
    """What one image held in one storage during some hours, added up."""

    image_id: str
    storage: str
    project_id: str
    community_id: str
    hours: int
    byte_hours: int


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
            query = query.where(UsageHourRow.community_id == community_id)
        with self._session() as session:
            return [*to_models(UsageHour, [c.key for c in columns], session.execute(query))]

    def usage_sums(
        self,
        since: datetime,
        until: datetime,
    ) -> list[UsageSum]:
        """Return, for each image and storage, its bytes over all hours that begin in an interval, added up."""
        from sqlalchemy import func, select

        from .tables import UsageHourRow as Row

        keys = (Row.image_id, Row.storage, Row.project_id, Row.community_id)
        query = select(*keys, func.count(), func.sum(Row.bytes)).group_by(*keys)
        query = query.where(Row.hour >= since, Row.hour < until)
        with self._session() as session:
            return [UsageSum(*row[:5], int(row[5])) for row in session.execute(query)]

    def usage_by_hour(self, since: datetime, until: datetime) -> list[tuple[datetime, str, str, int]]:
        """Return hour, project id, storage and the bytes of all its images then, in order."""
        from sqlalchemy import func, select

        from .tables import UsageHourRow as Row

        keys = (Row.hour, Row.project_id, Row.storage)
        query = select(*keys, func.sum(Row.bytes)).group_by(*keys).order_by(*keys)
        with self._session() as session:
            found = session.execute(query.where(Row.hour >= since, Row.hour < until))
            return [(row[0], row[1], row[2], int(row[3])) for row in found]

    def last_usage_hour(self, until: datetime | None = None) -> datetime | None:
        """Return the newest hour that was metered, at most until a moment: a clock may have been set back."""
        from sqlalchemy import select

        from .tables import UsageHourRow

        query = select(UsageHourRow.hour).order_by(UsageHourRow.hour.desc()).limit(1)
        if until is not None:
            query = query.where(UsageHourRow.hour <= until)
        with self._session() as session:
            return session.scalar(query)

    def deleted_images(self, since: datetime) -> dict[str, datetime]:
        """Return when images were deleted, as far as the changes that are kept still say it."""
        from sqlalchemy import select

        from .tables import ChangeRow

        query = select(ChangeRow.id, ChangeRow.at).where(
            ChangeRow.noun == "image", ChangeRow.action == "deleted", ChangeRow.at >= since
        )
        with self._session() as session:
            return {row[0]: row[1] for row in session.execute(query)}

    # What was added up already
    def keep_sums(self, month: str, through: datetime, sums: Iterable[UsageSum]) -> None:
        """Keep what a month's hours come to up to one, that included."""
        self._keep_fact(f"{SUMS_FACT}{month}", {"through": through.isoformat(), "sums": [list(each) for each in sums]})

    def kept_sums(self, month: str) -> tuple[datetime, list[UsageSum]] | None:
        """Return the hour up to which a month is added up, and what it comes to."""
        found = self._kept_facts(f"{SUMS_FACT}{month}").get(f"{SUMS_FACT}{month}")
        if found is None:
            return None
        return datetime.fromisoformat(found["through"]), [UsageSum(*each) for each in found["sums"]]

    def keep_day(self, day: str, rows: Iterable[tuple[str, str, int]]) -> None:
        """Keep what projects held in storages on a day, on average."""
        self._keep_fact(f"{DAY_FACT}{day}", [list(each) for each in rows])

    def kept_days(self, since: str) -> dict[str, list[tuple[str, str, int]]]:
        """Return the days that are kept, from one on."""
        found = self._kept_facts(DAY_FACT)
        days = {name.removeprefix(DAY_FACT): rows for name, rows in found.items()}
        return {day: [(row[0], row[1], row[2]) for row in rows] for day, rows in days.items() if day >= since}

    def _keep_fact(self, name: str, value: Any) -> None:
        import json

        from .tables import FactRow

        with self._session(write=True) as session:
            session.merge(FactRow(name=name, value=json.dumps(value, separators=(",", ":"))))

    def _kept_facts(self, beginning: str) -> dict[str, Any]:
        import json

        from sqlalchemy import select

        from .tables import FactRow

        query = select(FactRow.name, FactRow.value).where(FactRow.name.startswith(beginning))
        with self._session() as session:
            rows = [(row[0], row[1]) for row in session.execute(query)]
        return {name: json.loads(value) for name, value in rows}

    # Layers never change: what is kept of them spares asking the engine for hundreds of images.
    def keep_layers(self, contents: Mapping[str, Iterable[Layer]]) -> None:
        """Keep the layers of what has a digest: an image of the engine, or a version in a registry."""
        import json

        from ..models import as_json
        from .tables import FactRow

        if not contents:
            return
        with self._session(write=True) as session:
            for digest, layers in contents.items():
                value = json.dumps([as_json(layer) for layer in layers], separators=(",", ":"))
                session.merge(FactRow(name=_layers_fact(digest), value=value))

    def kept_layers(self, digests: Iterable[str]) -> dict[str, tuple[Layer, ...]]:
        """Return the layers of those of these digests of which they are kept."""
        import json

        from sqlalchemy import select

        from .tables import FactRow

        names = {_layers_fact(digest): digest for digest in digests}
        query = select(FactRow.name, FactRow.value).where(FactRow.name.startswith(LAYERS_FACT))
        if len(names) < FEW:
            query = query.where(FactRow.name.in_(names))
        with self._session() as session:
            rows = [(row[0], row[1]) for row in session.execute(query) if row[0] in names]
        return {
            names[name]: tuple(Layer(each["created_by"], each["size"], each["digest"]) for each in json.loads(value))
            for name, value in rows
        }

    def forget_layers(self, wanted: Iterable[str]) -> None:
        """Forget the layers of all but these digests."""
        from sqlalchemy import delete, select

        from .tables import FactRow

        names = {_layers_fact(digest) for digest in wanted}
        with self._session() as session:
            kept = session.scalars(select(FactRow.name).where(FactRow.name.startswith(LAYERS_FACT)))
            loose = [name for name in kept if name not in names]
        if not loose:
            return
        with self._session(write=True) as session:
            for begin in range(0, len(loose), FEW):
                session.execute(delete(FactRow).where(FactRow.name.in_(loose[begin : begin + FEW])))


def _layers_fact(digest: str) -> str:
    return LAYERS_FACT + digest.rpartition(":")[2][:FACT_HEX]
