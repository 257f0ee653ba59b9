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
