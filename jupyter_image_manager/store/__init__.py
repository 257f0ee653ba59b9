"""Projects, images, recipes and builds, kept: SQLite embedded, or PostgreSQL by URL.

Rows become the dataclasses of :mod:`jupyter_image_manager.models` before they leave. Every write is one short
transaction that also appends to ``changes``, from which the server's events come. SQLAlchemy is imported when the
store is first used, not with this package.
"""

from __future__ import annotations

from traitlets import Enum, Float, Unicode

from .base import KEPT_CHANGES, Change
from .builds import BuildRecords
from .communities import CommunityRecords
from .images import ImageRecords
from .leases import LeaseRecords
from .projects import ProjectRecords
from .pulls import PullRecords
from .registries import RegistryRecords
from .retirements import RetirementRecords
from .usage import UsageRecords

__all__ = ["KEPT_CHANGES", "Change", "Store"]


class Store(
    ProjectRecords,
    ImageRecords,
    BuildRecords,
    CommunityRecords,
    PullRecords,
    RegistryRecords,
    UsageRecords,
    RetirementRecords,
    LeaseRecords,
):
    """The one door to the database. Calls may come from any thread and process."""

    url = Unicode("", help="SQLAlchemy URL of the database. Default: SQLite in the data folder.").tag(config=True)
    journal_mode = Enum(
        ["WAL", "DELETE"],
        "WAL",
        help="Journal mode of SQLite: WAL on local disks, DELETE where the data folder lies on a network file system.",
    ).tag(config=True)
    busy_timeout = Float(30.0, help="Seconds to wait for another process that is writing.").tag(config=True)
