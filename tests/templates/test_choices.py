from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets import TraitError

from jupyter_image_manager.errors import InvalidRequest
from jupyter_image_manager.templates import TemplateCatalog
from jupyter_image_manager.templates.recipes import PYTHONS, TEMPLATES

CATALOG = TemplateCatalog()
INSTRUCTIONS = {"FROM", "USER", "ENV", "RUN", "COPY", "WORKDIR"}


def instructions(dockerfile: str) -> list[str]:
    """The words that begin an instruction, as any Dockerfile parser sees them."""
    found, inside = [], False
    for line in dockerfile.splitlines():
        if not line.strip() or (line.startswith("#") and not inside):
            continue
        if not inside:
            found.append(line.split()[0])
        inside = line.endswith("\\")
    return found


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_is_read_back(name: str, python: str) -> None:
    choices = {
        "name": name,
        "python": python,
        "requirements": "requests>=2 ; python_version < '3.9'\n# why\npolars == 1.0  # pinned\n--pre\n",
        "apt": ["git", "libxml2"],
        "env": {"PLAIN": "value", "ODD": 'a "b" $c \\ \\" end\\'},
        "files": ["data/a b.csv", "config.toml:/etc/config.toml"],
    }
    dockerfile = CATALOG.render(choices).dockerfile
    back = CATALOG.parse(dockerfile)
    assert back is not None
    assert back == CATALOG.choices(choices).as_dict()
    assert CATALOG.render(back).dockerfile == dockerfile
    assert f"FROM python:{python}-slim-bookworm\n" in dockerfile
    assert dockerfile.rstrip().endswith("USER jupyter\nWORKDIR /home/jupyter")


def test_only_the_name_is_needed() -> None:
    assert CATALOG.parse(CATALOG.render({"name": "minimal"}).dockerfile) == {
        "name": "minimal",
        "python": "3.11",
        "requirements": "",
        "apt": [],
        "env": {},
        "files": [],
    }


def test_a_dockerfile_changed_by_hand_is_nobodys_template() -> None:
    dockerfile = CATALOG.render({"name": "scientific"}).dockerfile
    assert CATALOG.parse(dockerfile.replace("\n", "\r\n") + "\n\n") is not None
    assert CATALOG.parse(dockerfile + "RUN true\n") is None
    assert CATALOG.parse(dockerfile.replace("USER jupyter", "USER root")) is None
    assert CATALOG.parse("FROM python:3.11\n") is None
    assert CATALOG.parse("") is None


def test_another_base_is_a_choice() -> None:
    dockerfile = CATALOG.render({"name": "minimal", "base": "mirror.example:5000/python@sha256:" + "0" * 64}).dockerfile
    found = CATALOG.parse(dockerfile)
    assert found is not None
    assert found["base"] == "mirror.example:5000/python@sha256:" + "0" * 64
    # A company that moves its mirror must not lose the forms of the images it has.
    moved = TemplateCatalog(base_image="hub.example/python:{python}")
    assert moved.parse(CATALOG.render({"name": "minimal"}).dockerfile) == {
        **CATALOG.choices({"name": "minimal"}).as_dict(),
        "base": "python:3.11-slim-bookworm",
    }


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"name": "huge"},
        {"name": "minimal", "python": "3.13"},
        {"name": "minimal", "python": "3.11\nRUN evil"},
        {"name": "minimal", "python": 3.11},
        {"name": "minimal", "colour": "red"},
        {"name": "minimal", "requirements": "-r other.txt"},
        {"name": "minimal", "requirements": "-e ."},
        {"name": "minimal", "requirements": "numpy==1 --hash=sha256:00"},
        {"name": "minimal", "requirements": "numpy'; rm -rf /; '"},
        {"name": "minimal", "requirements": "numpy; evil"},
        {"name": "minimal", "requirements": "x @ https://h/'$(id)'"},
        {"name": "minimal", "requirements": "--index-url https://me:secret@host/simple"},
        {"name": "minimal", "requirements": "--index-url https://h/'x"},
        {"name": "minimal", "requirements": {"numpy": "1"}},
        {"name": "minimal", "apt": ["git; rm -rf /"]},
        {"name": "minimal", "apt": ["--allow-unauthenticated"]},
        {"name": "minimal", "apt": ["git\nRUN evil$"]},
        {"name": "minimal", "apt": [3]},
        {"name": "minimal", "env": {"A": "b\nRUN evil"}},
        {"name": "minimal", "env": {"A": "b\x00"}},
        {"name": "minimal", "env": {"A B": "c"}},
        {"name": "minimal", "env": {"1A": "c"}},
        {"name": "minimal", "env": {"A": 1}},
        {"name": "minimal", "env": ["A=b"]},
        {"name": "minimal", "files": ["../secret"]},
        {"name": "minimal", "files": ["/etc/passwd"]},
        {"name": "minimal", "files": ["a/../../b"]},
        {"name": "minimal", "files": ["*"]},
        {"name": "minimal", "files": ["a:relative"]},
        {"name": "minimal", "files": ["a:/x/../../y"]},
        {"name": "minimal", "files": ["a\nRUN evil"]},
        {"name": "minimal", "files": ["$HOME"]},
        {"name": "minimal", "base": "python:3.11\nRUN evil"},
        {"name": "minimal", "base": "--platform=evil"},
        {"name": "minimal", "base": "Python:3.11"},
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_with_a_sentence(choices: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        CATALOG.render(choices)
    assert caught.value.message.endswith(".")
    assert "secret@" not in caught.value.message


@given(
    requirements=st.text(max_size=60),
    apt=st.lists(st.text(max_size=12), max_size=3),
    env=st.dictionaries(st.text(max_size=8), st.text(max_size=30), max_size=3),
    files=st.lists(st.text(max_size=12), max_size=3),
)
def test_no_value_becomes_an_instruction(
    requirements: str, apt: list[str], env: dict[str, str], files: list[str]
) -> None:
    choices = {"name": "minimal", "requirements": requirements, "apt": apt, "env": env, "files": files}
    try:
        dockerfile = CATALOG.render(choices).dockerfile
    except InvalidRequest:
        return
    assert set(instructions(dockerfile)) <= INSTRUCTIONS
    assert instructions(dockerfile).count("RUN") <= 4
    back = CATALOG.parse(dockerfile)
    assert back == CATALOG.choices(choices).as_dict()


@given(value=st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=60))
def test_every_text_survives_in_a_variable(value: str) -> None:
    choices = {"name": "minimal", "env": {"A": value}}
    found = CATALOG.parse(CATALOG.render(choices).dockerfile)
    assert found is not None
    assert found["env"] == {"A": value}


@pytest.mark.parametrize("pattern", ["python:{version}", "python:{python", "a b", "", "python:{python}\nRUN x", "{}"])
def test_a_base_that_is_no_reference_is_refused(pattern: str) -> None:
    with pytest.raises(TraitError, match="base_image"):
        TemplateCatalog(base_image=pattern)


def test_the_list_serves_a_form() -> None:
    listed = CATALOG.list()
    assert [entry["name"] for entry in listed] == list(TEMPLATES)
    for entry in listed:
        defaults = {choice["name"]: choice["default"] for choice in entry["choices"]}
        assert CATALOG.parse(CATALOG.render({"name": entry["name"], **defaults}).dockerfile) is not None
