"""The process of one migration: ``python -m jupyter_image_manager.migration.worker``.

It builds by :class:`~jupyter_image_manager.builds.service.BuildService`, whose builds have processes of their own, and
writes after each step what has become of each image. So whoever goes on after its death finds them finished or running.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from traitlets.config import Config

from ..errors import Conflict, ImageManagerError
from ..manager import ImageManager
from ..models import Actor, Build, BuildState, Image, ImageState, Migration, MigrationState, Recipe, as_json, utcnow
from ..workers import Beat, insist
from . import notebook, plan
from .items import UNFINISHED, Item, ItemState

LOOK = 0.3
"""Seconds between two looks at a build."""


class Cancelled(Exception):
    """Somebody asked for the migration to end."""


class MigrationProcess:
    """One migration from its start, or from where its last process left it, to its end."""

    def __init__(self, manager: ImageManager, migration: Migration) -> None:
        self.manager, self.store, self.id = manager, manager.store, migration.id
        self.options = migration.options
        self.created = migration.created
        self.actor = Actor(name=migration.created_by, display_name=migration.created_by, via="system")
        self.items = [Item.read(each) for each in migration.items]
        self.cancelled = threading.Event()
        self._writing = threading.Lock()

    def live(self) -> None:
        """Migrate; the end is always written."""
        signal.signal(signal.SIGTERM, lambda *_: self.cancelled.set())
        signal.signal(signal.SIGINT, lambda *_: self.cancelled.set())
        with Beat(self._sign, self.cancelled.set):
            at_once = max(1, self.manager.builds.settings.max_parallel)
            with ThreadPoolExecutor(at_once, thread_name_prefix="migration") as threads:
                for _ in threads.map(self._one, range(len(self.items))):
                    pass
            state = MigrationState.CANCELLED if self.cancelled.is_set() else MigrationState.DONE
            with suppress(Conflict):  # somebody took it for dead
                insist(
                    lambda: self.store.set_migration(
                        self.id, only=MigrationState.RUNNING, state=state, finished=utcnow()
                    )
                )

    def _sign(self) -> bool:
        now = self.store.set_migration(self.id, only=MigrationState.RUNNING, heartbeat=utcnow())
        return bool(now.options.get("cancel"))

    def _put(self, number: int, **changes: Any) -> Item:
        """Write down what has become of an image."""
        with self._writing:
            item = self.items[number] = replace(self.items[number], **changes)
            kept = tuple(each.kept() for each in self.items)
            insist(lambda: self.store.set_migration(self.id, only=MigrationState.RUNNING, items=kept))
        return item

    def _one(self, number: int) -> None:
        item = self.items[number]
        if item.state not in UNFINISHED:
            return
        try:
            self._migrate(number)
        except (Cancelled, notebook.Stopped):
            self._put(number, state=ItemState.CANCELLED, reason="The migration was cancelled.")
        except ImageManagerError as error:
            self._put(number, state=ItemState.FAILED, reason=error.message)
        except Exception as error:  # whatever it is, the other images go on and the reason is told
            self._put(number, state=ItemState.FAILED, reason=f"It ended by a mistake of ours: {error!r}.")
            raise

    def _migrate(self, number: int) -> None:
        self._go_on()
        item = self._put(number, state=ItemState.BUILDING)
        new = self._made(item.new_image_id) or self._built(number)
        item = self._put(number, new_image_id=new.id, new_spec=new.spec, diff=self._diff(item, new))
        if item.test and not item.tested:
            self._test(number, new)
        self._activate(number, new)

    def _diff(self, item: Item, new: Image) -> dict[str, Any] | None:
        """Return in which packages the new version differs; None where the old one was never looked into."""
        old = self.store.image(item.image_id)
        if old is None or old.report is None:
            return None
        return cast("dict[str, Any]", as_json(self.manager.images.diff(self.actor, old.id, new.id)))

    def _go_on(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled

    def _made(self, image_id: str) -> Image | None:
        image = self.store.image(image_id) if image_id else None
        return image if image is not None and image.state is ImageState.READY else None

    # Build
    def _built(self, number: int) -> Image:
        build = self._under_way(self.items[number]) or self._submit(self.items[number])
        self._put(number, build_id=build.id)
        ended = self._end(build)
        image = self._made(ended.image_id)
        if ended.state is BuildState.SUCCEEDED and image is not None:
            return image
        self._go_on()
        failure = ended.failure
        said = (
            f"{failure.message} {' '.join(failure.lines[-2:])}".strip() if failure else f"It was {ended.state.value}."
        )
        raise ImageManagerError(said)

    def _under_way(self, item: Item) -> Build | None:
        """Return the build of an earlier process of this migration, begun again where it did not succeed."""
        build = self.store.build(item.build_id) if item.build_id else self._adopted(item)
        if build is None:
            return None
        build = self.manager.builds.get(self.actor, build.id)  # ends it, if its process is dead
        if build.done and build.state is not BuildState.SUCCEEDED:
            return self.manager.builds.retry(self.actor, build.id)
        return build

    def _adopted(self, item: Item) -> Build | None:
        """Return the build that an earlier process started just before it died."""
        old = self.store.image(item.image_id)
        for image in self.store.images_named(item.project_id, old.name) if old else ():
            recipe = self.store.recipe(image.recipe_id)
            if image.created >= self.created and recipe is not None and recipe.parent_image_id == item.image_id:
                return next(iter(self.store.builds(image_id=image.id)), None)
        return None

    def _submit(self, item: Item) -> Build:
        image = self.manager.images.image(self.actor, item.image_id)
        recipe: Recipe = self.manager.images.recipe(self.actor, image.id)
        wanted = plan.request(
            image, recipe, self.options["bases"], fix=self.options["fix"], cache=self.options["cache"]
        )
        return self.manager.builds.submit(self.actor, item.project_id, wanted)

    def _end(self, build: Build) -> Build:
        asked = False
        while True:
            now = self.manager.builds.get(self.actor, build.id)
            if now.done:
                return now
            if self.cancelled.is_set() and not asked:
                self.manager.builds.cancel(self.actor, build.id)
                asked = True
            time.sleep(LOOK)

    # Test and activate
    def _test(self, number: int, new: Image) -> None:
        self._go_on()
        item = self._put(number, state=ItemState.TESTING)
        project = self.manager.projects.get(self.actor, item.project_id)
        notebook.run(
            self.manager,
            project,
            new,
            Path(item.test),
            cell_timeout=self.manager.migrations.cell_timeout,
            stop=self.cancelled.is_set,
        )
        self._put(number, tested=True)

    def _activate(self, number: int, new: Image) -> None:
        self._go_on()
        item, reasons = self.items[number], []
        for project in self.store.projects():
            if project.active_image_id != item.image_id:
                continue
            try:
                self.manager.images.activate(self.actor, project.id, new.id)
            except ImageManagerError as error:
                reasons.append(f"{new.spec} is ready and not active in the project {project.name!r}: {error.message}")
            else:
                item = self._put(number, activated=(*item.activated, project.id))
        self._put(number, state=ItemState.FAILED if reasons else ItemState.DONE, reason=" ".join(reasons))


def main() -> None:
    """Read which migration it is from standard input, and do it."""
    told = sys.stdin.read()
    if not told:
        return  # somebody else does it by now
    payload = json.loads(told)
    manager = ImageManager(config=Config(payload["config"]))
    try:
        migration = manager.store.migration(payload["migration"])
        if migration is not None:
            MigrationProcess(manager, migration).live()
    finally:
        manager.close()


if __name__ == "__main__":
    main()
