"""Communities: made on demand, set, refused; and where images of a project are kept by them (R10, R11)."""

from __future__ import annotations

from pathlib import Path

import pytest
from traitlets.config import Config

from jupyter_image_manager.errors import CommunityNotFound, Conflict, InvalidReference, InvalidRequest
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import Actor, Project, Storage


@pytest.fixture
def manager(tmp_path: Path) -> ImageManager:
    (tmp_path / "root" / "Мой проект").mkdir(parents=True)
    place = {"data_dir": str(tmp_path / "data"), "root_dir": str(tmp_path / "root")}
    return ImageManager(config=Config({"ImageManager": place}))


@pytest.fixture
def project(manager: ImageManager, actor: Actor) -> Project:
    return manager.projects.create(actor, str(Path(manager.root_dir) / "Мой проект"), "Climate Lab")


def set_up(manager: ImageManager, actor: Actor, project: Project, host: str = "harbor.example.org") -> str:
    community = manager.communities.of(project)
    manager.communities.update(actor, community.id, registry_host=host, namespace="team/a")
    manager.communities.set_agent(actor, community.id, "robot", "secret")
    return community.id


def test_everybody_has_a_personal_community(manager: ImageManager, actor: Actor, project: Project) -> None:
    mine = manager.communities.of(project)
    assert (mine.name, mine.owner, mine.personal, mine.has_registry) == ("tester", "tester", True, False)
    assert manager.communities.of(project) == mine
    assert manager.communities.list(actor) == [mine]
    science = manager.communities.create(actor, "  Big   Science ")
    assert science.name == "Big Science"
    assert manager.communities.list(actor) == [mine, science]
    with pytest.raises(Conflict, match="personal"):
        manager.communities.delete(actor, mine.id)


def test_somebody_whose_name_is_taken_has_one_too(manager: ImageManager, actor: Actor) -> None:
    manager.communities.create(actor, "grace")
    grace = Actor("grace")
    personal = manager.communities.list(grace)[0]
    assert (personal.name, personal.owner, personal.personal) == ("grace (personal)", "grace", True)
    assert manager.communities.list(grace)[0] == personal


def test_a_project_goes_to_another_community_and_back(manager: ImageManager, actor: Actor, project: Project) -> None:
    science = manager.communities.create(actor, "Science")
    moved = manager.projects.update(actor, project.id, community_id=science.id)
    assert manager.communities.of(moved) == science
    with pytest.raises(Conflict, match="1 projects"):
        manager.communities.delete(actor, science.id)
    with pytest.raises(CommunityNotFound):
        manager.projects.update(actor, project.id, community_id="nowhere")
    back = manager.projects.update(actor, project.id, community_id="")
    assert manager.communities.of(back).personal
    manager.communities.delete(actor, science.id)
    with pytest.raises(CommunityNotFound):
        manager.communities.get(actor, science.id)


def test_storage_is_local_until_registry_and_agent_are_set_and_says_what_lacks(
    manager: ImageManager, actor: Actor, project: Project
) -> None:
    communities = manager.communities
    community = communities.of(project)

    def lacks() -> str:
        offer = communities.storage(actor, project.id)
        registry, local = offer["choices"]
        assert offer["default"] == "local"
        assert (registry["storage"], registry["available"], local["storage"], local["available"]) == (
            "registry",
            False,
            "local",
            True,
        )
        assert communities.choose(project, None) is communities.choose(project, Storage.LOCAL) is Storage.LOCAL
        with pytest.raises(InvalidRequest) as refused:
            communities.choose(project, Storage.REGISTRY)
        with pytest.raises(InvalidRequest):
            communities.repository(project, "geo")
        assert refused.value.message == registry["reason"]
        return str(registry["reason"])

    assert "must set a registry" in lacks()
    with pytest.raises(InvalidRequest, match="has no registry"):
        communities.set_agent(actor, community.id, "robot", "secret")
    communities.update(actor, community.id, registry_host="hub.docker.com")
    assert "must set the namespace" in lacks()
    communities.update(actor, community.id, registry_host="harbor.example.org")
    assert "must give a service agent" in lacks()
    communities.set_agent(actor, community.id, "robot", "secret")
    offer = communities.storage(actor, project.id)
    assert offer["default"] == "registry"
    assert "harbor.example.org" in offer["choices"][0]["note"]
    assert communities.choose(project, None) is communities.choose(project, Storage.REGISTRY) is Storage.REGISTRY
    assert communities.choose(project, Storage.LOCAL) is Storage.LOCAL
    communities.update(actor, community.id, agent_enabled=False)
    assert "must enable the service agent 'robot'" in lacks()
    communities.update(actor, community.id, agent_enabled=True)
    assert communities.choose(project, None) is Storage.REGISTRY


