"""Builds have a kind: a check of an image that is made runs as a build does, and makes nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Let every build before be one that makes an image."""
    op.add_column("builds", sa.Column("kind", sa.String(16), nullable=False, server_default="build"))
