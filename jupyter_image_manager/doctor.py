"""``jupyter image doctor``: everything that a user could stumble over, each with its cure.

Every check is a small function that yields findings; one that breaks becomes a finding itself. Those that need the
engine are in :mod:`.doctor_engine`, those of this machine and Jupyter in :mod:`.doctor_machine`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import TYPE_CHECKING

from traitlets import Float, Instance
from traitlets.config import LoggingConfigurable

from . import access
from .doctor_engine import engine_findings
from .doctor_machine import machine_findings
from .doctor_registry import hub_findings, registry_findings
from .errors import ImageManagerError
from .models import Finding

if TYPE_CHECKING:
    from .manager import ImageManager
    from .models import Actor

Check = Callable[[], Iterable[Finding]]

ORDER = {"error": 0, "warning": 1, "ok": 2, "info": 3}


class Doctor(LoggingConfigurable):
    """Look at engine, machine, Jupyter, store and registries; nothing that was there is changed."""

    manager: ImageManager = Instance("jupyter_image_manager.manager.ImageManager")  # type: ignore[assignment]  # a trait

    patience = Float(15.0, help="Seconds that all checks together may take; later ones are reported as hanging.").tag(
        config=True
    )

    def run(self, actor: Actor, project_id: str | None = None) -> list[Finding]:
        """Check everything, and a project if one is named.

        Returns
        -------
        list of Finding
            Errors first, then warnings; each with its cure. Nothing that is found is raised.

        Raises
        ------
        NotAllowed
            The actor may not look.
        """
        access.check(actor, "doctor.run", None)
        checks: dict[str, Check] = {
            **engine_findings(self.manager),
            **machine_findings(self.manager),
            "pulls": lambda: hub_findings(self.manager),
            "registries": lambda: registry_findings(self.manager, actor),
        }
        if project_id:
            checks["project"] = lambda: self._project(actor, project_id)
        return sorted(self._all(checks), key=lambda finding: ORDER[finding.status])

    def _all(self, checks: dict[str, Check]) -> Iterator[Finding]:
        end = time.monotonic() + self.patience
        pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="doctor")
        try:
            running = {name: pool.submit(self._guarded, name, check) for name, check in checks.items()}
            for name, future in running.items():
                try:
                    yield from future.result(timeout=max(0.0, end - time.monotonic()))
                except Late:
                    yield Finding(
                        name,
                        name.replace("-", " ").capitalize(),
                        "error",
                        f"gave no answer within {self.patience:.0f} s.",
                        "Look whether the engine, or a network file system, hangs.",
                    )
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _guarded(self, name: str, check: Check) -> list[Finding]:
        title = name.replace("-", " ").capitalize()
        try:
            return list(check())
        except ImageManagerError as error:
            return [Finding(name, title, "error", error.message)]
        except Exception as error:  # a check that breaks must not hide the others' findings
            self.log.debug("doctor: %s", name, exc_info=True)
            return [
                Finding(
                    name,
                    title,
                    "warning",
                    f"could not be checked ({type(error).__name__}: {error}).",
                    "Repeat with --debug, and report it.",
                )
            ]

    def _project(self, actor: Actor, project_id: str) -> Iterator[Finding]:
        project = self.manager.projects.get(actor, project_id)
        title = f"Project {project.name}"
        for warning in self.manager.projects.warnings(project):
            what, _, cure = warning.partition("; ")
            status = "warning" if project.found and self.manager.kernels.allow_read_only else "error"
            name = "project-folder" if project.found else "project"
            yield Finding(name, title, status, f"{what}.", cure[:1].upper() + cure[1:])
        if not project.found:
            return
        if project.active_image_id is None:
            yield Finding("project", title, "ok", "kernels run in the server's environment.")
            return
        image = self.manager.images.image(actor, project.active_image_id)
        self.manager.images.usable(image)
        yield Finding("project", title, "ok", f"kernels run in {image.spec}.")
