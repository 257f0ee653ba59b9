"""The first tables, and the triggers that keep recipes and ready images as they are (R7)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

FIXED = ("project_id", "name", "version")
CONTENT = ("engine_image", "digest", "recipe_id")


def upgrade() -> None:
    """Make the tables of 0.1."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "projects",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False, unique=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.Column("active_image_id", sa.String(32)),
        sa.Column("previous_image_id", sa.String(32)),
        sa.Column("run_settings", sa.JSON, nullable=False),
        sa.Column("is_default", sa.Boolean, nullable=False),
        sa.Column("folder_id", sa.Text, nullable=False, index=True),
    )
    op.create_table(
        "recipes",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("digest", sa.String(80), nullable=False, index=True),
        sa.Column("content", sa.JSON, nullable=False),
    )
    op.create_table(
        "images",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("project_id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("storage", sa.String(16), nullable=False),
        sa.Column("recipe_id", sa.String(32), sa.ForeignKey("recipes.id"), nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("digest", sa.String(160), nullable=False),
        sa.Column("engine_image", sa.String(160), nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("python_version", sa.String(32), nullable=False),
        sa.Column("architecture", sa.String(32), nullable=False),
        sa.Column("optimized", sa.Boolean, nullable=False),
        sa.Column("registry_state", sa.String(16), nullable=False),
        sa.Column("report", sa.JSON),
        sa.Column("last_build_id", sa.String(32)),
        sa.Column("system", sa.Boolean, nullable=False),
        sa.UniqueConstraint("project_id", "name", "version"),
    )
    op.create_index("images_of_project", "images", ["project_id", "created"])
    op.create_table(
        "builds",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("project_id", sa.String(32), nullable=False, index=True),
        sa.Column("image_id", sa.String(32), nullable=False, index=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.Column("started", moment),
        sa.Column("finished", moment),
        sa.Column("heartbeat", moment),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("steps", sa.Integer, nullable=False),
        sa.Column("instruction", sa.Text, nullable=False),
        sa.Column("estimate", sa.Float),
        sa.Column("failure", sa.JSON),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("joined", sa.Integer, nullable=False),
        sa.Column("activate", sa.Boolean, nullable=False),
        sa.Column("fix", sa.Boolean, nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("log_lines", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
    )
    op.create_table(
        "changes",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("noun", sa.String(16), nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("project_id", sa.String(32), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "facts",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    _triggers(op.get_bind().dialect.name)


def _triggers(dialect: str) -> None:
    fixed = " OR ".join(f"NEW.{c} <> OLD.{c}" for c in FIXED)
    content = " OR ".join(f"NEW.{c} <> OLD.{c}" for c in CONTENT)
    unmade = "NEW.state IN ('building', 'failed')"
    changed = f"({fixed}) OR (OLD.state IN ('ready', 'missing') AND ({content} OR {unmade}))"
    if dialect == "sqlite":
        op.execute(
            "CREATE TRIGGER recipes_stay BEFORE UPDATE ON recipes "
            "BEGIN SELECT RAISE(ABORT, 'recipes are immutable'); END"
        )
        op.execute(
            f"CREATE TRIGGER images_stay BEFORE UPDATE ON images WHEN {changed} "
            "BEGIN SELECT RAISE(ABORT, 'images are immutable'); END"
        )
    else:
        op.execute(
            "CREATE FUNCTION immutable() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% are immutable', TG_TABLE_NAME; END $$"
        )
        op.execute("CREATE TRIGGER recipes_stay BEFORE UPDATE ON recipes FOR EACH ROW EXECUTE FUNCTION immutable()")
        op.execute(
            f"CREATE TRIGGER images_stay BEFORE UPDATE ON images FOR EACH ROW WHEN ({changed}) "
            "EXECUTE FUNCTION immutable()"
        )
