"""Meters what images hold, each hour, and reports it by month with what it costs (R25)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from traitlets import Dict, Float, Instance, Int, Unicode
from traitlets.config import LoggingConfigurable

from .. import access, usage
from ..errors import EngineError, EngineUnavailable, ImageManagerError
from ..models import Actor, Deletable, Image, ImageUsage, Layer, Project, UsageDay, UsageHour, UsageReport, utcnow
from ..patience import asked
from ..processes import ProcessIdentity
from . import hours, sums
from . import report as reports
from .contents import Contents
from .holdings import OPTIMIZED, REGISTRY, Holdings, kept_here, look

if TYPE_CHECKING:
    from ..engine.port import DiskUse
    from ..manager import ImageManager

LEASE = "meter"
LEASE_SECONDS = 600.0
LOOKS = 20
"""Versions whose blobs a registry is asked for in one metering: each such question may count as a pull there."""
SUGGESTED = 3
LONGEST_HISTORY = 366


class Accounting(LoggingConfigurable):
    """What each image, project and community holds, for how long, at what price."""

    manager: ImageManager = Instance("jupyter_image_manager.manager.ImageManager")  # type: ignore[assignment]  # traitlets' descriptor gives the instance

    prices = Dict(
        per_key_traits={REGISTRY: Float(), OPTIMIZED: Float()},
        default_value={REGISTRY: 0.0, OPTIMIZED: 0.0},
        help="""What a GB that is held over a whole month costs, for `registry` and for `optimized` copies. Costs that
        users see come from it; nothing is charged.""",
    ).tag(config=True)
    currency = Unicode("", help="What costs are given in, for people, such as `EUR`.").tag(config=True)
    most_missed_hours = Int(
        31 * 24,
        min=0,
        help="Hours without any process of ours that are filled in afterwards at most, with what is known of them.",
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.clock: Callable[[], datetime] = utcnow
        self.contents = Contents(self.manager)

    # Meter
    def meter(self) -> int:
        """Write this hour, and those since the last one that nobody metered; return how many rows that is.

        One process at a time does it for all; calling it often costs little.
        """
        store, holder = self.manager.store, str(ProcessIdentity.current())
        now = self.clock()
        if store.last_usage_hour(now) == hours.beginning(now):
            return 0
        if not store.lease(LEASE, holder, LEASE_SECONDS):
            return 0
        try:
            return self._meter(now)
        finally:
            store.give_back(LEASE, holder)

    def _meter(self, now: datetime) -> int:
        store = self.manager.store
        images = self._images(store.projects())
        self._learn(images)
        holdings = look(self.manager, self.contents, images)
        last = store.last_usage_hour(now)
        known = hours.Known(
            now=now,
            last=last,
            before=() if last is None else tuple(store.usage_hours(last, last + hours.HOUR)),
            held=tuple(self._held(holdings, hours.beginning(now))),
            created={image.id: image.created for image in images},
            deleted={} if last is None else store.deleted_images(last),
        )
        count, written = 0, []
        for rows in hours.metered(known, self.most_missed_hours):  # each hour by itself: others want to write too
            store.add_usage(rows)
            count += len(rows)
            written += [row.hour for row in rows[:1]]
        sums.fold(store, written)
        self.contents.forget_all_but([each.engine_image for each in images] + [each.digest for each in images])
        return count

    def _held(self, holdings: Holdings, hour: datetime) -> Iterable[UsageHour]:
        communities = self._communities()
        for storage in (REGISTRY, OPTIMIZED):
            ids, parts = holdings.parts(storage)
            for id, size in parts.shares(ids).items():
                project = holdings.images[id].project_id
                yield UsageHour(hour, id, project, communities.get(project, ""), storage, size)

    def _images(self, projects: Iterable[Project]) -> list[Image]:
        return [image for project in projects for image in self.manager.store.images(project.id)]

    def _communities(self) -> dict[str, str]:
        return {each.id: self.manager.communities.of(each).id for each in self.manager.store.projects()}

    def _learn(self, images: Iterable[Image]) -> None:
        """Ask registries which blobs their versions are made of, where that is not known; a few at a time."""
        pushed = {image.digest: image for image in images if image.repository and image.registry_size}
        known = self.contents.known(pushed)
        for digest, image in [each for each in pushed.items() if each[0] not in known][:LOOKS]:
            try:
                blobs = self._blobs(image)
            except ImageManagerError as error:
                self.log.debug("The layers of %s in its registry are not known: %s", image.pinned, error)
                continue
            if blobs:
                self.contents.remember({digest: blobs})

    def _blobs(self, image: Image) -> tuple[Layer, ...]:
        project = self.manager.store.project(image.project_id)
        agent = self.manager.communities.access(self.manager.communities.of(project)) if project else None
        host, _, path = image.repository.partition("/")
        if agent is None or agent.host != host:
            return ()
        with self.manager.communities.registry(agent) as registry:
            found = registry.manifest(path, image.digest)
        blobs = {blob.digest: blob.size for blob in (found.config, *found.layers)}
        return (Layer("", found.size, found.digest), *(Layer("", size, digest) for digest, size in blobs.items()))

    # Report
    def report(
        self,
        actor: Actor,
        *,
        project_id: str | None = None,
        community_id: str | None = None,
        month: str | None = None,
    ) -> UsageReport:
        """Return what images hold now, and what a month of it came to: of a project, a community, or of all.

        Raises
        ------
        InvalidRequest
            The month is none.
        """
        now = self.clock()
        text, first, after = hours.month_of(month, now)
        projects = self._projects(actor, project_id, community_id)
        wanted = {project.id for project in projects}
        store, everyone = self.manager.store, self.manager.store.projects()
        images = self._images(everyone)
        holdings = look(self.manager, self.contents, images)
        names = self._names(everyone)
        span = reports.Month(first, after, self.prices)
        found = [
            row
            for row in reports.rows(holdings, sums.of_month(store, first, after), names, span)
            if row.project_id in wanted or (row.deleted and _asked_for(row, project_id, community_id))
        ]

        def union(storage: str, ids: frozenset[str]) -> int:
            return holdings.parts(storage)[1].union(ids)

        disk = self._disk()
        last = store.last_usage_hour(min(now, after - timedelta(microseconds=1)))
        return UsageReport(
            month=text,
            metered=last if last is not None and last >= first else None,
            currency=self.currency,
            prices={REGISTRY: self.prices.get(REGISTRY, 0.0), OPTIMIZED: self.prices.get(OPTIMIZED, 0.0)},
            images=tuple(found),
            storages=reports.totals(found, lambda row: row.storage, {}, union),
            projects=reports.totals(found, lambda row: row.project_id, names.projects, union),
            communities=reports.totals(found, lambda row: row.community_id, names.communities, union),
            deletable=self._deletable(holdings, wanted),
            disk_free=disk.free if disk else None,
            disk_total=disk.total if disk else None,
            inodes_free=disk.free_inodes if disk else None,
            warnings=tuple(
                [warning for project in projects for warning in usage.warnings(self.manager, project)]
                + usage.disk_warnings(self.manager, disk)
            ),
        )

    def _projects(self, actor: Actor, project_id: str | None, community_id: str | None) -> list[Project]:
        if project_id is not None:
            found = [self.manager.projects.get(actor, project_id)]
        else:
            found = self.manager.store.projects()
            if community_id is not None:
                community = self.manager.communities.get(actor, community_id).id
                found = [each for each in found if self.manager.communities.of(each).id == community]
        if not found:
            access.check(actor, "usage.view", None)
        for project in found:
            access.check(actor, "usage.view", project)
        return found

    def _names(self, projects: Iterable[Project]) -> reports.Names:
        projects = list(projects)
        return reports.Names(
            projects={each.id: each.name for each in projects},
            communities={each.id: each.name for each in self.manager.store.communities()},
            community_of=self._communities(),
            active=frozenset(each.active_image_id for each in projects if each.active_image_id),
        )

    def _disk(self) -> DiskUse | None:
        try:
            return asked(self.manager.engine.disk)
        except (EngineError, EngineUnavailable) as error:
            self.log.debug("The engine's disk is not known: %s", error)
            return None

    def _deletable(self, holdings: Holdings, projects: set[str]) -> Deletable | None:
        """Return the images that nobody uses and that free most together; None where that cannot be told."""
        store = self.manager.store
        used = {project.active_image_id for project in store.projects()}
        used |= {image_id for image_id, _ in store.publications()}
        used |= {build.image_id for build in store.builds(active=True)}
        try:
            used |= {each.image_id for each in asked(self.manager.kernels.list, self.manager.system_actor())}
        except (EngineError, EngineUnavailable) as error:
            self.log.debug("Which kernels run is not known: %s", error)
            return None
        free = [
            id
            for id in (*holdings.optimized, *holdings.cached)
            if id not in used and holdings.images[id].project_id in projects
        ]
        chosen, frees = holdings.engine.best(free, SUGGESTED)
        if not chosen:
            return None
        return Deletable(chosen, tuple(holdings.images[id].spec for id in chosen), frees)

    def history(self, actor: Actor, *, days: int = 30, project_id: str | None = None) -> list[UsageDay]:
        """Return what each project held in each storage on each of the last days, on average."""
        projects = {each.id: each for each in self._projects(actor, project_id, None)}
        until = hours.beginning(self.clock()) + hours.HOUR
        since = until.replace(hour=0) - timedelta(days=min(max(days, 1), LONGEST_HISTORY) - 1)
        return [
            UsageDay(day, project, projects[project].name, storage, held)
            for (day, project, storage), held in sorted(sums.of_days(self.manager.store, since, until).items())
            if project in projects
        ]

    # For quotas
    def optimized_bytes(self, project_ids: Iterable[str]) -> int:
        """Return what projects hold as optimized copies, shared layers once; nobody outside is asked for it."""
        images = [image for id in project_ids for image in self.manager.store.images(id)]
        kept = [replace(image, optimized=True) for image in images if kept_here(image)]
        holdings = look(self.manager, self.contents, kept, ask_engine=False)
        return holdings.engine.union(holdings.optimized)


def _asked_for(row: ImageUsage, project_id: str | None, community_id: str | None) -> bool:
    """Return whether a report is to have the hours of an image that is deleted, perhaps with its project."""
    return project_id in (None, row.project_id) and community_id in (None, row.community_id)
