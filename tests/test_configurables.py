from __future__ import annotations

import json
from pathlib import Path

from traitlets.config import Config
from traitlets.config.loader import KVArgParseConfigLoader

from jupyter_image_manager.manager import ImageManager


def test_what_a_command_line_says_reaches_other_processes(tmp_path: Path) -> None:
    """Such as `jupyter lab --BuildSettings.from_server_environment=True`: a build's process must understand it."""
    words = KVArgParseConfigLoader(
        [
            "--BuildSettings.from_server_environment=True",
            "--BuildSettings.max_parallel=5",
            '--BuildSettings.proxies={"HTTPS_PROXY": "http://proxy:3128"}',
            "--ImagePolicy.allowed_bases=python:*",
            "--ImagePolicy.allowed_bases=debian:*",
            "--DockerEngine.timeout=7.5",
        ]
    ).load_config()
    config = Config(words)
    config.KernelService.allowed_networks.append("science")
    manager = ImageManager(config=config, data_dir=str(tmp_path))
    told = json.loads(json.dumps(manager.configuration()))
    assert told["BuildSettings"] == {
        "from_server_environment": True,
        "max_parallel": 5,
        "proxies": {"HTTPS_PROXY": "http://proxy:3128"},
    }
    other = ImageManager(config=Config(told))
    assert other.builds.settings.max_parallel == 5
    assert other.builds.settings.from_server_environment is True
    assert other.policy.allowed_bases == ["python:*", "debian:*"]
    assert other.kernels.allowed_networks == ["bridge", "none", "science"]
    assert other.data_dir == str(tmp_path)
