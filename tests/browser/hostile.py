"""A project in which every text that comes from elsewhere would like to be more than text."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import nbformat

from jupyter_image_manager.builds.log import LogWriter
from jupyter_image_manager.manager import ImageManager
from jupyter_image_manager.models import (
    Actor,
    Build,
    BuildFailure,
    BuildState,
    CheckItem,
    Image,
    ImageState,
    Layer,
    Package,
    Recipe,
    Report,
    SourceKind,
    Storage,
    utcnow,
)

MARKUP = "<img src=x onerror=window.struck=1>"
"""What runs when it is taken for HTML."""
BACKWARDS = "\u202egnp.exe"
"""What reads otherwise than it is."""
ESCAPES = (
    f"\x1b[31mred\x1b[0m {MARKUP}",
    "\x1b]8;;javascript:window.struck=1\x07a link\x1b]8;;\x07",
    "\x1b]0;another title\x07\x1b[2J\x1b[1;1Hhome",
    f"&lt;script&gt;window.struck=1&lt;/script&gt;<script>window.struck=1</script>{BACKWARDS}",
)
FOLDER = f"hostile {MARKUP}"


def fill(manager: ImageManager, actor: Actor, root: Path) -> None:
    """Put the project into the store, with what no server would let in by its front door."""
    folder = root / FOLDER
    folder.mkdir(parents=True)
    (folder / f"{MARKUP}.csv").write_text("1\n")
    (folder / "Dockerfile").write_text(f"FROM debian:12\nLABEL x='{MARKUP}'\nCOPY {MARKUP} /\n")
    nbformat.write(nbformat.v4.new_notebook(), folder / f"{MARKUP}.ipynb")
    project = manager.projects.create(actor, str(folder))
    report = Report(
        ok=False,
        items=(CheckItem("pip", MARKUP, ok=False, message=f"{MARKUP}{BACKWARDS}", cure=(f"RUN {MARKUP}",)),),
        python_version="3.11.9",
        os_name=MARKUP,
        ipykernel=MARKUP,
        packages=(Package(MARKUP, MARKUP), Package(BACKWARDS, "1")),
        layers=(Layer(f"RUN {MARKUP}", 1000),),
    )
    for name, state in (("lacking", ImageState.UNUSABLE), ("broken", ImageState.FAILED), ("good", ImageState.READY)):
        recipe = Recipe(
            id=uuid4().hex,
            kind=SourceKind.DOCKERFILE,
            dockerfile=f"FROM debian:12\nRUN echo '{MARKUP}'\n",
            reference=MARKUP,
        )
        image = Image(
            id=uuid4().hex,
            project_id=project.id,
            name=name,
            version=0,
            state=state,
            storage=Storage.LOCAL,
            recipe_id=recipe.id,
            created=utcnow(),
            created_by=MARKUP,
            description=f"{MARKUP}{BACKWARDS}",
            labels={MARKUP: MARKUP},
            python_version=MARKUP,
            architecture=MARKUP,
            report=report,
        )
        image = manager.store.add_image(image, recipe)
        build = Build(
            id=uuid4().hex,
            project_id=project.id,
            image_id=image.id,
            state=BuildState.FAILED if state is ImageState.FAILED else BuildState.SUCCEEDED,
            requested_by=MARKUP,
            created=utcnow(),
            started=utcnow(),
            finished=utcnow(),
            step=1,
            steps=2,
            instruction=f"RUN {MARKUP}",
            failure=BuildFailure(MARKUP, instruction=f"RUN {MARKUP}", lines=ESCAPES, hint=MARKUP),
            log_lines=len(ESCAPES),
        )
        manager.store.add_build(build)
        manager.store.set_image(image.id, last_build_id=build.id)
        with LogWriter(manager.builds.log_path_of(build.id), limit=10_000, redact=str) as log:
            for line in ESCAPES:
                log.write(line, step=1)
