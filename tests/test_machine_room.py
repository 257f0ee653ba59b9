from __future__ import annotations

from pathlib import Path

from jupyter_image_manager.machine_room import Gpu, gpus, memory_in_use

GIB = 1 << 30


def test_memory_in_use_is_that_of_this_machine_only(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:       16777216 kB\nMemFree: 1 kB\nMemAvailable:   12582912 kB\n")
    assert memory_in_use(16 * GIB, tmp_path) == 4 * GIB
    assert memory_in_use(64 * GIB, tmp_path) is None
    (tmp_path / "meminfo").write_text("MemTotal:       16777216 kB\n")
    assert memory_in_use(16 * GIB, tmp_path) is None
    assert memory_in_use(16 * GIB, tmp_path / "gone") is None


def test_gpus_have_the_names_that_people_know(tmp_path: Path) -> None:
    # No machine of the tests has one: this is what the driver writes.
    for number, uuid in ((1, "GPU-bb"), (0, "GPU-????????-????")):
        folder = tmp_path / "driver" / "nvidia" / "gpus" / f"0000:{2 - number:02}:00.0"
        folder.mkdir(parents=True)
        (folder / "information").write_text(
            f"Model: \t\t NVIDIA A100\nIRQ:   \t\t 44\nGPU UUID: \t {uuid}\nDevice Minor: \t {number}\n"
        )
    assert gpus(tmp_path) == (Gpu("0", "NVIDIA A100"), Gpu("GPU-bb", "NVIDIA A100"))
    assert gpus(tmp_path / "gone") == ()
