"""The whole check of an image, with a kernel that is really started."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from traitlets import TraitError

from jupyter_image_manager.engine.port import LABEL
from jupyter_image_manager.requirements import Checker, inside

from .workshop import Workshop, an_image

pytestmark = pytest.mark.engine

KERNEL = ["kernel_start", "execute", "interrupt", "interrupt_sleep", "write_file", "restart", "stop"]
GOOD = """RUN if getent passwd 1000 >/dev/null; \
 then usermod --login jupyter "$(getent passwd 1000 | cut -d: -f1)"; else useradd -m -u 1000 jupyter; fi
"""


def test_a_kernel_is_started_and_used_in_an_image_without_ipykernel(workshop: Workshop, python311: str) -> None:
    image = workshop.build(f"FROM {python311}\n{GOOD}")
    report = workshop.check(image)
    assert [item for item in report.items if not item.ok] == []
    assert [item.id for item in report.items][-len(KERNEL) :] == KERNEL
    assert report.ok
    assert report.ipykernel == ""
    assert next(item for item in report.items if item.id == "kernel_start").seconds > 0
    owner = {f"{LABEL}.installation": workshop.manager.store.installation_id()}
    assert workshop.manager.engine.list_containers(owner) == []


def test_a_broken_ipykernel_is_found_by_starting_it(workshop: Workshop, python311: str) -> None:
    image = workshop.build(
        f"FROM {python311}\n{GOOD}"
        "RUN cd /usr/local/lib/python3.11/site-packages && mkdir ipykernel ipykernel-7.4.0.dist-info"
        " && echo 'raise ImportError(\"broken on purpose\")' > ipykernel/__init__.py"
        " && printf 'Metadata-Version: 2.1\\nName: ipykernel\\nVersion: 7.4.0\\n'"
        " > ipykernel-7.4.0.dist-info/METADATA\n"
    )
    report = workshop.check(image)
    failed = [item for item in report.items if not item.ok]
    assert [item.id for item in failed] == ["kernel_start"]
    assert failed[0].cure == ("RUN /usr/local/bin/python3 -m pip install --no-cache-dir --force-reinstall ipykernel",)
    assert not report.ok


def test_progress_is_told_and_the_kernel_waits_for_the_rest(workshop: Workshop, bases: dict[str, str]) -> None:
    said: list[str] = []
    report = workshop.checker.check(an_image(bases["nopython"]), line=said.append)
    assert report.items[-1].message == "Cannot be tried before the rest is there."
    assert any(line.startswith("MISSING Python 3.8") for line in said)


def test_a_python_that_hangs_is_given_up(workshop: Workshop, python311: str) -> None:
    image = workshop.build(
        f"FROM {python311}\n{GOOD}RUN echo 'import time; time.sleep(3600)' "
        "> /usr/local/lib/python3.11/sitecustomize.py\n"
    )
    checker = workshop.checker
    checker.timeout = 5.0
    facts = checker.look(image)
    assert facts.python_version == ""
    assert facts.run_message == "it did not answer in time"


def test_the_python_versions_are_a_specifier(workshop: Workshop) -> None:
    with pytest.raises(TraitError, match="PEP 440"):
        Checker(parent=workshop.manager, manager=workshop.manager, python_versions="three")


def test_the_program_needs_nothing_newer_than_the_oldest_python() -> None:
    ast.parse(Path(inside.__file__).read_text(), feature_version=(3, 6))
