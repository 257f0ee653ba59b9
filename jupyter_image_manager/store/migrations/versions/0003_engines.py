"""Images remember in which engine they were made, to tell one that is elsewhere from one that is gone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Let the engine of every image before be unknown."""
    op.add_column("images", sa.Column("engine_id", sa.Text, nullable=False, server_default=""))
