"""Configuration of `make demo` and `make lab`: what they build is kept in this clone, apart from your own images."""

from pathlib import Path

c = get_config()  # noqa: F821
c.ImageManager.data_dir = str(Path(__file__).resolve().parents[1] / ".cache" / "demo")
c.BuildSettings.from_server_environment = True
