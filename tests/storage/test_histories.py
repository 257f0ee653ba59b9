"""Random histories of images in a real registry and a real engine, step by step beside a plain model of the rules."""

from __future__ import annotations

import importlib
import io
import json
import os
import signal
import sys
import tarfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from traitlets.config import Config

from jupyter_image_manager import presence, workers
from jupyter_image_manager.errors import ImageManagerError
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import (
    Actor,
    BuildState,
    Image,
    ImageState,
    RegistryState,
    Report,
    Storage,
    utcnow,
)
from jupyter_image_manager.processes import ProcessIdentity

from .. import registries
from ..conftest import clean
from ..store.values import a_recipe, an_image

pytestmark = pytest.mark.engine

ACTOR = Actor("tester")
STEPS = int(os.environ.get("SOAK_STEPS", "2000"))
EACH = 50
"""Steps of one history."""
MOST = 5
"""Images at a time."""
NOW = timedelta(0)
ACTS = (
    *("build", "build", "push", "vanish", "vanish", "optimize", "optimize", "unoptimize", "unoptimize"),
    *("delete_original", "activate", "activate", "start", "deactivate", "delete", "prune", "evict", "evict"),
    *("look", "retire", "withdraw", "withdraw", "restart"),
)
"""What can happen, some of it more often."""
REACHED = (
    *("push", "push: conflict", "optimize", "optimize: invalid_request", "unoptimize", "unoptimize: invalid_request"),
    *("delete_original", "delete_original: invalid_request", "activate", "activate: image_unusable", "usable"),
    *("evicted", "copy pruned", "delete", "delete: needs_confirmation"),
)
"""What a run must have met: calls that did something, and refusals."""


@dataclass
class Truth:
    """What is so of one image, by the rules alone."""

    local: bool
    here: bool = True  # in the engine
    there: bool = False  # in the registry
    pushed: bool = False
    optimized: bool = False
    retired: bool = False


class World:
    """A registry, and a service that is made anew for each history."""

    def __init__(self, folder: Path, registry: registries.Registry) -> None:
        self.folder, self.registry = folder, registry
        self.managers: list[ImageManager] = []
        self.begin()

    def begin(self) -> None:
        """Begin with nothing."""
        place = self.folder / uuid.uuid4().hex[:8]
        (place / "root" / "project").mkdir(parents=True)
        self.config = Config({"ImageManager": {"data_dir": str(place / "data"), "root_dir": str(place / "root")}})
        self.config.StorageService.cache_ttl = 0.0
        self.open()
        self.project = self.manager.projects.create(ACTOR, str(place / "root" / "project"))
        mine = self.manager.communities.of(self.project)
        self.manager.communities.update(ACTOR, mine.id, registry_host=self.registry.address, namespace="team")
        self.manager.communities.set_agent(ACTOR, mine.id, self.registry.user, self.registry.secret)

    def open(self) -> None:
        self.manager = ImageManager(config=self.config)
        self.engine_id = presence.identity(self.manager.engine.info())

    def end(self) -> None:
        clean(self.manager.engine, self.manager.store.installation_id())
        for image in self.manager.store.images(self.project.id):
            for reference in (image.reference, image.pinned):
                if reference:
                    self.manager.engine.remove_image(reference, force=True)
        self.manager.close()

    def made(self, storage: Storage) -> Image:
        """Put a small image into the engine and the store, as a build does at its end."""
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w") as tar:
            entry = tarfile.TarInfo("data")
            entry.size = 2000
            tar.addfile(entry, io.BytesIO(os.urandom(2000)))
        content.seek(0)
        engine = self.manager.engine
        reference = f"jupyter-image-manager/histories/{uuid.uuid4().hex[:12]}:1"
        held = engine.inspect_image(engine.import_filesystem(content, reference, env={}))
        recipe = a_recipe()
        image = an_image(
            self.project.id,
            recipe,
            state=ImageState.READY,
            storage=storage,
            engine_image=held.id,
            digest=held.id,
            reference=reference,
            size=held.size,
            architecture=held.architecture,
            engine_id=self.engine_id,
            optimized=storage is Storage.LOCAL,
            report=Report(ok=True, python_version="3.11.2", layers=engine.layers(held.id)),
        )
        return self.manager.store.add_image(image, recipe)

    def in_registry(self, image: Image) -> bool:
        agent = self.manager.communities.access(self.manager.communities.of(self.project))
        assert agent is not None
        with self.manager.communities.registry(agent) as registry:
            return registry.head(image.repository, image.digest) is not None

    def vanish(self, image: Image) -> None:
        """Delete a version in the registry behind our back."""
        agent = self.manager.communities.access(self.manager.communities.of(self.project))
        assert agent is not None
        with self.manager.communities.registry(agent) as registry:
            registry.delete(image.repository, image.digest)


