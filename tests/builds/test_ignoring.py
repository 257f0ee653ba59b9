from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_image_manager.builds.ignore import IgnoreRules
from jupyter_image_manager.builds.ignoring import ignore, rule_for
from jupyter_image_manager.errors import InvalidRequest


@pytest.mark.parametrize("path", ["big.bin", "data/a b.csv", "!x", "#x", "a[1]*?.csv", "back\\slash", "дата/файл"])
def test_a_rule_leaves_out_one_path_and_no_other(path: str) -> None:
    rules = IgnoreRules([rule_for(path)])
    assert rules.ignored(path)
    assert not rules.ignored("other")
    assert not rules.ignored(f"deeper/{path}")


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../../b", "a\nb", " a"])
def test_what_cannot_be_named_is_refused(path: str) -> None:
    with pytest.raises(InvalidRequest):
        rule_for(path)


def test_the_way_there_and_back_changes_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / ".dockerignore"
    ignore(tmp_path, "big.bin", ignored=True)
    assert file.read_text() == "/big.bin\n"
    ignore(tmp_path, "big.bin", ignored=False)
    assert not file.exists()

    file.write_bytes(b"*.log\n# \xff")
    file.chmod(0o600)
    ignore(tmp_path, "a", ignored=True)
    ignore(tmp_path, "a", ignored=True)
    assert file.read_bytes() == b"*.log\n# \xff\n/a\n"
    ignore(tmp_path, "a", ignored=False)
    ignore(tmp_path, "never", ignored=False)
    assert file.read_bytes() == b"*.log\n# \xff\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [".dockerignore"]


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text("mine\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / ".dockerignore").symlink_to(target)
    with pytest.raises(InvalidRequest, match="plain file"):
        ignore(folder, "a", ignored=True)
    assert target.read_text() == "mine\n"
