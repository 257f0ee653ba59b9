from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.specifiers import SpecifierSet

from jupyter_image_manager.models import CheckItem, Package
from jupyter_image_manager.requirements.facts import Account, Facts, PipFacts, accounts, group_names, os_release
from jupyter_image_manager.requirements.policy import judge, speak

VERSIONS = SpecifierSet(">=3.8,<3.12")
JUPYTER = Account("jupyter", 1000, 1000, "/home/jupyter", "/bin/bash")
ROOT = Account("root", 0, 0, "/root", "/bin/bash")
GOOD = Facts(
    architecture="amd64",
    engine_architecture="amd64",
    os_release={"ID": "debian", "VERSION_ID": "12", "PRETTY_NAME": "Debian GNU/Linux 12 (bookworm)"},
    accounts=(ROOT, JUPYTER),
    groups={"jupyter": 1000},
    libc="glibc",
    libc_version="2.36",
    tools=frozenset({"sh", "bash", "apt-get", "useradd", "usermod", "groupmod", "find", "sed", "python3"}),
    python_version="3.11.9",
    python_path="/usr/local/bin/python3",
    python3_on_path=True,
    runs_as_user=True,
    prefix="/usr/local",
    ensurepip=True,
    pip=PipFacts("24.0", "/usr/local/bin/pip", "/usr/local/lib/python3.11/site-packages", True),
)


def failed(facts: Facts) -> dict[str, CheckItem]:
    return {item.id: item for item in judge(facts, VERSIONS) if not item.ok}


def test_a_good_image_passes_with_and_without_ipykernel() -> None:
    assert failed(GOOD) == {}
    assert failed(replace(GOOD, packages=(Package("ipykernel", "7.4.0"),))) == {}
    messages = {item.id: item.message for item in judge(GOOD, VERSIONS)}
    assert messages["python"] == "Python 3.11.9 (/usr/local/bin/python3)"
    assert "from outside" in messages["ipykernel"]


def test_another_architecture_is_said_exactly_and_nothing_else_is_claimed() -> None:
    items = failed(replace(GOOD, architecture="arm64"))
    assert items["architecture"].message == (
        "The image is made for arm64, but the engine runs amd64: its programs cannot be started here. "
        "Build it again on, or import the variant for, amd64."
    )
    assert set(items) == {"architecture"}
    assert items["architecture"].cure == ()


@pytest.mark.parametrize("version", ["3.8.0", "3.8.18", "3.11.0rc1", "3.11.9"])
def test_supported_pythons(version: str) -> None:
    assert "python" not in failed(replace(GOOD, python_version=version))


@pytest.mark.parametrize("version", ["2.7.18", "3.6.15", "3.7.17", "3.12.0", "3.13.0"])
def test_an_unsupported_python_needs_another_base(version: str) -> None:
    item = failed(replace(GOOD, python_version=version))["python"]
    assert item.message == (
        f"The image has Python {version} (/usr/local/bin/python3), but 3.8, 3.9, 3.10 or 3.11 is needed. "
        "Start the Dockerfile FROM a base that has it, for example python:3.11-slim-bookworm."
    )
    assert item.cure == ()


def test_conda_brings_another_python() -> None:
    facts = replace(GOOD, python_version="3.13.1", conda=True, tools=GOOD.tools | {"conda"})
    assert failed(facts)["python"].cure == ("RUN conda install -y python=3.11 pip && conda clean -afy",)


def test_a_supported_python_beside_the_unsupported_one_is_linked() -> None:
    facts = replace(GOOD, python_version="3.6.8", other_pythons=("/usr/bin/python3.12", "/usr/bin/python3.9"))
    assert failed(facts)["python"].cure == (
        "RUN ln -sf /usr/bin/python3.9 /usr/local/bin/python3 && "
        "(/usr/bin/python3.9 -m pip --version || /usr/bin/python3.9 -m ensurepip --upgrade)",
    )


NO_PYTHON = replace(
    GOOD, python_version="", python_path="", python3_on_path=False, runs_as_user=False, pip=PipFacts(), prefix=""
)


