"""Every class that the administrator may configure: one list for the server extension and the command line."""

from __future__ import annotations

from importlib import import_module

CONFIGURABLE_CLASSES = (
    "manager:ImageManager",
    "policy:ImagePolicy",
    "engine.docker_engine:DockerEngine",
    "store:Store",
    "projects:ProjectService",
    "images:ImageService",
    "builds.service:BuildService",
    "builds.settings:BuildSettings",
    "requirements:Checker",
    "templates:TemplateCatalog",
    "kernels.service:KernelService",
    "kernels.provisioner:ImageProvisioner",
    "doctor:Doctor",
    "setup_machine:MachineSetup",
    "base_image:BaseImages",
)


def configurable_classes() -> list[type]:
    """Return the classes; imported only here, since help and configuration templates are all that need them."""
    classes: list[type] = []
    for place in CONFIGURABLE_CLASSES:
        module, name = place.split(":")
        classes.append(getattr(import_module(f"{__package__}.{module}"), name))
    return classes
