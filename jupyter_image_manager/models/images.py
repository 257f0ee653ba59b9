"""Images: what they are built from, where they are kept, what is in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from .json import as_json
from .storage import RegistryState, RetirementNotice


class ImageState(str, Enum):
    """What an image is good for."""

    BUILDING = "building"  # a build for it is queued or running
    READY = "ready"  # built and checked: can be activated
    UNUSABLE = "unusable"  # built, but lacks requirements (R30): the report says which
    FAILED = "failed"  # its build failed, was cancelled or interrupted; can be retried
    MISSING = "missing"  # was ready, is no longer in the engine nor in its registry


class Storage(str, Enum):
    """Where an image is kept."""

    LOCAL = "local"
    REGISTRY = "registry"


class SourceKind(str, Enum):
    """What a recipe starts from (R2)."""

    DOCKERFILE = "dockerfile"
    TEMPLATE = "template"
    IMPORT = "import"  # an existing reference
    ARCHIVE = "archive"  # a docker-save or OCI archive
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image is built from; never changed once written (R7).

    ``secrets`` are names only. ``context_digest`` is the sha256 of the sent tar stream;
    ``context_stored`` says whether a copy is kept, so that a rebuild needs nothing from the project.
    """

    id: str
    kind: SourceKind
    dockerfile: str = ""  # text as built; empty for imports
    reference: str = ""  # import: the reference as resolved and pinned
    build_args: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    template: dict[str, Any] = field(default_factory=dict)  # choices, when built from a template
    dockerfile_path: str = ""  # where it was read from, relative to the project; its own .dockerignore lies beside
    context_path: str = ""  # relative to the project
    context_digest: str = ""
    context_size: int = 0
    context_files: int = 0
    context_stored: bool = False
    parent_image_id: str | None = None  # duplicate: from which image
    digest: str = ""  # sha256 over all of the above that decides the content


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One thing that the check tried, with its own result (R32)."""

    id: str  # python | pip | user | user_python | pip_install | kernel_start | execute | interrupt | ...
    title: str
    ok: bool
    required: bool = True
    message: str = ""
    cure: tuple[str, ...] = ()  # Dockerfile lines that would add it, for this base distribution
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Package:
    """A Python distribution in an image."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of an image: the instruction that made it and its bytes."""

    created_by: str
    size: int
    digest: str = ""  # of its content; empty where the engine, or a report of earlier, does not tell it


@dataclass(frozen=True, slots=True)
class SharedLayer:
    """A layer of an image, with the other images of its project that have it too."""

    created_by: str
    size: int
    shared_with: tuple[str, ...] = ()  # name:version, newest first


@dataclass(frozen=True, slots=True)
class Report:
    """What the check found inside an image."""

    ok: bool
    items: tuple[CheckItem, ...] = ()
    python_version: str = ""
    python_path: str = ""
    architecture: str = ""
    os_id: str = ""  # debian, ubuntu, fedora, alpine ...
    os_name: str = ""
    libc: str = ""  # glibc | musl
    libc_version: str = ""
    ipykernel: str = ""  # version, or empty
    conda: bool = False
    packages: tuple[Package, ...] = ()
    kernelspecs: dict[str, dict[str, Any]] = field(default_factory=dict)  # name -> kernel.json
    layers: tuple[Layer, ...] = ()
    checked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """An immutable, named, versioned environment of one project: ``name:version``."""

    id: str
    project_id: str
    name: str
    version: int
    state: ImageState
    storage: Storage
    recipe_id: str
    created: datetime
    created_by: str
    description: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    digest: str = ""  # what is run: manifest digest (registry) or engine image id (local), sha256:...
    engine_image: str = ""  # id of the unpacked image in the engine
    reference: str = ""  # the tag by which the engine holds it; for people and for protection only
    size: int = 0
    python_version: str = ""
    architecture: str = ""
    optimized: bool = False
    registry_state: RegistryState = RegistryState.NONE  # as last looked up, at `registry_checked`
    registry_checked: datetime | None = None
    repository: str = ""  # host/namespace/project/name in the registry; empty: it was never pushed
    registry_size: int = 0  # bytes there, compressed, with layers that others share
    last_used: datetime | None = None  # when a kernel last began in it
    report: Report | None = None  # None in lists
    last_build_id: str | None = None
    system: bool = False  # declared by the administrator, seen by every project
    engine_id: str = ""  # which engine made it; empty when that is not known

    @property
    def spec(self) -> str:
        """The image as people write it, ``name:version``."""
        return f"{self.name}:{self.version}"

    @property
    def pinned(self) -> str:
        """What is pulled, ``repository@digest`` and never a tag (R11); empty when it was never pushed."""
        return f"{self.repository}@{self.digest}" if self.repository else ""


@dataclass(frozen=True, slots=True)
class ImageSummary:
    """An image with what is derived from the rest of the store: what lists and ``--json`` show.

    ``image`` fields come first in JSON, see :meth:`as_json`.
    """

    image: Image
    project: str  # name
    active: bool
    published_to: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    running_kernels: int = 0
    held: bool | None = None  # by the engine; None: not looked for, or the engine does not answer
    retirement: RetirementNotice | None = None  # what stops it, or has stopped it (R60)

    def as_json(self) -> dict[str, Any]:
        """Return the flat JSON object of PRODUCT.md, section 4."""
        data: dict[str, Any] = as_json(self.image)
        if data["report"] is None:
            del data["report"]
        data.update(
            spec=self.image.spec,
            project=self.project,
            active=self.active,
            published_to=list(self.published_to),
            warnings=list(self.warnings),
            running_kernels=self.running_kernels,
            held=self.held,
            retirement=as_json(self.retirement),
        )
        return data


@dataclass(frozen=True, slots=True)
class DeletionPreview:
    """What a deletion would do: who uses the image and how many bytes it really frees (R24)."""

    image_id: str
    allowed: bool
    final: bool
    frees: int
    used_by: tuple[str, ...] = ()
    reason: str = ""
    notebooks: tuple[str, ...] = ()  # that remember it (R49), relative to the project; they do not forbid it
    notebooks_complete: bool = True  # False: the search ended at a bound, there may be more
    in_registry: str = ""  # its version there, which stays unless it is deleted too; empty: there is none


@dataclass(frozen=True, slots=True)
class PackageDiff:
    """What differs between the packages of two images."""

    added: tuple[Package, ...]
    removed: tuple[Package, ...]
    changed: tuple[tuple[str, str, str], ...]  # name, old, new
