"""How this machine speaks to registries: the administrator's settings, and the clients made by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from traitlets import Float, List, Unicode
from traitlets.config import LoggingConfigurable

from ..builds.settings import BuildSettings

if TYPE_CHECKING:
    from ..models import RegistryAccess
    from .client import Registry


class RegistrySettings(LoggingConfigurable):
    """How registries are spoken to; whom they trust is said for builds too (`BuildSettings.ca_bundle`)."""

    insecure_registries = List(
        Unicode(),
        help="""Hosts of registries, with their port, that may be spoken to without TLS, and are then told the service
        agent's secret in clear text, for example `registry.lab:5000`. The engine must be told so too. This machine
        itself (loopback) always may.""",
    ).tag(config=True)
    timeout = Float(
        30.0, help="Seconds that a registry may take to be connected to, and for each piece of an answer."
    ).tag(config=True)

    def client(self, access: RegistryAccess, *, timeout: float | None = None) -> Registry:
        """Return a client for a registry; close it after use."""
        from .client import Registry

        return Registry(
            access,
            ca_bundle=BuildSettings(parent=self.parent).certificates(),
            timeout=timeout if timeout is not None else self.timeout,
            insecure=self.insecure_registries,
        )
