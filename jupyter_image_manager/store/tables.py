"""The tables; rows become dataclasses in :mod:`jupyter_image_manager.store.rows` before they leave."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Moment(TypeDecorator[datetime]):
    """An aware datetime in UTC; SQLite keeps no zone, so it is given back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC."""
        return None if value is None else value.astimezone(timezone.utc)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        return None if value is None else value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {datetime: Moment, dict[str, Any]: JSON, list[str]: JSON}


class ProjectRow(Base):
    """See :class:`jupyter_image_manager.models.Project`."""

    __tablename__ = "projects"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text, unique=True)
    owner: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime]
    active_image_id: Mapped[str | None] = mapped_column(String(32))
    previous_image_id: Mapped[str | None] = mapped_column(String(32))
    run_settings: Mapped[dict[str, Any]]
    is_default: Mapped[bool]
    folder_id: Mapped[str] = mapped_column(Text, index=True)
    community_id: Mapped[str] = mapped_column(String(32))


class RecipeRow(Base):
    """See :class:`jupyter_image_manager.models.Recipe`; insert-only."""

    __tablename__ = "recipes"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[str] = mapped_column(String(80), index=True)
    content: Mapped[dict[str, Any]]


class ImageRow(Base):
    """See :class:`jupyter_image_manager.models.Image`."""

    __tablename__ = "images"
    __table_args__ = (
        UniqueConstraint("project_id", "name", "version"),
        Index("images_of_project", "project_id", "created"),
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    project_id: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(128))
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16))
    storage: Mapped[str] = mapped_column(String(16))
    recipe_id: Mapped[str] = mapped_column(ForeignKey("recipes.id"))
    created: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    labels: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(160))
    engine_image: Mapped[str] = mapped_column(String(160))
    reference: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    python_version: Mapped[str] = mapped_column(String(32))
    architecture: Mapped[str] = mapped_column(String(32))
    optimized: Mapped[bool]
    registry_state: Mapped[str] = mapped_column(String(16))
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON, deferred=True)
    last_build_id: Mapped[str | None] = mapped_column(String(32))
    system: Mapped[bool]
    engine_id: Mapped[str] = mapped_column(Text)
    registry_checked: Mapped[datetime | None]
    repository: Mapped[str] = mapped_column(Text)
    registry_size: Mapped[int] = mapped_column(BigInteger)
    last_used: Mapped[datetime | None]


class BuildRow(Base):
    """See :class:`jupyter_image_manager.models.Build`."""

    __tablename__ = "builds"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    project_id: Mapped[str] = mapped_column(String(32), index=True)
    image_id: Mapped[str] = mapped_column(String(32), index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    requested_by: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime]
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]
    heartbeat: Mapped[datetime | None]
    step: Mapped[int]
    steps: Mapped[int]
    instruction: Mapped[str] = mapped_column(Text)
    estimate: Mapped[float | None] = mapped_column(Float)
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    worker: Mapped[str] = mapped_column(Text)
    joined: Mapped[int]
    activate: Mapped[bool]
    fix: Mapped[bool]
    cancel_requested: Mapped[bool]
    log_lines: Mapped[int]
    attempt: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))


class CommunityRow(Base):
    """See :class:`jupyter_image_manager.models.Community`."""

    __tablename__ = "communities"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    owner: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime]
    personal: Mapped[bool]
    registry_host: Mapped[str] = mapped_column(Text)
    namespace: Mapped[str] = mapped_column(Text)
    agent: Mapped[str] = mapped_column(Text)
    agent_enabled: Mapped[bool]
    agent_changed: Mapped[datetime | None]


class SecretRow(Base):
    """Secrets of service agents, never in clear text."""

    __tablename__ = "secrets"
    community_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sealed: Mapped[str] = mapped_column(Text)


class PublicationRow(Base):
    """Which image is published to which community (R51)."""

    __tablename__ = "publications"
    image_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    community_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    published: Mapped[datetime]
    published_by: Mapped[str] = mapped_column(Text)


class PullRow(Base):
    """See :class:`jupyter_image_manager.models.Pull`."""

    __tablename__ = "pulls"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    image_id: Mapped[str] = mapped_column(String(32), index=True)
    project_id: Mapped[str] = mapped_column(String(32))
    reference: Mapped[str] = mapped_column(Text, index=True)
    engine_id: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16), index=True)
    requested_by: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime]
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]
    heartbeat: Mapped[datetime | None]
    worker: Mapped[str] = mapped_column(Text)
    layers: Mapped[int]
    layers_done: Mapped[int]
    current: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(BigInteger)
    message: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(String(64))
    retry_after: Mapped[float | None] = mapped_column(Float)
    optimize: Mapped[bool]
    unattended: Mapped[bool]
    cancel_requested: Mapped[bool]


class WaiterRow(Base):
    """Who waits for a pull: while somebody does, it goes on."""

    __tablename__ = "waiters"
    pull_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    waiter: Mapped[str] = mapped_column(String(80), primary_key=True)
    heartbeat: Mapped[datetime]


class UsageHourRow(Base):
    """See :class:`jupyter_image_manager.models.UsageHour`."""

    __tablename__ = "usage_hours"
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    image_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    storage: Mapped[str] = mapped_column(String(16), primary_key=True)
    project_id: Mapped[str] = mapped_column(String(32), index=True)
    community_id: Mapped[str] = mapped_column(String(32), index=True)
    bytes: Mapped[int] = mapped_column(BigInteger)


class RetirementRow(Base):
    """See :class:`jupyter_image_manager.models.Retirement`."""

    __tablename__ = "retirements"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created_before: Mapped[datetime]
    stops: Mapped[datetime]
    created: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(Text)
    selector: Mapped[dict[str, Any]]
    message: Mapped[str] = mapped_column(Text)
    delete_after: Mapped[datetime | None]


class MigrationRow(Base):
    """See :class:`jupyter_image_manager.models.Migration`."""

    __tablename__ = "migrations"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    created: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(Text)
    options: Mapped[dict[str, Any]]
    items: Mapped[list[Any]] = mapped_column(JSON)
    worker: Mapped[str] = mapped_column(Text)
    heartbeat: Mapped[datetime | None]
    finished: Mapped[datetime | None]


class LeaseRow(Base):
    """Work that one process at a time does for all: metering, eviction, looking into registries."""

    __tablename__ = "leases"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime]


class ChangeRow(Base):
    """What changed, in order."""

    __tablename__ = "changes"
    __table_args__ = {"sqlite_autoincrement": True}
    sequence: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    noun: Mapped[str] = mapped_column(String(16))
    id: Mapped[str] = mapped_column(Text)
    project_id: Mapped[str] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime]
    data: Mapped[dict[str, Any]]


class FactRow(Base):
    """Facts of the installation, such as its id."""

    __tablename__ = "facts"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
