from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from jupyter_image_manager import __version__


def damage(data_dir: Path) -> None:
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / "store.sqlite").write_bytes(b"this is no database" * 100)


async def test_status(call: Any, jp_serverapp: Any) -> None:
    code, status = await call("GET", "status")
    assert code == 200
    assert status["version"] == __version__
    says = {"ok", "message", "version", "builder", "architecture", "memory", "memory_in_use", "cpus", "gpus"}
    assert set(status["engine"]) == {*says, "gpu_devices"}
    assert 0 < status["engine"]["memory_in_use"] < status["engine"]["memory"]
    assert status["kernels"]["mounts"] == []
    assert status["engine"]["memory"] > 0
    assert status["kernels"]["networks"] == ["bridge", "none"]
    assert status["active_builds"] == 0
    assert status["user"]["name"] == getpass.getuser()


async def test_a_damaged_store_is_said_and_status_still_answers(call: Any, data_dir: Path) -> None:
    damage(data_dir)
    code, status = await call("GET", "status")
    assert code == 200
    assert not status["store"]["ok"]
    assert "store.sqlite" in status["store"]["message"]
    code, refused = await call("GET", "projects")
    assert (code, refused["code"]) == (500, "store_error")
    assert refused["message"].endswith(".")


async def test_the_last_change_grows_with_each_change(call: Any, jp_root_dir: Path) -> None:
    _, before = await call("GET", "last-change")
    (jp_root_dir / "churn").mkdir()
    await call("POST", "projects", {"path": "churn"})
    code, after = await call("GET", "last-change")
    assert code == 200
    assert after["sequence"] > before["sequence"]