def test_a_repository_is_host_namespace_project_and_name(manager: ImageManager, actor: Actor, project: Project) -> None:
    set_up(manager, actor, project)
    where = manager.communities.repository(project, "geo.stack")
    assert where == f"harbor.example.org/team/a/climate-lab-{project.id[:8]}/geo.stack"
    with pytest.raises(InvalidReference):
        manager.communities.repository(project, "Geo Stack")
    manager.communities.update(actor, manager.communities.of(project).id, namespace="n" * 160)
    with pytest.raises(InvalidRequest, match="255 letters"):
        manager.communities.repository(project, "x" * 128)
    set_up(manager, actor, project, "docker.io")
    manager.communities.update(actor, manager.communities.of(project).id, namespace="team")
    assert manager.communities.repository(project, "geo") == f"docker.io/team/climate-lab-{project.id[:8]}-geo"


def test_a_project_with_no_latin_letter_has_a_repository(manager: ImageManager, actor: Actor) -> None:
    other = manager.projects.create(actor, manager.root_dir, "Климат")
    set_up(manager, actor, other)
    assert manager.communities.repository(other, "geo") == f"harbor.example.org/team/a/project-{other.id[:8]}/geo"


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\x00b", "a\x1b[31mb", "a\u202eb", "a\u2066b"])
def test_nonsense_is_no_name(manager: ImageManager, actor: Actor, name: str) -> None:
    with pytest.raises(InvalidRequest, match="name"):
        manager.communities.create(actor, name)
    assert len(manager.communities.list(actor)) == 1


def test_a_name_is_had_once(manager: ImageManager, actor: Actor) -> None:
    first, second = (manager.communities.create(actor, name) for name in ("One", "Two"))
    with pytest.raises(Conflict, match="One"):
        manager.communities.create(actor, "One")
    with pytest.raises(Conflict, match="One"):
        manager.communities.update(actor, second.id, name="One")
    assert manager.communities.update(actor, first.id, name="One").name == "One"
    assert manager.communities.update(actor, first.id) == manager.communities.get(actor, first.id)


@pytest.mark.parametrize(
    ("user", "secret"),
    [("", "x"), ("a:b", "x"), ("a\nb", "x"), ("x" * 300, "x"), ("agent", "x" * 70_000), ("agent", "a\0b")],
)
def test_nonsense_is_no_service_agent(
    manager: ImageManager, actor: Actor, project: Project, user: str, secret: str
) -> None:
    community = manager.communities.of(project)
    manager.communities.update(actor, community.id, registry_host="harbor.example.org")
    with pytest.raises(InvalidRequest) as raised:
        manager.communities.set_agent(actor, community.id, user, secret)
    assert secret not in raised.value.message.split()
    assert manager.communities.of(project).agent == ""


def test_changes_of_communities_are_changes(manager: ImageManager, actor: Actor, project: Project) -> None:
    before = manager.last_change(actor)
    community_id = set_up(manager, actor, project)
    changes = [(change.noun, change.action) for change in manager.changes(actor, before) if change.id == community_id]
    assert changes == [("community", "updated"), ("community", "updated")]