@pytest.mark.parametrize(
    ("system", "version", "tool", "expected"),
    [
        ("debian", "12", "apt-get", "apt-get install -y --no-install-recommends python3 python3-pip"),
        ("debian", "11", "apt-get", "apt-get install -y --no-install-recommends python3 python3-pip"),
        ("ubuntu", "22.04", "apt-get", "apt-get install -y --no-install-recommends python3 python3-pip"),
        ("alpine", "3.19.1", "apk", "apk add --no-cache python3 py3-pip"),
        ("fedora", "40", "dnf", "dnf install -y python3.11 && dnf clean all && python3.11 -m ensurepip"),
        ("rhel", "9.4", "microdnf", "microdnf install -y python3.11"),
        ("opensuse-leap", "15.6", "zypper", "zypper -n install python311 python311-pip"),
    ],
)
def test_python_by_the_distributions_packages(system: str, version: str, tool: str, expected: str) -> None:
    like = "suse" if system.startswith("opensuse") else ""
    release = {"ID": system, "VERSION_ID": version, "ID_LIKE": like, "PRETTY_NAME": system}
    facts = replace(NO_PYTHON, os_release=release, tools=frozenset({"sh", tool}))
    item = failed(facts)["python"]
    assert item.message == "The image has no Python."
    assert expected in item.cure[0]


@pytest.mark.parametrize(
    ("release", "tools", "words"),
    [
        ({"ID": "debian", "VERSION_ID": "13", "PRETTY_NAME": "Debian 13"}, {"sh", "apt-get"}, "none of these versions"),
        ({"ID": "ubuntu", "VERSION_ID": "24.04", "PRETTY_NAME": "Ubuntu"}, {"sh", "apt-get"}, "none of these versions"),
        ({"ID": "debian", "VERSION_ID": "12", "PRETTY_NAME": "Debian 12"}, {"sh"}, "no package manager"),
        ({"ID": "wolfi", "PRETTY_NAME": "Wolfi"}, {"sh"}, "Wolfi has no package manager"),
        ({}, set(), "no shell and no package manager"),
    ],
)
def test_where_python_cannot_be_added_the_base_must_change(
    release: dict[str, str], tools: set[str], words: str
) -> None:
    item = failed(replace(NO_PYTHON, os_release=release, tools=frozenset(tools)))["python"]
    assert words in item.message
    assert "FROM a base" in item.message
    assert item.cure == ()


@pytest.mark.parametrize(
    ("others", "message", "cure"),
    [
        (
            (ROOT,),
            "There is no user jupyter, and nobody has uid 1000.",
            "RUN useradd --no-log-init --create-home --uid 1000 --shell /bin/bash jupyter",
        ),
        (
            (ROOT, Account("jovyan", 1000, 100)),
            "There is no user jupyter; uid 1000 belongs to jovyan.",
            "RUN usermod --login jupyter jovyan",
        ),
        (
            (ROOT, Account("jupyter", 1001, 1001)),
            "User jupyter has uid 1001 instead of 1000.",
            "RUN usermod --uid 1000 jupyter && find / -xdev -user 1001 -exec chown -h 1000 {} +",
        ),
        (
            (ROOT, Account("ubuntu", 1000, 1000), Account("jupyter", 1001, 1001)),
            "User jupyter has uid 1001, and uid 1000 belongs to ubuntu.",
            "RUN usermod --uid 1002 ubuntu && usermod --uid 1000 jupyter && "
            "find / -xdev -user 1001 -exec chown -h 1000 {} +",
        ),
        (
            (ROOT, JUPYTER, Account("twin", 1000, 1000)),
            "Uid 1000 belongs to jupyter, but to twin as well.",
            "RUN usermod --uid 1001 twin",
        ),
    ],
)
def test_the_user(others: tuple[Account, ...], message: str, cure: str) -> None:
    item = failed(replace(GOOD, accounts=others, groups={}))["user"]
    assert item.message == message
    assert item.cure == (cure,)


def test_the_images_own_user_comes_back_after_root() -> None:
    facts = replace(GOOD, accounts=(ROOT, Account("nobody", 65534, 65534)), groups={}, user="nobody:nogroup")
    assert failed(facts)["user"].cure[0] == "USER root"
    assert failed(facts)["user"].cure[-1] == "USER nobody:nogroup"
    renamed = replace(facts, accounts=(ROOT, Account("jovyan", 1000, 100)), user="jovyan")
    assert failed(renamed)["user"].cure == ("USER root", "RUN usermod --login jupyter jovyan", "USER jupyter")
    assert failed(replace(renamed, user="1000"))["user"].cure[-1] == "USER 1000"


