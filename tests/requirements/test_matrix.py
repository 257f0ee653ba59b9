"""Images that lack each single requirement, and each two of them: found exactly, cured in one rebuild."""

from __future__ import annotations

from itertools import combinations

import pytest

from .workshop import Workshop, lacks

pytestmark = pytest.mark.engine

STDLIB = "$(python3 -c 'import os; print(os.path.dirname(os.__file__))')"
# Whatever user with uid 1000 the base has becomes jupyter; the standard library is compiled once for all.
GOOD = f"""RUN if getent passwd 1000 >/dev/null; \
 then usermod --login jupyter "$(getent passwd 1000 | cut -d: -f1)"; else useradd -m -u 1000 jupyter; fi
RUN python3 -m compileall -q {STDLIB} || true
"""
LACKS = {
    "no user": ("RUN userdel -r jupyter", {"user"}),
    "uid 1000 is another user's": ("RUN usermod --login jovyan jupyter", {"user"}),
    "jupyter has another uid": ("RUN usermod --uid 1234 jupyter", {"user"}),
    "both are others'": ("RUN usermod --uid 1234 jupyter && useradd --uid 1000 ubuntu", {"user"}),
    "no pip": ('RUN rm -rf $(python3 -c "import pip; print(pip.__path__[0])")* "$(command -v pip)"', {"pip"}),
    "not on PATH": ("ENV PATH=/usr/bin:/bin:/usr/sbin:/sbin", {"user_python"}),
    "externally managed": (f'RUN echo "[externally-managed]" > {STDLIB}/EXTERNALLY-MANAGED', {"pip_install"}),
    "only for root": ('RUN chmod 700 "$(readlink -f "$(command -v python3)")"', {"user_python"}),
}
# The user is one requirement in four disguises: each other lack meets one of them, and all others each other.
USERS, OTHERS = list(LACKS)[:4], list(LACKS)[4:]
PAIRS = [*zip(USERS, OTHERS, strict=True), *combinations(OTHERS, 2)]
# The last line of these would no longer find Python, or may not: it must not come first.
LATE = ("no pip", "externally managed", "only for root", "not on PATH")


def dockerfile(base: str, *names: str) -> str:
    ordered = sorted(names, key=lambda name: LATE.index(name) if name in LATE else -1)
    return f"FROM {base}\n{GOOD}" + "".join(f"{LACKS[name][0]}\n" for name in ordered)


def expected(*names: str) -> set[str]:
    """What must be said to be missing; pip install can only be tried with pip, as a user who has Python."""
    found = set().union(*(LACKS[name][1] for name in names))
    return found - {"pip_install"} if found & {"pip"} or "only for root" in names else found


@pytest.mark.parametrize("names", [*((name,) for name in LACKS), *PAIRS], ids=" and ".join)
def test_what_is_lacking_is_found_and_cured(workshop: Workshop, python311: str, names: tuple[str, ...]) -> None:
    text = dockerfile(python311, *names)
    _, report = workshop.report(workshop.build(text))
    assert not report.ok
    assert lacks(report) == expected(*names)
    _, cured = workshop.report(workshop.cured(text, report))
    assert [item for item in cured.items if not item.ok] == []
    assert cured.ok


def test_the_base_itself_lacks_nothing_more(workshop: Workshop, python311: str) -> None:
    facts, report = workshop.report(workshop.build(dockerfile(python311)))
    assert report.ok
    assert report.python_path == "/usr/local/bin/python3"
    assert report.os_id == "debian"
    assert report.libc == "glibc"
    assert {package.name for package in report.packages} >= {"pip"}
    assert report.architecture == workshop.manager.engine.info().architecture
    assert sum(layer.size for layer in report.layers) > 50_000_000
    assert facts.runs_as_user
    assert report.checked is not None


@pytest.mark.parametrize("more", ["", "RUN useradd --uid 1000 ubuntu", "USER nobody"])
def test_without_python_the_distribution_brings_it(workshop: Workshop, bases: dict[str, str], more: str) -> None:
    text = f"FROM {bases['nopython']}\n{more}\n"
    _, report = workshop.report(workshop.build(text))
    assert lacks(report) == {"python", "user"}
    image = workshop.cured(text, report)
    _, cured = workshop.report(image)
    assert [item for item in cured.items if not item.ok] == []
    assert workshop.manager.engine.inspect_image(image).user == ("nobody" if "nobody" in more else "")
