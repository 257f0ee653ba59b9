from __future__ import annotations

import io
import os
import socket
import stat
import tarfile
from pathlib import Path

import pytest

from jupyter_image_manager.builds import archive
from jupyter_image_manager.builds.context import BLOCK, DOCKERFILE, Context, closing
from jupyter_image_manager.builds.snapshot import Recording, stored
from jupyter_image_manager.errors import BuildFailed, InvalidRequest


def members(folder: Path, notes: list[str] | None = None) -> dict[str, tarfile.TarInfo]:
    data = b"".join([*Context(folder, None).body((notes if notes is not None else []).append), *closing("FROM x\n")])
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: member for member in tar}


def test_the_same_folder_is_the_same_stream(tmp_path: Path) -> None:
    for name in ("b", "a", "Ж имя", "x" * 200):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (1, 1))
    (tmp_path / os.fsdecode(b"caf\xe9")).write_text("latin")
    (tmp_path / "run").write_text("x")
    (tmp_path / "run").chmod(0o755)
    first = b"".join(Context(tmp_path, None).body(print))
    assert first == b"".join(Context(tmp_path, None).body(print))
    found = members(tmp_path)
    assert {"a", "b", "Ж имя", "x" * 200, DOCKERFILE} <= set(found)
    assert all(member.uid == member.gid == 0 for member in found.values())
    assert found["run"].mode == 0o755 and found["a"].mtime == 1


def test_links_are_sent_as_links_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/etc/passwd")
    (tmp_path / "folder").symlink_to("/etc")
    (tmp_path / "file").write_text("one")
    os.link(tmp_path / "file", tmp_path / "hard")
    found = members(tmp_path)
    assert found["out"].issym() and found["out"].linkname == "/etc/passwd"
    assert found["folder"].issym() and not any(name.startswith("folder/") for name in found)
    assert found["hard"].isreg() and found["hard"].size == 3


def test_a_file_that_becomes_a_link_while_it_is_sent_does_not_lead_out(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"x" * 3 * BLOCK)
    stream = Context(tmp_path, None).body(print)
    next(stream), next(stream)
    (tmp_path / "b").unlink()
    (tmp_path / "b").symlink_to("/etc/passwd")
    rest = b"".join(stream)
    assert b"root:" not in rest


def test_a_folder_that_becomes_a_link_while_it_is_walked_does_not_lead_out(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "z").mkdir()
    stream = Context(tmp_path, None).entries()
    assert [next(stream)[0].path, next(stream)[0].path] == ["a", "z/"]
    (tmp_path / "z").rmdir()
    (tmp_path / "z").symlink_to("/etc")
    with pytest.raises(InvalidRequest):
        next(stream)


