"""States, and what each allows."""

from __future__ import annotations

import pytest

from jupyter_image_manager import access, lifecycle
from jupyter_image_manager.errors import NotAllowed
from jupyter_image_manager.models import (
    FINISHED_BUILD_STATES,
    Actor,
    BuildState,
    CheckItem,
    Image,
    ImageState,
    Report,
)

from .store.values import a_recipe, an_image


def image(**values: object) -> Image:
    return an_image("p", a_recipe(), version=2, **values)


def test_only_a_ready_image_is_usable_and_each_other_says_what_to_do() -> None:
    for state in ImageState:
        why = lifecycle.why_unusable(image(state=state))
        assert (why is None) == (state is ImageState.READY)
        assert why is None or ("analysis:2" in why and "jupyter image" in why)


def test_an_unusable_image_names_what_it_lacks() -> None:
    report = Report(ok=False, items=(CheckItem("pip", "pip", False), CheckItem("user", "the user jupyter", True)))
    why = lifecycle.why_unusable(image(state=ImageState.UNUSABLE, report=report))
    assert why is not None
    assert "(pip)" in why


def test_warnings() -> None:
    items = (CheckItem("a", "A", False, required=False, message="It is slow."), CheckItem("b", "B", True))
    found = image(state=ImageState.READY, architecture="arm64", report=Report(ok=True, items=items))
    assert lifecycle.warnings(found, "arm64") == ("It is slow.",)
    assert "made for arm64" in lifecycle.warnings(found, "amd64")[0]
    assert lifecycle.warnings(image(state=ImageState.READY), "amd64") == ()
    assert "no longer in the engine" in lifecycle.warnings(image(state=ImageState.MISSING))[0]


def test_every_build_state_has_its_successors_and_ends_lead_back_only_to_the_queue() -> None:
    assert set(lifecycle.BUILD_STEPS) == set(BuildState)
    for state in FINISHED_BUILD_STATES:
        assert lifecycle.BUILD_STEPS[state] <= {BuildState.QUEUED}
    for state in set(BuildState) - FINISHED_BUILD_STATES:
        assert {BuildState.FAILED, BuildState.CANCELLED, BuildState.INTERRUPTED} <= lifecycle.BUILD_STEPS[state]


def test_a_personal_server_refuses_nothing() -> None:
    for action in access.ACTIONS:
        access.check(Actor("ada"), action, None)


def test_a_role_that_does_not_suffice_is_told_which_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "role_of", lambda actor, project: access.Role.VIEWER)
    access.check(Actor("ada"), "image.view", None)
    with pytest.raises(NotAllowed, match=r"ada is Viewer of this server; image.delete needs Developer"):
        access.check(Actor("ada"), "image.delete", None)
