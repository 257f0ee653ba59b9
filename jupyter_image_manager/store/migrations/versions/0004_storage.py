"""Images in registries: communities and their secrets, pulls, hours of use, retirements, migrations, leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

MOMENT = sa.DateTime(timezone=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _id(name: str, *, primary_key: bool = False, index: bool | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(32), primary_key=primary_key, index=index, nullable=False)


def _bytes(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def upgrade() -> None:
    """Add what a registry needs; every image before is kept on its machine."""
    op.add_column("projects", sa.Column("community_id", sa.String(32), nullable=False, server_default=""))
    op.add_column("images", sa.Column("registry_checked", MOMENT))
    op.add_column("images", sa.Column("repository", sa.Text, nullable=False, server_default=""))
    op.add_column("images", sa.Column("registry_size", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("images", sa.Column("last_used", MOMENT))
    op.create_table(
        "communities",
        _id("id", primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        _text("owner"),
        sa.Column("created", MOMENT, nullable=False),
        _flag("personal"),
        _text("registry_host"),
        _text("namespace"),
        _text("agent"),
        _flag("agent_enabled"),
        sa.Column("agent_changed", MOMENT),
    )
    op.create_table("secrets", _id("community_id", primary_key=True), _text("sealed"))
    op.create_table(
        "publications",
        _id("image_id", primary_key=True),
        _id("community_id", primary_key=True),
        sa.Column("published", MOMENT, nullable=False),
        _text("published_by"),
    )
    op.create_table(
        "pulls",
        _id("id", primary_key=True),
        _id("image_id", index=True),
        _id("project_id"),
        sa.Column("reference", sa.Text, nullable=False, index=True),
        _text("engine_id"),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        _text("requested_by"),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("started", MOMENT),
        sa.Column("finished", MOMENT),
        sa.Column("heartbeat", MOMENT),
        _text("worker"),
        sa.Column("layers", sa.Integer, nullable=False),
        sa.Column("layers_done", sa.Integer, nullable=False),
        _bytes("current"),
        _bytes("total"),
        _text("message"),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("retry_after", sa.Float),
        _flag("optimize"),
        _flag("unattended"),
        _flag("cancel_requested"),
    )
    op.create_table(
        "waiters",
        _id("pull_id", primary_key=True),
        sa.Column("waiter", sa.String(80), primary_key=True),
        sa.Column("heartbeat", MOMENT, nullable=False),
    )
    op.create_table(
        "usage_hours",
        sa.Column("hour", MOMENT, primary_key=True),
        _id("image_id", primary_key=True),
        sa.Column("storage", sa.String(16), primary_key=True),
        _id("project_id", index=True),
        _id("community_id", index=True),
        _bytes("bytes"),
    )
    op.create_table(
        "retirements",
        _id("id", primary_key=True),
        sa.Column("created_before", MOMENT, nullable=False),
        sa.Column("stops", MOMENT, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        _text("created_by"),
        sa.Column("selector", sa.JSON, nullable=False),
        _text("message"),
        sa.Column("delete_after", MOMENT),
    )
    op.create_table(
        "migrations",
        _id("id", primary_key=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("created", MOMENT, nullable=False),
        _text("created_by"),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("items", sa.JSON, nullable=False),
        _text("worker"),
        sa.Column("heartbeat", MOMENT),
        sa.Column("finished", MOMENT),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(64), primary_key=True),
        _text("holder"),
        sa.Column("until", MOMENT, nullable=False),
    )
    _trigger(op.get_bind().dialect.name)


def _trigger(dialect: str) -> None:
    """Let the first push, and nothing else, give a made image the digest by which its registry knows it (R11)."""
    fixed = " OR ".join(f"NEW.{c} <> OLD.{c}" for c in ("project_id", "name", "version"))
    kept = "NEW.engine_image <> OLD.engine_image OR NEW.recipe_id <> OLD.recipe_id"
    pushed = "OLD.repository = '' AND NEW.repository <> '' AND OLD.storage = 'registry'"
    digest = f"(NEW.digest <> OLD.digest AND NOT ({pushed})) OR (NEW.repository <> OLD.repository AND NOT ({pushed}))"
    unmade = "NEW.state IN ('building', 'failed')"
    changed = f"({fixed}) OR (OLD.state IN ('ready', 'missing') AND ({kept} OR {digest} OR {unmade}))"
    if dialect == "sqlite":
        op.execute("DROP TRIGGER images_stay")
        op.execute(
            f"CREATE TRIGGER images_stay BEFORE UPDATE ON images WHEN {changed} "
            "BEGIN SELECT RAISE(ABORT, 'images are immutable'); END"
        )
    else:
        op.execute("DROP TRIGGER images_stay ON images")
        op.execute(
            f"CREATE TRIGGER images_stay BEFORE UPDATE ON images FOR EACH ROW WHEN ({changed}) "
            "EXECUTE FUNCTION immutable()"
        )