def test_without_a_shell_python_itself_adds_the_user() -> None:
    item = failed(replace(GOOD, accounts=(ROOT,), tools=frozenset()))["user"]
    assert item.cure[0].startswith('RUN ["/usr/local/bin/python3", "-c", ')
    assert "\n" not in item.cure[0]
    nothing = failed(replace(NO_PYTHON, accounts=(ROOT,), tools=frozenset()))["user"]
    assert nothing.cure == ()
    assert "neither a shell nor Python" in nothing.message


def test_pip() -> None:
    without = replace(GOOD, pip=PipFacts(message="/usr/local/bin/python3: No module named pip"))
    assert failed(without)["pip"].cure == ("RUN /usr/local/bin/python3 -m ensurepip --upgrade",)
    assert "python3-pip-whl" in failed(replace(without, ensurepip=False))["pip"].cure[0]
    distribution = replace(without, python_path="/usr/bin/python3", ensurepip=False)
    assert "install -y --no-install-recommends python3-pip " in failed(distribution)["pip"].cure[0]
    hopeless = failed(replace(without, ensurepip=False, tools=frozenset({"sh"})))["pip"]
    assert hopeless.cure == ()
    assert "FROM a base" in hopeless.message


def test_pip_install() -> None:
    text = "error: externally-managed-environment\n\nThis environment is externally managed"
    managed = replace(GOOD, pip=PipFacts("23.0.1", site="/usr/lib/python3/dist-packages", message=text))
    assert failed(managed)["pip_install"].cure == ("ENV PIP_BREAK_SYSTEM_PACKAGES=1",)
    venv = replace(GOOD, venv=True, prefix="/opt/venv", pip=PipFacts("24.0", message="ERROR: Could not install"))
    assert failed(venv)["pip_install"].cure == ("RUN chown -R 1000 /opt/venv",)


def test_python_off_path_and_out_of_reach() -> None:
    conda = replace(
        GOOD,
        python_path="/opt/conda/bin/python3",
        python3_on_path=False,
        path="/opt/tool:/usr/bin:/usr/sbin:/bin:/sbin",
    )
    assert failed(conda)["user_python"].cure == (
        "ENV PATH=/opt/conda/bin:/opt/tool:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    )
    hidden = replace(GOOD, python_path="/root/conda/bin/python3", prefix="/root/conda", runs_as_user=False)
    item = failed(hidden)["user_python"]
    assert "not as uid 1000" in item.message
    assert item.cure == (
        "RUN chmod a+x /root /root/conda /root/conda/bin && chmod a+rx /root/conda/bin/python3 "
        "&& chmod -R a+rX /root/conda",
    )


def test_the_systems_tools_are_found_whatever_path_the_image_sets() -> None:
    facts = replace(GOOD, accounts=(ROOT,), path="/opt/venv/bin:/usr/bin")
    assert failed(facts)["user"].cure[0].startswith('RUN export PATH="$PATH:/usr/sbin:/sbin:/usr/bin:/bin" && useradd ')
    empty = failed(replace(GOOD, path="", python3_on_path=False))["user_python"]
    assert empty.cure == ("ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",)


def test_files_are_read_as_the_c_library_reads_them() -> None:
    assert accounts("root:x:0:0:root:/root:/bin/sh\n+::::::\nbad\njupyter:x:1000:100::/h:\n") == (
        Account("root", 0, 0, "/root", "/bin/sh"),
        Account("jupyter", 1000, 100, "/h", ""),
    )
    assert group_names("root:x:0:\nusers:x:100:a,b\n#\n") == {"root": 0, "users": 100}
    assert os_release('ID=debian\nPRETTY_NAME="Debian 12"\n# x=y\n\nbad')["PRETTY_NAME"] == "Debian 12"


@pytest.mark.parametrize(
    ("specifier", "words"),
    [(">=3.8,<3.12", "3.8, 3.9, 3.10 or 3.11"), ("==3.11.*", "3.11"), (">=3.10,<3.12", "3.10 or 3.11")],
)
def test_versions_are_named_for_people(specifier: str, words: str) -> None:
    assert speak(SpecifierSet(specifier)) == words
