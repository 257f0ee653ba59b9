"""Configuration of the command line: the same files and classes as the server extension's."""

from __future__ import annotations

from jupyter_core.application import JupyterApp
from traitlets import default
from traitlets.config import Config

from ..configurables import configurable_classes

CONFIG_NAME = "jupyter_image_manager_config"


class ImageApp(JupyterApp):
    """Loads configuration; ``--help-all`` and ``--generate-config`` come from it."""

    name = "jupyter-image"
    description = "Container images for Jupyter projects."

    @default("config_file_name")
    def _default_config_file_name(self) -> str:
        return CONFIG_NAME

    def _config_file_name_default(self) -> str:
        return CONFIG_NAME


def explain_config(words: list[str]) -> None:
    """Print every setting, or write a file with them: ``--help-all``, ``--generate-config``."""

    class Documented(ImageApp):
        classes = configurable_classes()

    Documented.launch_instance(words)


def load_config(overrides: list[str]) -> Config:
    """Return the configuration of this machine with ``--Class.trait=value`` overrides applied.

    Parameters
    ----------
    overrides : list of str
        Arguments of the form ``--Class.trait=value``.
    """
    app = ImageApp()
    app.initialize(overrides)
    config: Config = app.config
    return config
