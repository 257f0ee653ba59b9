"""Every class that the administrator may configure: one list for the server extension and the command line."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from traitlets.config import Config
from traitlets.config.loader import DeferredConfig, LazyConfigValue

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
    "communities:CommunityService",
    "registry.agents:ServiceAgents",
    "registry.settings:RegistrySettings",
    "registry.states:RegistryStates",
    "accounting.service:Accounting",
    "storage.service:StorageService",
    "migration.service:MigrationService",
    "doctor:Doctor",
    "setup_machine:MachineSetup",
    "base_image:BaseImages",
)


def configurable_classes() -> list[type]:
    """Return the classes; imported only here, since help and configuration templates are all that need them."""
    return [_class(place) for place in CONFIGURABLE_CLASSES]


def _class(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(f"{__package__}.{module}"), name)


def resolved(config: Config) -> dict[str, dict[str, Any]]:
    """Return what is configured for these classes as plain values, for a process that is told it as JSON.

    Words of a command line are texts whose meaning only their trait knows; ``c.Class.trait.append()`` is a change of
    a default.
    """
    found: dict[str, dict[str, Any]] = {}
    for place in CONFIGURABLE_CLASSES:
        name = place.partition(":")[2]
        if name in config:
            found[name] = {key: _value(place, key, value) for key, value in config[name].items()}
    return found


def _value(place: str, key: str, value: Any) -> Any:
    if not isinstance(value, (DeferredConfig, LazyConfigValue)):
        return value
    trait = _class(place).class_traits().get(key)
    if trait is None:
        return str(value)
    return value.get_value(trait if isinstance(value, DeferredConfig) else trait.default())