def test_the_context_itself_becomes_a_link(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    context = Context(tmp_path, "sub")
    (tmp_path / "sub").rmdir()
    (tmp_path / "sub").symlink_to("/etc")
    with pytest.raises(InvalidRequest):
        list(context.entries())


@pytest.mark.parametrize("change", ["vanish", "shrink", "grow", "fifo"])
def test_a_file_that_changes_while_it_is_sent(tmp_path: Path, change: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x" * 3 * BLOCK)
    notes: list[str] = []
    stream = Context(tmp_path, None).body(notes.append)
    next(stream)
    if change == "grow":
        with path.open("ab") as file:
            file.write(b"more")
        b"".join(stream)
        assert notes and "grew" in notes[0]
        return
    if change == "shrink":
        os.truncate(path, 5)
    else:
        path.unlink()
        if change == "fifo":
            os.mkfifo(path)
    with pytest.raises(BuildFailed, match=r"^f (vanished|became shorter|was replaced) .*build again\.$"):
        b"".join(stream)


def test_sockets_are_left_out_and_said_devices_and_pipes_are_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(tmp_path)
        listening.bind("s")
        os.chdir(here)
        notes: list[str] = []
        assert "s" not in members(tmp_path, notes)
        assert notes == ["s is a socket: not sent."]
        preview, _ = Context(tmp_path, None).survey(1)
        assert preview.problems and preview.files == 0
    os.mkfifo(tmp_path / "p")
    with pytest.raises(InvalidRequest, match="device or a pipe"):
        Context(tmp_path, None).survey(1)
    (tmp_path / ".dockerignore").write_text("p\n")
    Context(tmp_path, None).survey(1)


def test_the_preview_is_what_is_sent(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 1000)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_bytes(b"x" * 10)
    (tmp_path / "d.log").write_text("x")
    (tmp_path / ".dockerignore").write_text("*.log\n")
    preview, first = Context(tmp_path, None).survey(5)
    assert (preview.files, preview.size, preview.ignored) == (3, 1016, 1)
    assert preview.largest[0] == ("a", 1000)
    assert preview.dropped == ("d.log",)
    os.utime(tmp_path / "a", (1, 1))
    assert Context(tmp_path, None).survey(5)[1] != first


def test_the_preview_names_what_is_left_out_but_not_all_of_it(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}.log").touch()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "x").touch()
    (tmp_path / ".dockerignore").write_text("*.log\ncache\n")
    context = Context(tmp_path, None)
    preview, _ = context.survey(1)
    assert preview.ignored == 31
    assert preview.dropped == tuple(f"{number:02}.log" for number in range(20))
    (tmp_path / ".dockerignore").write_text("cache\n")
    assert Context(tmp_path, None).survey(1)[0].dropped == ("cache/",)


def test_memory_stays_flat_and_blocks_small(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(64 << 20)
    assert max(map(len, Context(tmp_path, None).body(print))) <= BLOCK


def test_a_copy_is_kept_up_to_a_limit_only(tmp_path: Path) -> None:
    blocks = [b"a" * 1000, b"b" * 1000]
    kept = Recording(iter(blocks), tmp_path / "c", 3000, keep=True)
    assert b"".join(kept) == b"".join(blocks)
    assert kept.stored and kept.complete and kept.size == 2000
    assert b"".join(stored(tmp_path / "c", kept.digest)) == b"".join(blocks)
    big = Recording(iter(blocks), tmp_path / "d", 1500, keep=True)
    assert b"".join(big) == b"".join(blocks)
    assert not big.stored and big.digest == kept.digest and list((tmp_path / "d").iterdir()) == []
    left = Recording(iter(blocks), tmp_path / "e", 3000, keep=True)
    passing = iter(left)
    next(passing)
    passing.close()
    assert not left.complete and list((tmp_path / "e").iterdir()) == []


@pytest.mark.parametrize("name", ["../../etc/x", "/etc/x"])
def test_archives_that_name_files_outside_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        tar.addfile(tarfile.TarInfo("manifest.json"))
        tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(InvalidRequest, match="refused"):
        archive.survey(path, 1 << 30, lambda: None)


def test_archives_that_are_bombs_or_no_images_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo("layer.tar")
        info.size = 20 << 20
        tar.addfile(info, io.BytesIO(bytes(info.size)))
    with pytest.raises(InvalidRequest, match="limit"):
        archive.survey(path, 10 << 20, lambda: None)
    with pytest.raises(InvalidRequest, match="no archive of an image"):
        archive.survey(path, 30 << 20, lambda: None)
    device = tarfile.TarInfo("manifest.json")
    device.type = tarfile.BLKTYPE
    with tarfile.open(path, "w") as tar:
        tar.addfile(device)
    with pytest.raises(InvalidRequest, match="refused"):
        archive.survey(path, 30 << 20, lambda: None)
    assert stat.S_ISREG(path.stat().st_mode)


def test_a_hard_link_is_a_file_of_its_own(tmp_path: Path) -> None:
    """Whoever could make it could read the file: the kernel forbids others' files (protected_hardlinks)."""
    (tmp_path / "outside").write_text("text")
    (tmp_path / "project").mkdir()
    os.link(tmp_path / "outside", tmp_path / "project" / "inside")
    context = Context(tmp_path / "project", None)
    data = b"".join(context.body(lambda _: None)) + bytes(1024)
    with tarfile.open(fileobj=io.BytesIO(data)) as sent:
        assert sent.getmember("inside").isreg()
        assert sent.extractfile("inside").read() == b"text"


@pytest.mark.parametrize("name", ["secret", "closed/"])
def test_what_cannot_be_read_is_named_with_what_to_do(tmp_path: Path, name: str) -> None:
    if name.endswith("/"):
        (tmp_path / name).mkdir(mode=0o000)
    else:
        (tmp_path / name).touch(mode=0o000)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if folder.stat().st_uid == os.geteuid() and str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    privileged = os.geteuid() == 0
    if privileged:
        os.seteuid(65534)  # root can read everything
    try:
        with pytest.raises(InvalidRequest, match=rf"^{name.strip('/')}.* cannot be read \(permission denied\); change"):
            Context(tmp_path, None).survey(1 << 30)
    finally:
        if privileged:
            os.seteuid(0)
        (tmp_path / name).chmod(0o700)
    (tmp_path / ".dockerignore").write_text(name.strip("/"))
    assert Context(tmp_path, None).survey(1 << 30)[0].ignored == 1
