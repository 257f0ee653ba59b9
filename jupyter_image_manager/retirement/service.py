"""Retirements: declare, list, withdraw, say who is hit, and what they mean for one image (R60)."""

from __future__ import annotations

import builtins
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from traitlets import Instance
from traitlets.config import LoggingConfigurable

from .. import access
from ..errors import ImageUnusable, InvalidDockerfile, InvalidRequest, NeedsConfirmation, NotAllowed
from ..models import Actor, Community, Image, ImageState, Project, Recipe, Retirement, RetirementNotice, utcnow
from . import configured, rules

if TYPE_CHECKING:
    from ..manager import ImageManager

MESSAGE_LENGTH = 500
Notices = Callable[[Image], RetirementNotice | None]


@dataclass(frozen=True, slots=True)
class Hit:
    """An image that a retirement reaches."""

    image_id: str
    spec: str
    project_id: str
    project: str
    created: datetime
    created_by: str  # whom to tell
    active_in: tuple[str, ...] = ()  # names of the projects whose kernels run in it


@dataclass(frozen=True, slots=True)
class Preview:
    """Whom a retirement would hit, and how long they would have."""

    retirement: Retirement
    days_left: int
    images: tuple[Hit, ...]


class RetirementService(LoggingConfigurable):
    """The rules after which old images stop working, those of the configuration among them."""

    manager: ImageManager = Instance("jupyter_image_manager.manager.ImageManager")  # type: ignore[assignment]  # traitlets' descriptor gives the instance

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.clock: Callable[[], datetime] = utcnow
        self._recipes: dict[str, tuple[str, tuple[str, ...]]] = {}

    # The rules
    def list(self, actor: Actor) -> builtins.list[Retirement]:
        """Return every retirement, the one that stops first at the beginning."""
        access.check(actor, "retirement.view", None)
        return sorted(self._rules(), key=lambda retirement: (retirement.stops, retirement.id))

    def _rules(self) -> builtins.list[Retirement]:
        return [*configured.read(self.manager.policy.retirements), *self.manager.store.retirements()]

    def preview(
        self,
        actor: Actor,
        created_before: str,
        stops: str,
        *,
        selector: dict[str, Any] | None = None,
        message: str = "",
        delete_after: str = "",
    ) -> Preview:
        """Say whom a retirement would hit; nothing changes."""
        access.check(actor, "retirement.manage", None)
        return self._preview(self._drawn_up(actor, created_before, stops, selector, message, delete_after))

    def declare(
        self,
        actor: Actor,
        created_before: str,
        stops: str,
        *,
        selector: dict[str, Any] | None = None,
        message: str = "",
        delete_after: str = "",
        confirm: bool = False,
    ) -> Preview:
        """Declare a retirement.

        Parameters
        ----------
        created_before, stops : str
            Days, which begin at 00:00 UTC, or moments with a zone: images made before the one stop working on the
            other.
        selector : dict, optional
            Only images with this ``storage``, ``python`` (versions as ``<3.9``), ``base`` (pattern of what its
            Dockerfile stands on), ``template``, ``project`` or ``community``.
        message : str
            Why, for people.
        delete_after : str
            Delete what is still retired so many days after it has stopped, as ``90d``; empty: never.
        confirm : bool
            Also when it stops at once, or reaches images that are still to be made.

        Raises
        ------
        NeedsConfirmation
            It stops images at once, or reaches images that are yet to be made.
        """
        access.check(actor, "retirement.manage", None)
        retirement = self._drawn_up(actor, created_before, stops, selector, message, delete_after)
        found, now = self._preview(retirement), self.clock()
        if not confirm:
            count = len(found.images)
            if rules.stopped(retirement, now):
                raise NeedsConfirmation(
                    f"{stops} is not after today: {count} image{'' if count == 1 else 's'} would stop working at once; "
                    "choose a later day, or confirm it.",
                    {"images": count},
                )
            if retirement.created_before > now:
                raise NeedsConfirmation(
                    f"{created_before} is still to come: images that are made until then, migrated ones too, would "
                    "retire as well; choose an earlier day, or confirm it.",
                    {"images": count},
                )
        self.manager.store.add_retirement(retirement)
        return found

    def _drawn_up(
        self,
        actor: Actor,
        created_before: str,
        stops: str,
        selector: dict[str, Any] | None,
        message: str,
        delete_after: str,
    ) -> Retirement:
        if len(message) > MESSAGE_LENGTH:
            raise InvalidRequest(f"A message has at most {MESSAGE_LENGTH} letters.", {"key": "message"})
        end = rules.moment(stops, "stops")
        return Retirement(
            id=uuid.uuid4().hex,
            created_before=rules.moment(created_before, "created_before"),
            stops=end,
            created=self.clock(),
            created_by=actor.name,
            selector=dict(self._known(rules.check_selector(selector or {}))),
            message=message,
            delete_after=rules.later(end, delete_after, "delete_after"),
        )

    def _known(self, selector: dict[str, str]) -> dict[str, str]:
        """Refuse a project or community that is not there: such a rule would reach nothing without a word."""
        store = self.manager.store
        if wanted := selector.get("project"):
            projects = [p for p in store.projects() if wanted in (p.id, p.name, p.path)]
            if not projects:
                raise InvalidRequest(f"There is no project {wanted!r}; list the projects.", {"key": "project"})
            if len(projects) == 1:
                selector = {**selector, "project": projects[0].id}  # what stays when it is renamed or moved
        if wanted := selector.get("community"):
            communities = [c for c in store.communities() if wanted in (c.id, c.name)]
            if not communities:
                raise InvalidRequest(f"There is no community {wanted!r}; list them.", {"key": "community"})
            selector = {**selector, "community": communities[0].id}
        return selector

    def withdraw(self, actor: Actor, retirement_id: str) -> None:
        """Take a retirement back; its images work again, those that were deleted excepted."""
        access.check(actor, "retirement.manage", None)
        if retirement_id.startswith(configured.PREFIX):
            raise NotAllowed(
                "That retirement stands in the configuration (ImagePolicy.retirements); take it out there."
            )
        self.manager.store.delete_retirement(retirement_id)

    # Who is hit
    def hits(
        self, actor: Actor, *, project_id: str | None = None, community_id: str | None = None
    ) -> builtins.list[Hit]:
        """Return the images that some retirement reaches: all, of one project, or of one community."""
        access.check(actor, "retirement.view", None)
        retirements = self._rules()
        return self._hits(retirements, project_id, community_id) if retirements else []

    def _preview(self, retirement: Retirement) -> Preview:
        return Preview(retirement, rules.days_left(retirement, self.clock()), tuple(self._hits([retirement])))

    def _hits(
        self, retirements: builtins.list[Retirement], project_id: str | None = None, community_id: str | None = None
    ) -> builtins.list[Hit]:
        store = self.manager.store
        everyone = store.projects()
        subject_of, communities = self._subjects(retirements, everyone), store.communities()
        found = []
        scopes: builtins.list[tuple[str | None, Project | None]] = [(p.id, p) for p in everyone]
        if project_id is None and community_id is None:
            scopes.append((None, None))  # the images of the whole server
        for id_, project in scopes:
            if project_id is not None and id_ != project_id:
                continue
            if community_id is not None and (
                project is None or _community(project, communities)[:1] != (community_id,)
            ):
                continue
            for image in store.images(id_):
                if rules.first(retirements, subject_of(image)) is not None:
                    found.append(
                        Hit(
                            image_id=image.id,
                            spec=image.spec,
                            project_id=image.project_id,
                            project=project.name if project else "",
                            created=image.created,
                            created_by=image.created_by,
                            active_in=tuple(p.name for p in everyone if p.active_image_id == image.id),
                        )
                    )
        return found

    # One image
    def notices(self) -> Notices:
        """Return a function that says what the retirements of now mean for an image: for lists of thousands."""
        retirements = self._rules()
        if not retirements:
            return lambda image: None
        subject_of, now = self._subjects(retirements, self.manager.store.projects()), self.clock()

        def of(image: Image) -> RetirementNotice | None:
            found = rules.first(retirements, subject_of(image))
            return None if found is None else rules.notice(found, image, now)

        return of

    def of(self, image: Image) -> RetirementNotice | None:
        """Return what retirements mean for an image now; None when none reaches it."""
        return self.notices()(image)

    def refuse(self, image: Image) -> None:
        """Refuse an image that has stopped working.

        Raises
        ------
        ImageUnusable
            Says since when, why, and what to do.
        """
        if image.state in (ImageState.BUILDING, ImageState.FAILED):
            return  # it cannot be used for a reason of its own
        found = self.of(image)
        if found is not None and found.stopped:
            raise ImageUnusable(found.message, {"image_id": image.id, "retirement_id": found.retirement_id})

    def _subjects(
        self, retirements: Iterable[Retirement], projects: builtins.list[Project]
    ) -> Callable[[Image], rules.Subject]:
        """Return what gives the facts of an image that these rules look at, and no others."""
        by_id = {project.id: project for project in projects}
        communities = self.manager.store.communities()
        recipes = rules.needs_recipe(retirements)

        def of(image: Image) -> rules.Subject:
            template, bases = self._stands_on(image) if recipes else ("", ())
            project = by_id.get(image.project_id)
            return rules.Subject(
                image=image,
                template=template,
                bases=bases,
                project=(project.id, project.name, project.path) if project else (),
                community=_community(project, communities) if project else (),
            )

        return of

    def _stands_on(self, image: Image) -> tuple[str, tuple[str, ...]]:
        """Return the template and the bases of an image; recipes never change, so each is read once."""
        found = self._recipes.get(image.recipe_id)
        if found is None:
            recipe = self.manager.store.recipe(image.recipe_id)
            found = self._recipes[image.recipe_id] = ("", ()) if recipe is None else _read(recipe)
        return found

    # What the server does by itself
    def sweep(self) -> builtins.list[str]:
        """Delete the images whose retirement says so, days after they have stopped; return their names.

        Never one that is active, published, running or being built: those stay until that ends. One process at a
        time does it.
        """
        from ..processes import ProcessIdentity
        from .deletion import delete_stopped

        due = [each for each in self._rules() if each.delete_after is not None and self.clock() >= each.delete_after]
        holder = str(ProcessIdentity.current())
        if not due or not self.manager.store.lease("retire", holder, LEASE.total_seconds()):
            return []
        try:
            return delete_stopped(self.manager, self._hits(due))
        finally:
            self.manager.store.give_back("retire", holder)


LEASE = timedelta(minutes=10)


def _community(project: Project, communities: Iterable[Community]) -> tuple[str, ...]:
    """Return the id and name of a project's community: its own, else its owner's personal one."""
    for community in communities:
        own = community.id == project.community_id
        if own or (not project.community_id and community.personal and community.owner == project.owner):
            return community.id, community.name
    return ()


def _read(recipe: Recipe) -> tuple[str, tuple[str, ...]]:
    from ..dockerfile import parse

    template = str(recipe.template.get("name", ""))
    bases: tuple[str, ...] = (recipe.reference,) if recipe.reference else ()
    if recipe.dockerfile:
        try:
            bases += parse(recipe.dockerfile).base_references(recipe.build_args)
        except InvalidDockerfile:
            return template, bases  # it failed to build, and has no image to retire
    return template, bases
