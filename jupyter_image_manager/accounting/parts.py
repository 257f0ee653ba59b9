"""What images have in common, counted once; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..models import Layer

ROOT = -1


@dataclass(slots=True)
class Node:
    """One part, and which images have it."""

    parent: int
    size: int
    digest: str
    owners: list[str] = field(default_factory=list)


class Parts:
    """Images and the parts that they are made of, each of which takes its room once."""

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._ways: dict[str, tuple[int, ...]] = {}

    # What is held
    def has(self, owner: str) -> bool:
        """Return whether an image is among them."""
        return owner in self._ways

    def size(self, owner: str) -> int:
        """Return the bytes of all parts of an image."""
        return sum(self._nodes[place].size for place in self._ways[owner])

    def shared(self, owner: str) -> int:
        """Return the bytes of an image's parts that others have too."""
        return sum(self._nodes[place].size for place in self._ways[owner] if len(self._nodes[place].owners) > 1)

    def union(self, owners: Iterable[str]) -> int:
        """Return the bytes that images hold together, what they share counted once."""
        places = {place for owner in owners for place in self._ways[owner]}
        return sum(self._nodes[place].size for place in places)

    def shares(self, owners: Collection[str] | None = None) -> dict[str, int]:
        """Return the bytes that each image is counted with: of a part, each that has it has the same share.

        The sum is what they hold together, to the byte.

        Parameters
        ----------
        owners : collection of str, optional
            Among whom a part is divided; default: all.
        """
        wanted = set(self._ways if owners is None else owners)
        found = dict.fromkeys(sorted(wanted), 0)
        for node in self._nodes:
            having = [owner for owner in node.owners if owner in wanted]
            if having:
                share, rest = divmod(node.size, len(having))
                for number, owner in enumerate(sorted(having)):
                    found[owner] += share + (number < rest)
        return found

    # What is freed
    def frees(self, owners: Iterable[str]) -> int:
        """Return the bytes of parts that only these images have."""
        gone = set(owners)
        places = {place for owner in gone for place in self._ways[owner]}
        return sum(self._nodes[place].size for place in places if set(self._nodes[place].owners) <= gone)


class Blobs(Parts):
    """What registries keep: each blob once, whatever it belongs to.

    Parameters
    ----------
    contents : mapping
        The registry and the blobs of each image, by whatever name the caller has for it. A blob without a digest is
        nobody else's.
    """

    def __init__(self, contents: Mapping[str, tuple[str, Sequence[Layer]]]) -> None:
        super().__init__()
        places: dict[tuple[str, str], int] = {}
        for owner in sorted(contents):
            registry, blobs = contents[owner]
            way: dict[int, None] = {}
            for blob in blobs:
                place = places.get((registry, blob.digest)) if blob.digest else None
                if place is None:
                    place = len(self._nodes)
                    self._nodes.append(Node(ROOT, blob.size, blob.digest))
                    places[registry, blob.digest] = place
                if place not in way:  # the same blob may be several layers of an image
                    self._nodes[place].owners.append(owner)
                    way[place] = None
            self._ways[owner] = tuple(way)
