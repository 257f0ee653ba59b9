"""Server, command line and workers write at the same time: nothing is lost, nothing comes twice."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jupyter_image_manager.errors import ImageManagerError
from jupyter_image_manager.models import ImageState
from jupyter_image_manager.store import Store

from .values import a_project, a_recipe, an_image

PROCESSES, WRITES = 8, 50
WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from tests.store.values import a_build, a_project, a_recipe, an_image
from jupyter_image_manager.models import BuildState
from jupyter_image_manager.store import Store
store = Store(directory=Path(sys.argv[1]), journal_mode=sys.argv[2])
store.installation_id()
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    recipe = a_recipe()
    image = store.add_image(an_image("p" * 32, recipe, name=f"name-{number}"), recipe)
    print(image.name, image.version, flush=True)
store.set_project("p" * 32, **{"name" if int(sys.argv[5]) % 2 else "owner": "changed"})
"""


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_eight_processes_write_the_same_names(tmp_path: Path, mode: str) -> None:
    root = Path(__file__).parents[2]
    writes = WRITES if mode == "WAL" else 5
    command = [sys.executable, "-c", WRITER, str(tmp_path), mode, str(writes), str(root)]
    # They also meet at an empty folder: one of them makes the tables.
    writers = [
        subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root)
        for n in range(PROCESSES)
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    store = Store(directory=tmp_path, journal_mode=mode)
    store.add_project(a_project(tmp_path, id="p" * 32))
    outputs: list[str] = []
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    for writer in writers:
        out, _ = writer.communicate()
        assert writer.returncode == 0
        outputs += out.splitlines()
    expected = sorted(f"name-{n} {v}" for n in range(writes) for v in range(1, PROCESSES + 1))
    assert sorted(outputs) == expected
    assert sorted(f"{i.name} {i.version}" for i in store.images("p" * 32)) == expected
    project = store.project("p" * 32)
    assert project is not None
    assert (project.name, project.owner) == ("changed", "changed")
    changes = store.changes(0, limit=10_000)
    assert [c.sequence for c in changes] == list(range(1, len(changes) + 1))
    assert len([c for c in changes if c.action == "created" and c.noun == "image"]) == PROCESSES * writes
    store.close()


def test_threads_of_one_server_share_a_store(store: Store, tmp_path: Path) -> None:
    store.add_project(a_project(tmp_path, id="p" * 32))
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(10):
                recipe = a_recipe()
                store.add_image(an_image("p" * 32, recipe), recipe)
                store.images("p" * 32)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(i.version for i in store.images("p" * 32)) == list(range(1, 81))


def test_deleting_and_activating_at_once_never_leaves_a_project_with_an_image_that_is_gone(
    store: Store, tmp_path: Path
) -> None:
    project = store.add_project(a_project(tmp_path))
    for _ in range(20):
        recipe = a_recipe()
        image = store.add_image(an_image(project.id, recipe, state=ImageState.READY), recipe)
        barrier = threading.Barrier(2)

        def attempt(act: str, image_id: str = image.id, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            try:
                if act == "delete":
                    store.delete_image(image_id)
                else:
                    store.activate_image(project.id, image_id)
            except ImageManagerError:
                pass  # one of the two loses; which one is not the matter

        threads = [threading.Thread(target=attempt, args=(act,)) for act in ("delete", "activate")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        now = store.project(project.id)
        assert now is not None
        assert now.active_image_id is None or store.image(now.active_image_id) is not None
        store.activate_image(project.id, None)
