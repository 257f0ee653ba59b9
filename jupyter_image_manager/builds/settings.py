"""Settings of the administrator that apply to every build (R9)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from traitlets import Bool, Dict, Float, Int, Unicode
from traitlets.config import LoggingConfigurable

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY")
CA_VARIABLES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
INDEX_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT", "UV_INDEX_URL")


class BuildSettings(LoggingConfigurable):
    """Proxies, certificates, package index, limits: they reach each RUN and stay in no layer and no history."""

    proxies = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="""Proxy variables for each RUN, for example {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "localhost"};
        lower-case twins are added.""",
    ).tag(config=True)
    ca_bundle = Unicode(
        "", help="File with the certificates that each RUN should trust, for example a company's. Needs BuildKit."
    ).tag(config=True)
    environment = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="""Variables that each RUN sees and no image keeps, for example {"PIP_INDEX_URL": "https://mirror/simple"}.
        Needs BuildKit.""",
    ).tag(config=True)
    from_server_environment = Bool(
        False,
        help="""Take proxies, certificates and the package index from the environment and the pip configuration of the
        server (or of the command line), where the traits do not say them.""",
    ).tag(config=True)
    network = Unicode("", help="Network of RUN instructions; default: the engine's own, bridge.").tag(config=True)
    memory = Int(0, help="Bytes of memory that a RUN may use; 0 means no limit. Classic builder only.").tag(config=True)
    cpus = Float(0.0, help="CPUs that a RUN may use; 0 means no limit. Classic builder only.").tag(config=True)
    max_parallel = Int(2, help="Builds that may run at the same time; further ones wait in the queue.").tag(config=True)
    context_limit = Int(2 << 30, help="Bytes of a context above which it must be confirmed before it is sent.").tag(
        config=True
    )
    context_store_limit = Int(
        64 << 20,
        help="""Bytes of a context up to which a copy is kept with the recipe, so that a rebuild needs nothing from the
        project folder. Bigger contexts are recorded by digest only.""",
    ).tag(config=True)
    push_attempts = Int(
        4,
        help="""How often a push to a registry that breaks off is tried in all; layers that are there are not sent
        again. The engine tries each layer some times by itself as well.""",
    ).tag(config=True)
    push_wait = Float(
        2.0,
        help="""Seconds before a push that broke off is tried again, doubled each time. A registry that names the time
        to wait is believed, up to two minutes.""",
    ).tag(config=True)
    archive_limit = Int(64 << 30, help="Bytes, unpacked, that an archive of an image may hold to be imported.").tag(
        config=True
    )
    log_limit = Int(1 << 30, help="Bytes of one build's log after which further output is counted, not kept.").tag(
        config=True
    )
    failed_log_days = Int(
        30,
        help="""Days for which the log of a build is kept that made no image, or of a check; 0 means for ever. The log
        of the build that made an image is kept as long as the image. What decided a failure is kept with the build.""",
    ).tag(config=True)
    failed_logs = Int(1000, help="Logs of such builds that are kept at most, the newest ones; 0 means any number.").tag(
        config=True
    )

    def run_environment(self) -> dict[str, str]:
        """Return the variables for each RUN, proxies in both cases."""
        proxies = {name.upper(): value for name, value in self.proxies.items()}
        found = dict(self.environment)
        if self.from_server_environment:
            for name in PROXIES:
                value = os.environ.get(name) or os.environ.get(name.lower())
                if value:
                    proxies.setdefault(name, value)
            for name, value in {**_pip_configuration(), **os.environ}.items():
                if name in INDEX_VARIABLES and value:
                    found.setdefault(name, value)
        for name, value in proxies.items():
            found[name] = found[name.lower()] = value
        return found

    def certificates(self) -> str | None:
        """Return the file of certificates for each RUN, if any."""
        if self.ca_bundle:
            return self.ca_bundle
        if self.from_server_environment:
            for name in CA_VARIABLES:
                value = os.environ.get(name)
                if value and Path(value).is_file():
                    return value
        return None


def _pip_configuration() -> dict[str, str]:
    """Return what pip's configuration files on this machine say of the index, as variables.

    Addresses of local folders are left out: no RUN can reach them.
    """
    command = [sys.executable, "-m", "pip", "config", "list", "--disable-pip-version-check"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return {}
    found = {}
    for line in said.splitlines():
        name, equals, value = line.partition("=")
        if equals and name.startswith("global."):
            value = " ".join(word for word in value.strip("'\"").split() if not word.startswith("file:"))
            if value:
                found["PIP_" + name.removeprefix("global.").replace("-", "_").upper()] = value
    return found
