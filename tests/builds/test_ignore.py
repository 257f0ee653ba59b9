from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jupyter_image_manager.builds.context import Context
from jupyter_image_manager.builds.ignore import IgnoreRules

FILES = (
    "a", "b.txt", "c.log", "README.md", "data/x.csv", "data/deep/y.csv", "data/deep/keep.csv", "src/main.py",
    "src/main.pyc", "src/pkg/__pycache__/m.pyc", "src/pkg/mod.py", "node_modules/p/index.js", ".git/config",
    "sub/.git/config", "sub/b.txt", "odd name/x y.txt", "ab/c", "axb/c", "q1", "q12", "qa", "x/y/z/w.tmp",
)  # fmt: skip
IGNORES = (
    "",
    "data\n!data/deep/keep.csv\n",
    "**\n!src\n",
    "*\n!src/**\nsrc/**/*.pyc\n",
    "**/*.pyc\n**/__pycache__\n",
    ".git\n",
    "q[0-9]\n",
    "q[^0-9]\n",
    "data/../b.txt\n",
    "# comment\n  *.log  \n\n!a\na\n/data/deep/\n",
    "a**b\n",
    "x/**/w.tmp\n",
    "odd*\n!odd name/x*\n",
    "data/deep\n!data\n",
    "*.md\n!README*.md\n",
    "\\#x\nnode_modules\n",
)


def sent(folder: Path) -> set[str]:
    blocks = b"".join(Context(folder, None).body(print)) + bytes(1024)
    with tarfile.open(fileobj=io.BytesIO(blocks)) as tar:
        return {m.name for m in tar if not m.isdir() and m.name != ".dockerignore"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("context")
    for name in FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


@pytest.mark.engine
def test_what_is_ignored_is_what_docker_ignores(tree: Path, base_image, tmp_path: Path) -> None:
    """The Docker CLI itself says what it would send: one build a list, to a folder on this machine."""
    docker = next(p for p in ("/usr/bin/docker", shutil.which("docker")) if p and Path(p).exists())
    base = base_image("3.11")
    (tree / "Dockerfile").write_text(f"FROM {base}\nCOPY . /context\nRUN find /context ! -type d | sort >&2\n")
    for ignore in IGNORES:
        (tree / ".dockerignore").write_text(ignore)
        done = subprocess.run(
            [docker, "build", "--no-cache", "--label", "jim-test=ignore", "-q=false", "--force-rm", str(tree)],
            env={**os.environ, "DOCKER_BUILDKIT": "0"},
            capture_output=True,
            text=True,
            check=True,
        )
        image = done.stdout.split("Successfully built ")[1].split()[0]
        subprocess.run([docker, "rmi", "-f", image], check=True, capture_output=True)
        said = done.stdout + done.stderr
        theirs = {
            line.partition("/context/")[2].rstrip("\x1b[0m").strip()
            for line in said.splitlines()
            if "/context/" in line
        }
        ours = sent(tree)
        hidden = {"Dockerfile", ".dockerignore"}
        assert ours - hidden == theirs - hidden, ignore


def test_the_dockerfiles_own_list_goes_before_the_folders(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "gpu.Dockerfile").write_text("FROM x\n")
    (tmp_path / "docker" / "gpu.Dockerfile.dockerignore").write_text("a\n")
    (tmp_path / ".dockerignore").write_text("b\n")
    with_own = {e.path for e, _ in Context(tmp_path, None, "docker/gpu.Dockerfile").entries()}
    without = {e.path for e, _ in Context(tmp_path, None, "Dockerfile").entries()}
    assert "a" not in with_own and "b" in with_own
    assert "b" not in without and "a" in without


@example(["[[b]", "[a&&b]", "[a--b]", "[a||b]", "[~~]"], "a")
@given(
    st.lists(st.text(alphabet="ab/*?!.[]^-\\&~|# ", max_size=12), max_size=8),
    st.text(alphabet="ab/.", min_size=1, max_size=10),
)
def test_no_pattern_makes_it_stumble(lines: list[str], path: str) -> None:
    assert IgnoreRules(lines).ignored(path) in (True, False)


@given(st.text(alphabet="abc", min_size=1, max_size=5), st.lists(st.sampled_from("abc"), max_size=4))
def test_a_folders_match_counts_for_all_below(name: str, below: list[str]) -> None:
    path = "/".join([name, *below])
    assert IgnoreRules([name]).ignored(path)
    assert not IgnoreRules([name, f"!{name}"]).ignored(path)
    assert IgnoreRules([f"**/{name}"]).ignored(f"x/y/{path}")
