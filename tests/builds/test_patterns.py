"""``.dockerignore`` means what it means to Docker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_image_manager.builds.ignore import IgnoreRules


@pytest.mark.parametrize(
    ("lines", "path", "ignored"),
    [
        (["data"], "data/a/b.csv", True),
        (["data"], "other/data", False),
        (["**/data"], "other/data/x", True),
        (["*.csv"], "a.csv", True),
        (["*.csv"], "sub/a.csv", False),
        (["**/*.csv"], "sub/deep/a.csv", True),
        (["data", "!data/keep.csv"], "data/keep.csv", False),
        (["data", "!data/keep.csv"], "data/drop.csv", True),
        (["!keep", "keep"], "keep", True),
        (["# data", "", "  "], "data", False),
        (["/data/"], "data", True),
        (["a?c"], "abc", True),
        (["a[0-9].txt"], "a7.txt", True),
        (["a[0-9].txt"], "ax.txt", False),
        (["a**b"], "a/x/b", True),
        ([r"a\*b"], "a*b", True),
        (["."], "anything", False),
        (["*", "!src"], "src/deep/file.py", False),
        (["*", "!src"], "README.md", True),
    ],
)
def test_a_path_is_left_out_or_sent(lines: list[str], path: str, ignored: bool) -> None:
    assert IgnoreRules(lines).ignored(path) is ignored


@given(st.lists(st.text(), max_size=5), st.text(min_size=1))
def test_any_pattern_and_path_get_an_answer(lines: list[str], path: str) -> None:
    assert IgnoreRules(lines).ignored(path) in (True, False)
