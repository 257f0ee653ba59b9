"""Optimized copies survive the engine's own clean-up, as far as that can be reached.

A tag protects an image from ``docker image prune``, and a container that refers to it also from
``docker image prune --all``. So each copy is held by one container that was created and is never started: it runs
nothing and takes some kB. What removes stopped containers first, ``docker system prune --all``, removes it too and
then the image, in one command, unless it is told to spare our label.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from ..engine.port import LABEL, ContainerSpec, ContainerState, Engine
from ..errors import Conflict, ImageManagerError, ImageNotFound
from ..models import Image

ROLE = "hold"
TRIES = 3
CHILD = "dependent child"
"""What an engine says of an image from which others are made."""


def hold(engine: Engine, installation: str, image: Image) -> None:
    """Hold an image; success when it is held already, by whoever else of this installation.

    Raises
    ------
    ImageNotFound
        The engine does not have it.
    """
    spec = ContainerSpec(
        image=image.engine_image,
        command=("true",),  # never run
        name=f"jim-hold-{image.id[:16]}",
        labels={
            f"{LABEL}.installation": installation,
            f"{LABEL}.role": ROLE,
            f"{LABEL}.project": image.project_id,
            f"{LABEL}.image": image.id,
        },
        network="none",
        init=False,
        read_only=True,
    )
    try:
        engine.create(spec)
    except Conflict:
        return


def holders(engine: Engine, installation: str) -> list[ContainerState]:
    """Return the containers of this installation that hold images."""
    return engine.list_containers({f"{LABEL}.installation": installation, f"{LABEL}.role": ROLE})


def release(engine: Engine, installation: str, image_id: str) -> None:
    """Hold an image no more."""
    for container in engine.list_containers(
        {f"{LABEL}.installation": installation, f"{LABEL}.role": ROLE, f"{LABEL}.image": image_id}
    ):
        engine.remove(container.id)


def keep(
    engine: Engine, installation: str, images: Mapping[str, Image], log: logging.Logger
) -> tuple[int, tuple[str, ...]]:
    """Hold exactly these images, and give back the tags that a clean-up took.

    Parameters
    ----------
    images : mapping
        What is to be held, by id.

    Returns
    -------
    tuple of int and tuple of str
        How many containers were made or removed, and the ids of images that the engine does not have.
    """
    changed = 0
    held: set[str] = set()
    for container in holders(engine, installation):
        id = container.labels.get(f"{LABEL}.image", "")
        if id in images and id not in held and images[id].engine_image == container.image_id:
            held.add(id)
        else:
            engine.remove(container.id)
            changed += 1
    tags = engine.image_tags()
    gone = []
    for id, image in images.items():
        if image.engine_image not in tags:
            gone.append(id)
            continue
        try:
            if id not in held:
                hold(engine, installation, image)
                changed += 1
            if image.reference and image.reference not in tags[image.engine_image]:
                engine.tag(image.engine_image, image.reference)
        except ImageNotFound:
            gone.append(id)
        except ImageManagerError as error:
            log.warning("The optimized copy of %s could not be protected: %s", image.spec, error)
    return changed, tuple(gone)


def remove(engine: Engine, installation: str, image: Image, *, others: Iterable[str] = ()) -> None:
    """Remove an image's copy from the engine: what holds it, its tag, and itself when nothing else refers to it.

    Parameters
    ----------
    others : iterable of str
        Ids of other images of ours that are the same image of the engine: it stays for them.

    Raises
    ------
    Conflict
        A container uses it.
    """
    for attempt in range(TRIES):
        release(engine, installation, image.id)
        try:
            with engine.giving_back_cache():
                _remove(engine, image, keep=any(True for _ in others))
            return
        except Conflict:
            if attempt == TRIES - 1:  # else: who keeps copies held came between
                raise


def _remove(engine: Engine, image: Image, *, keep: bool) -> None:
    if image.reference:
        engine.remove_image(image.reference)
    if keep or not image.engine_image:
        return
    try:
        found = engine.inspect_image(image.engine_image)
    except ImageNotFound:
        return
    ours = [name for name in found.repo_digests if image.repository and name.startswith(f"{image.repository}@")]
    if found.tags or set(found.repo_digests) - set(ours):
        return  # somebody else has a name for it
    try:
        for name in ours:
            engine.remove_image(name)
        engine.remove_image(image.engine_image)
    except Conflict as error:
        if CHILD not in f"{error} {error.details.get('engine', '')}":
            raise  # else: others are made from it, and their layers are its own; it goes with the last of them
