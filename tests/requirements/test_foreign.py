"""Images that were never made for kernels: the check says exactly what is wrong with them."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile

import pytest

from .workshop import Workshop, an_image, lacks

pytestmark = pytest.mark.engine

RELEASE = b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
# Python with the libraries it links to, and those that every manylinux wheel may take for granted.
NO_SHELL = """FROM {base} AS whole
RUN mkdir -p /r/usr /r/etc /r/tmp /r/home/nb && cp -a /usr/local /r/usr/ \
 && for f in /usr/local/bin/python3.11 /usr/local/lib/python3.11/lib-dynload/*.so; do ldd $f; done > /needed \
 && for n in librt.so.1 libdl.so.2 libutil.so.1 libpthread.so.0 libm.so.6 libgcc_s.so.1 libstdc++.so.6; do \
    ls /lib/*-linux-gnu/$n /usr/lib/*-linux-gnu/$n; done 2>/dev/null | sed 's/^/x => /' >> /needed; \
    awk '$3~/^\\//{{print $3}} $1~/^\\//{{print $1}}' /needed | sort -u \
 | while read f; do mkdir -p /r$(dirname $f); cp -L $f /r$f; done; cp -r --parents /etc/ld.so.c* /r/ \
 && echo 'root:x:0:0:root:/:/nologin\\nnb:x:1000:1000::/home/nb:/nologin' > /r/etc/passwd \
 && chmod 1777 /r/tmp && ldconfig -r /r
FROM scratch
COPY --from=whole /r/ /
USER 1000
ENTRYPOINT ["/usr/local/bin/python3"]
"""


def archive_of(architecture: str, files: dict[str, bytes]) -> io.BytesIO:
    """A docker-save archive with one layer, made for an architecture that need not be ours."""
    layer = tar(files)
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "created": "2026-01-01T00:00:00Z",
            "config": {"Env": ["PATH=/usr/bin"], "Cmd": ["/bin/sh"]},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
        }
    ).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": ["jim-test/foreign:1"], "Layers": ["layer.tar"]}]).encode()
    return io.BytesIO(tar({name: config, "layer.tar": layer, "manifest.json": manifest}))


def tar(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def test_another_architecture_is_never_started(workshop: Workshop) -> None:
    passwd = b"root:x:0:0:root:/root:/bin/sh\njovyan:x:1000:100::/home/jovyan:/bin/sh\n"
    files = {"etc/os-release": RELEASE, "etc/passwd": passwd, "usr/bin/python3": b"\x7fELF of another machine"}
    image = workshop.manager.engine.load(archive_of("arm64", files))[0]
    workshop.made.append("jim-test/foreign:1")
    said: list[str] = []
    report = workshop.checker.check(an_image(image), line=said.append)
    ours = workshop.manager.engine.info().architecture
    items = {item.id: item for item in report.items}
    assert items["architecture"].message == (
        f"The image is made for arm64, but the engine runs {ours}: its programs cannot be started here. "
        f"Build it again on, or import the variant for, {ours}."
    )
    assert items["user"].message == "There is no user jupyter; uid 1000 belongs to jovyan."
    assert set(items) == {"architecture", "user"}
    assert not report.ok
    assert report.architecture == "arm64"
    assert report.os_name == "Debian GNU/Linux 12 (bookworm)"
    assert not any("running python3" in line for line in said)


def test_without_a_shell_python_mends_the_image(workshop: Workshop, python311: str) -> None:
    text = NO_SHELL.format(base=python311)
    facts, report = workshop.report(workshop.build(text))
    assert facts.tools <= {"python3", "pip"}
    assert lacks(report) == {"user"}
    image = workshop.cured(text, report)
    cured = workshop.check(image)
    assert [item for item in cured.items if not item.ok] == []
    assert workshop.manager.engine.inspect_image(image).user == "1000"


def test_nothing_but_a_file(workshop: Workshop) -> None:
    _, report = workshop.report(workshop.build("FROM scratch\nCOPY release /etc/os-release\n", {"release": RELEASE}))
    items = {item.id: item for item in report.items}
    assert items["python"].message == (
        "The image has no Python. The image has no shell and no package manager: start the Dockerfile FROM a base "
        "that has Python, for example python:3.11-slim-bookworm."
    )
    assert items["user"].message == (
        "There is no user jupyter: /etc/passwd is absent or empty. The image has neither a shell nor Python to add "
        "one with: add it in its base."
    )
    assert report.os_id == "debian"
    assert lacks(report) == {"python", "user"}


def test_an_unsupported_python_needs_another_base(workshop: Workshop, bases: dict[str, str]) -> None:
    _, report = workshop.report(workshop.build(f"FROM {bases['python:3.13']}\n"))
    item = next(item for item in report.items if item.id == "python")
    assert item.message.startswith("The image has Python 3.13.")
    assert "FROM a base that has it" in item.message
    assert item.cure == ()
    # The administrator may widen what is accepted.
    checker = workshop.checker
    checker.python_versions = ">=3.8"
    facts = checker.look(bases["python:3.13"])
    assert facts.python_version.startswith("3.13.")


@pytest.mark.parametrize(
    ("lines", "user"),
    [
        ('ENTRYPOINT ["/bin/false"]', ""),
        ("USER nobody", "nobody"),
        ("RUN chmod -R a-w /usr/local/lib", ""),
        ("ENV PATH=", ""),
        ("ENV HOME=/nowhere PYTHONDONTWRITEBYTECODE=1 PIP_REQUIRE_VIRTUALENV=0", ""),
        ("RUN printf 'print(\"noise from sitecustomize\")' > /usr/local/lib/python3.11/sitecustomize.py", ""),
        ('HEALTHCHECK CMD ["false"]\nVOLUME /data\nSTOPSIGNAL SIGKILL', ""),
    ],
    ids=["entrypoint exits", "user nobody", "site read-only", "empty PATH", "odd variables", "noise", "odd settings"],
)
def test_what_is_odd_but_harmless_passes_once_the_user_is_there(
    workshop: Workshop, python311: str, lines: str, user: str
) -> None:
    text = f"FROM {python311}\n{lines}\n"
    _, report = workshop.report(workshop.build(text))
    assert lacks(report) <= {"user", "user_python"}
    image = workshop.cured(text, report)
    _, cured = workshop.report(image)
    assert [item for item in cured.items if not item.ok] == []
    assert workshop.manager.engine.inspect_image(image).user == user


def test_a_python_below_root_is_found_and_opened(workshop: Workshop, python311: str) -> None:
    text = f"""FROM {python311}
RUN cp -a /usr/local /root/py && rm -rf /usr/local/bin/python* /usr/local/lib/python3* && chmod 700 /root \
 && echo /root/py/lib > /etc/ld.so.conf.d/py.conf && ldconfig
USER nobody
"""
    _, report = workshop.report(workshop.build(text))
    assert report.python_path == "/root/py/bin/python3"
    assert "user_python" in lacks(report)
    _, cured = workshop.report(workshop.cured(text, report))
    assert [item for item in cured.items if not item.ok] == []


def test_a_virtual_environment_of_roots(workshop: Workshop, python311: str) -> None:
    text = f"FROM {python311}\nRUN python3 -m venv /opt/venv\nENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin\n"
    _, report = workshop.report(workshop.build(text))
    assert "pip_install" in lacks(report)
    _, cured = workshop.report(workshop.cured(text, report))
    assert [item for item in cured.items if not item.ok] == []
    assert cured.python_path == "/opt/venv/bin/python3"