def in_this_process(module: str, name: str, payload: dict[str, Any], trace: Path, claim: Callable[[str], bool]) -> bool:
    """Do here what a worker does: the same code, without the second in which Python starts two thousand times."""
    if not claim(str(ProcessIdentity.current())):
        return False
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    told, sys.stdin = sys.stdin, io.StringIO(json.dumps(payload))
    try:
        importlib.import_module(module).main()
    finally:
        sys.stdin = told
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return True


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with registries.running(tmp_path_factory.mktemp("registry"), accounts=registries.ACCOUNTS) as registry:
        found = World(tmp_path_factory.mktemp("histories"), registry)
        yield found
        found.end()


class History(RuleBasedStateMachine):
    """Each rule does something through the service and says, from the model, what should have come of it."""

    world: World
    steps = 0
    seen: Counter[str] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.truth: dict[str, Truth] = {}
        self.active: str | None = None
        self.previous: str | None = None
        self.rules: list[str] = []

    @property
    def manager(self) -> ImageManager:
        return self.world.manager

    def teardown(self) -> None:
        self.world.end()
        self.world.begin()

    # Help
    def pick(self, number: int) -> tuple[Image, Truth]:
        id = sorted(self.truth)[number % len(self.truth)]
        image = self.manager.store.image(id)
        assert image is not None, "an image is gone that nobody deleted"
        return image, self.truth[id]

    def tried(self, call: Callable[..., object], *args: Any, **kwargs: Any) -> str:
        """Call the service; return the code of its refusal, or nothing."""
        name = call.__name__
        try:
            call(*args, **kwargs)
        except ImageManagerError as error:
            History.seen[f"{name}: {error.code}"] += 1
            return error.code
        History.seen[name] += 1
        return ""

    def known_missing(self, image: Image) -> bool:
        return image.registry_state is RegistryState.MISSING

    def usable(self, image: Image, truth: Truth) -> bool:
        if truth.retired:
            return False
        if truth.here:
            return truth.optimized or not self.known_missing(image)
        return truth.there

    # What happens
    @rule(
        act=st.sampled_from(ACTS),
        number=st.integers(0, 99),
        confirm=st.booleans(),
        other=st.booleans(),
        local=st.sampled_from([False, False, False, True]),
    )
    def step(self, act: str, number: int, confirm: bool, other: bool, local: bool) -> None:
        """Do one thing; one rule for all, since of many a run would draw few."""
        if act == "build" or not self.truth:
            if len(self.truth) < MOST:
                self.build(local, other or confirm)
        elif act == "start":
            if self.active:
                self.start()
        elif act in ("deactivate", "evict", "look", "retire", "withdraw", "restart"):
            getattr(self, act)()
        elif act == "prune":
            self.prune(other, confirm)
        elif act in ("unoptimize", "delete_original"):
            getattr(self, act)(number, confirm)
        elif act == "delete":
            self.delete(number, confirm, other)
        else:
            getattr(self, act)(number)

    def build(self, local: bool, pushed: bool) -> None:
        image = self.world.made(Storage.LOCAL if local else Storage.REGISTRY)
        self.truth[image.id] = truth = Truth(local, optimized=local)
        if pushed and not local:
            self._push(image, truth)

    def push(self, number: int) -> None:
        image, truth = self.pick(number)
        if not truth.local and not truth.pushed and not truth.here:
            return  # nothing could be pushed; that no last copy goes without a word is held elsewhere
        self._push(image, truth)

    def _push(self, image: Image, truth: Truth) -> None:
        code = self.tried(self.manager.builds.push, ACTOR, image.id)
        if truth.local or truth.pushed:
            assert code == "conflict"
            return
        (build, *_) = self.manager.store.builds(image_id=image.id)
        assert (code, build.state) == ("", BuildState.SUCCEEDED), build.failure
        truth.pushed = truth.there = True

    def vanish(self, number: int) -> None:
        image, truth = self.pick(number)
        if truth.there:
            self.world.vanish(image)
            truth.there = False

    def optimize(self, number: int) -> None:
        image, truth = self.pick(number)
        code = self.tried(self.manager.storage.optimize, ACTOR, image.id)
        if truth.local:
            assert code == "invalid_request"
        elif image.state is ImageState.READY and (truth.here or truth.there):
            assert code == ""
            truth.here = truth.optimized = True
        else:
            # Either it is said at once, or the pull finds out.
            assert code or self.manager.store.pulls(image_id=image.id)[0].code

    def unoptimize(self, number: int, confirm: bool) -> None:
        image, truth = self.pick(number)
        code = self.tried(self.manager.storage.unoptimize, ACTOR, image.id, confirm=confirm)
        if truth.local or not truth.optimized:
            assert code == "invalid_request"
        elif truth.there:
            assert code == ""
            truth.optimized = truth.here = False
        elif self.active == image.id:
            assert code == "image_in_use"
        elif not confirm:
            assert code == "needs_confirmation"
        else:
            assert code == ""
            truth.optimized = truth.here = False

    def delete_original(self, number: int, confirm: bool) -> None:
        image, truth = self.pick(number)
        code = self.tried(self.manager.storage.delete_original, ACTOR, image.id, confirm=confirm)
        if not truth.there:
            assert code == "invalid_request"
        elif self.active == image.id and not (truth.optimized and truth.here):
            assert code == "image_in_use"
        elif not confirm:
            assert code == "needs_confirmation"
        else:
            assert code == ""
            truth.there = False

    def activate(self, number: int) -> None:
        image, truth = self.pick(number)
        expected = self.usable(image, truth)
        code = self.tried(self.manager.images.activate, ACTOR, self.world.project.id, image.id)
        assert (code == "") is expected, (code, image, truth)
        if expected:
            if self.active != image.id:
                self.previous, self.active = self.active, image.id
            truth.here = True

    def deactivate(self) -> None:
        self.manager.images.activate(ACTOR, self.world.project.id, None)
        if self.active is not None:
            self.previous, self.active = self.active, None

    def start(self) -> None:
        """Do what a kernel's start does before there is a container."""
        assert self.active is not None
        image, truth = self.manager.store.image(self.active), self.truth[self.active]
        assert image is not None
        expected = self.usable(image, truth)
        code = self.tried(self.manager.images.usable, image)
        assert (code == "") is expected, (code, image, truth)
        if expected and self.manager.pulls.ensure(ACTOR, image, unattended=True) is not None:
            assert not truth.here
            History.seen["pulled"] += 1
        truth.here = truth.here or expected

    def delete(self, number: int, confirm: bool, original: bool) -> None:
        image, truth = self.pick(number)
        code = self.tried(self.manager.images.delete, ACTOR, image.id, confirm=confirm, original=original)
        if self.active == image.id:
            assert code == "image_in_use"
        elif not confirm:
            assert code == "needs_confirmation"
        else:
            assert code == "", (code, image, truth)
            assert not self.manager.engine.image_tags().get(image.engine_image)
            if original and truth.there:
                assert not self.world.in_registry(image)
            del self.truth[image.id]

    def prune(self, optimized: bool, confirm: bool) -> None:
        """Whatever is pruned, nothing of use is lost but images of this machine that nobody uses."""
        done = self.manager.storage.prune(ACTOR, older_than=NOW, optimized=optimized, confirm=confirm)
        assert not done.failed
        if not confirm:
            return
        for id in {self.active, self.previous} - {None}:
            assert id not in {item.image_id for item in done.items}
        for item in done.items:
            truth = self.truth[item.image_id]
            if item.kind == "image":
                assert truth.local
                del self.truth[item.image_id]
            else:
                assert truth.there, "the last copy was taken"
                assert optimized or not truth.optimized
                History.seen["copy pruned"] += 1
                truth.here = truth.optimized = False

    def evict(self) -> None:
        """Evict as if nothing had been used for long: cached copies go, and never one that is the last there is."""
        done = set(self.manager.storage.evict())
        for id, truth in self.truth.items():
            cached = truth.here and truth.pushed and not truth.local and not truth.optimized
            if id in done:
                assert cached and truth.there
                truth.here = False
                History.seen["evicted"] += 1

    def look(self) -> None:
        """Look into the registry: from then on what is known of it is true."""
        self.manager.registry_states.look(set(self.truth))
        for id, truth in self.truth.items():
            image = self.manager.store.image(id)
            assert image is not None
            if truth.pushed:
                assert image.registry_state is (RegistryState.PRESENT if truth.there else RegistryState.MISSING)

    def retire(self) -> None:
        now = utcnow().isoformat()
        self.manager.retirements.declare(ACTOR, now, now, confirm=True)
        for truth in self.truth.values():
            truth.retired = True

    def withdraw(self) -> None:
        for each in self.manager.retirements.list(ACTOR):
            self.manager.retirements.withdraw(ACTOR, each.id)
        for truth in self.truth.values():
            truth.retired = False

    def restart(self) -> None:
        self.manager.close()
        self.world.open()

    # What is so after each step
    @invariant()
    def as_the_model_says(self) -> None:
        History.steps += 1
        store = self.manager.store
        project = store.project(self.world.project.id)
        assert project is not None and project.active_image_id == self.active
        assert {image.id for image in store.images(project.id)} == set(self.truth)
        tags = self.manager.engine.image_tags()
        for id, truth in self.truth.items():
            image = store.image(id)
            assert image is not None
            assert (image.engine_image in tags) is truth.here, (image, truth)
            assert image.optimized is truth.optimized, (image, truth)
            assert bool(image.repository) is truth.pushed
            if self.known_missing(image):
                assert not truth.there, "it is called missing and is there"


def test_histories(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """``SOAK_STEPS=20000`` is what `make soak` does."""
    monkeypatch.setattr(workers, "start", in_this_process)
    monkeypatch.setattr(History, "world", world, raising=False)
    monkeypatch.setattr(History, "steps", 0)
    monkeypatch.setattr(History, "seen", Counter())
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=max(1, STEPS // EACH),
            stateful_step_count=EACH,
            deadline=None,
            database=None,
            derandomize=STEPS <= 2000,  # the same histories in each run of the tests; a soak draws new ones
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
    assert History.steps >= STEPS // 2
    print(f"{History.steps} steps: {dict(History.seen)}")
    if STEPS >= 2000:  # what was never reached would have been held by nothing
        assert set(REACHED) <= set(History.seen), set(REACHED) - set(History.seen)
