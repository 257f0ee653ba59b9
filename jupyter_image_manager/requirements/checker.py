"""The check of an image: look into it, judge it, start a kernel in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from traitlets import Float, Instance, Int, TraitError, Unicode, validate
from traitlets.config import LoggingConfigurable

from ..engine.port import LABEL
from ..models import CheckItem, Image, Report, utcnow
from ..processes import ProcessIdentity
from .facts import Facts
from .kernel import try_kernel
from .policy import judge
from .probe import Probe


def _silent(line: str) -> None:
    """Take a line of progress and drop it."""


class Checker(LoggingConfigurable):
    """Tells whether an image can run kernels, and what it lacks (R30-R32)."""

    manager = Instance("jupyter_image_manager.manager.ImageManager")

    python_versions = Unicode(
        ">=3.8,<3.12",
        help="""Python versions that an image may have, as a PEP 440 specifier. Widen it when your kernels'
        packages support more.""",
    ).tag(config=True)

    timeout = Float(
        240.0,
        help="Seconds that looking into the image may take; each answer of the kernel may take a quarter of them.",
    ).tag(config=True)

    memory = Int(1 << 30, help="Bytes of memory that looking into an image may use.").tag(config=True)

    @validate("python_versions")
    def _specifier(self, proposal: Any) -> str:
        try:
            return str(SpecifierSet(proposal["value"]))
        except InvalidSpecifier as error:
            raise TraitError(f"Checker.python_versions is no PEP 440 specifier: {error}.") from error

    @property
    def versions(self) -> SpecifierSet:
        """The accepted Python versions."""
        return SpecifierSet(self.python_versions)

    def look(self, engine_image: str, *, line: Callable[[str], None] = _silent) -> Facts:
        """Find out what is in an image, without judging it and without starting a kernel.

        Parameters
        ----------
        engine_image : str
            Id or reference of the image in the engine.
        line : callable, optional
            Told what is being done.

        Raises
        ------
        ImageNotFound
            The engine does not hold it.
        EngineUnavailable, EngineError
            The engine failed.
        """
        labels = {
            f"{LABEL}.installation": self.manager.store.installation_id(),
            f"{LABEL}.role": "check",
            f"{LABEL}.owner": str(ProcessIdentity.current()),
        }
        probe = Probe(self.manager.engine, labels, timeout=self.timeout, memory=self.memory)
        return probe.look(self.manager.engine.inspect_image(engine_image), say=line)

    def check(self, image: Image, *, engine_image: str | None = None, line: Callable[[str], None] = _silent) -> Report:
        """Check an image; what it lacks is in the report, never an exception.

        Parameters
        ----------
        image : Image
            The image, which need not be ready.
        engine_image : str, optional
            Id of what is checked in the engine, when the image does not know it yet.
        line : callable, optional
            Told each step and each result, for the build's log.

        Returns
        -------
        Report
            ``ok`` when every required item is.

        Raises
        ------
        ImageNotFound
            The engine does not hold it.
        EngineUnavailable, EngineError
            The engine failed.
        """
        target = engine_image or image.engine_image
        facts = self.look(target, line=line)
        items = judge(facts, self.versions)
        if all(item.ok for item in items if item.required and item.id not in ("user", "pip_install")):
            line("starting a kernel as the kernels of users are started")
            items += try_kernel(self.manager, image, target, facts, timeout=self.timeout)
        elif not facts.foreign:
            items.append(
                CheckItem("kernel_start", "A kernel starts", False, message="Cannot be tried before the rest is there.")
            )
        for item in items:
            line(
                f"{'ok     ' if item.ok else 'MISSING' if item.required else 'note   '} {item.title}"
                + (f": {item.message}" if item.message else "")
            )
        return self.report(facts, items, target)

    def report(self, facts: Facts, items: list[CheckItem], engine_image: str) -> Report:
        """Put facts and results together."""
        return Report(
            ok=all(item.ok for item in items if item.required),
            items=tuple(items),
            python_version=facts.python_version,
            python_path=facts.python_path,
            architecture=facts.architecture,
            os_id=facts.os_release.get("ID", ""),
            os_name=facts.os_release.get("PRETTY_NAME", ""),
            libc=facts.libc,
            libc_version=facts.libc_version,
            ipykernel=facts.ipykernel,
            conda=facts.conda,
            packages=facts.packages,
            kernelspecs=facts.kernelspecs,
            layers=self.manager.engine.layers(engine_image),
            checked=utcnow(),
        )
