"""What is sent as a context, and that nothing else ever is."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_image_manager.builds.context import DOCKERFILE, Context, closing
from jupyter_image_manager.builds.snapshot import Recording, stored
from jupyter_image_manager.errors import BuildFailed, Conflict, InvalidRequest


def members(context: Context, notes: list[str] | None = None) -> dict[str, tarfile.TarInfo]:
    data = b"".join([*context.body((notes if notes is not None else []).append), *closing("FROM x\n")])
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: member for member in archive}


def test_the_folder_is_sent_without_what_is_ignored_and_with_links_as_links(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "ключ.py").write_text("x")
    (tmp_path / "data.csv").write_text("big")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / ".dockerignore").write_text("*.csv\n")
    found = members(Context(tmp_path, None))
    assert set(found) == {"src", "src/ключ.py", "link", ".dockerignore", DOCKERFILE}
    assert found["link"].issym()
    assert found["link"].linkname == "/etc/passwd", "a link is sent as a link, never what it leads to"
    assert {(m.uid, m.gid) for m in found.values()} == {(0, 0)}


def test_the_dockerfiles_own_ignore_file_wins(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / ".dockerignore").write_text("b\n")
    (tmp_path / "gpu.Dockerfile.dockerignore").write_text("a\n")
    assert "a" not in members(Context(tmp_path, None, "gpu.Dockerfile"))


@pytest.mark.parametrize("folder", ["..", "a/../..", "/etc", "out", "missing", "file", "a\0b"])
def test_a_context_never_leaves_the_project(tmp_path: Path, folder: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "out").symlink_to(tmp_path)
    (project / "file").touch()
    with pytest.raises(InvalidRequest):
        Context(project, folder)


def test_a_folder_that_becomes_a_link_while_it_is_walked_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "outside"
    secret.mkdir()
    (secret / "key").write_text("secret")
    project = tmp_path / "project"
    (project / "b").mkdir(parents=True)
    (project / "b" / "plain").touch()
    (project / "a").touch()
    walk = Context(project, None).body(print)
    next(walk)
    (project / "b" / "plain").unlink()
    (project / "b").rmdir()
    (project / "b").symlink_to(secret)
    assert b"secret" not in b"".join(walk)


def test_sockets_are_left_out_and_said_and_pipes_are_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        preview, _ = Context(tmp_path, None).survey(1)
        assert preview.problems == ("s is a socket: not sent.",)
        assert "s" not in members(Context(tmp_path, None))
    (tmp_path / "s").unlink()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidRequest, match="pipe"):
        Context(tmp_path, None).survey(1)


def test_a_file_that_grows_is_cut_and_said_and_one_that_shrinks_or_goes_ends_the_build(tmp_path: Path) -> None:
    file = tmp_path / "growing"
    file.write_bytes(b"x" * 10)
    notes: list[str] = []

    def changed(act: object) -> Iterator[bytes]:
        body = Context(tmp_path, None).body(notes.append)
        yield next(body)
        act()
        yield from body

    def grow() -> None:
        with file.open("ab") as more:
            more.write(b"y" * 5)

    data = b"".join([*changed(grow), *closing("")])
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.extractfile("growing").read() == b"x" * 10
    assert notes == ["growing grew while it was sent: its first 10 bytes were taken."]
    with pytest.raises(BuildFailed, match="shorter"):
        list(changed(lambda: file.write_bytes(b"x")))
    with pytest.raises(BuildFailed, match="vanished"):
        list(changed(file.unlink))


def test_the_preview_counts_what_is_sent(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(5000))
    (tmp_path / "small").write_bytes(bytes(5))
    (tmp_path / "dropped").write_bytes(bytes(50))
    (tmp_path / ".dockerignore").write_text("dropped")
    preview, fingerprint = Context(tmp_path, None).survey(100)
    assert (preview.files, preview.size, preview.ignored, preview.limit) == (3, 5012, 1, 100)
    assert preview.largest[0] == ("big", 5000)
    assert Context(tmp_path, None).survey(100)[1] == fingerprint
    (tmp_path / "small").write_bytes(bytes(6))
    assert Context(tmp_path, None).survey(100)[1] != fingerprint


def test_a_small_context_is_kept_and_comes_back_byte_for_byte(tmp_path: Path) -> None:
    blocks = [b"a" * 1000, b"b" * 500]
    recording = Recording(iter(blocks), tmp_path, 10_000, keep=True)
    assert list(recording) == blocks
    assert recording.stored
    assert b"".join(stored(tmp_path, recording.digest)) == b"".join(blocks)
    with pytest.raises(Conflict):
        list(stored(tmp_path, "sha256:" + "0" * 64))


def test_a_big_context_is_known_by_its_digest_only_and_leaves_nothing(tmp_path: Path) -> None:
    recording = Recording(iter([b"a" * 1000] * 20), tmp_path, 10_000, keep=True)
    list(recording)
    assert not recording.stored
    assert list(tmp_path.iterdir()) == []
    broken = Recording(iter([b"a"]), tmp_path, 10, keep=True)
    iterator = iter(broken)
    next(iterator)
    iterator.close()
    assert list(tmp_path.iterdir()) == [], "a build that ends early leaves no half copy"
