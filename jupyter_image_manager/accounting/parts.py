"""What images have in common, counted once; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from ..models import Layer


class Parts:
    """Images and the parts that they are made of, each of which takes its room once.

    Notes
    -----
    Parts are numbers, and what is known of them stands in lists of numbers and texts: ten thousand small objects would
    be for the garbage collector to walk, which holds a server's event loop meanwhile.
    """

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._having: list[int] = []  # how many images have a part
        self._ways: dict[str, tuple[int, ...]] = {}  # the parts of each image

    # What is held
    def has(self, owner: str) -> bool:
        """Return whether an image is among them."""
        return owner in self._ways

    def size(self, owner: str) -> int:
        """Return the bytes of all parts of an image."""
        return sum(self._sizes[place] for place in self._ways[owner])

    def shared(self, owner: str) -> int:
        """Return the bytes of an image's parts that others have too."""
        return sum(self._sizes[place] for place in self._ways[owner] if self._having[place] > 1)

    def union(self, owners: Iterable[str]) -> int:
        """Return the bytes that images hold together, what they share counted once."""
        places = {place for owner in owners for place in self._ways[owner]}
        return sum(self._sizes[place] for place in places)

    def shares(self, owners: Collection[str] | None = None) -> dict[str, int]:
        """Return the bytes that each image is counted with: of a part, each that has it has the same share.

        The sum is what they hold together, to the byte.

        Parameters
        ----------
        owners : collection of str, optional
            Among whom a part is divided; default: all.
        """
        wanted = sorted(self._ways if owners is None else set(owners))
        having = self._count(wanted)
        seen = [0] * len(having)
        found = {}
        for owner in wanted:
            counted = 0
            for place in self._ways[owner]:
                share, rest = divmod(self._sizes[place], having[place])
                counted += share + (seen[place] < rest)  # the bytes that cannot be divided go to the first
                seen[place] += 1
            found[owner] = counted
        return found

    def _count(self, owners: Iterable[str]) -> list[int]:
        """Return how many of these images have each part."""
        having = [0] * len(self._sizes)
        for owner in owners:
            for place in self._ways[owner]:
                having[place] += 1
        return having

    # What is freed
    def frees(self, owners: Iterable[str]) -> int:
        """Return the bytes of parts that only these images have."""
        gone: dict[int, int] = {}
        for owner in set(owners):
            for place in self._ways[owner]:
                gone[place] = gone.get(place, 0) + 1
        return sum(self._sizes[place] for place, count in gone.items() if count == self._having[place])


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
        places: dict[str, int] = {}
        for owner in sorted(contents):
            registry, blobs = contents[owner]
            way: dict[int, None] = {}  # the same blob may be several layers of an image
            for blob in blobs:
                name = f"{registry} {blob.digest}"
                place = places.get(name) if blob.digest else None
                if place is None:
                    place = places[name] = len(self._sizes)
                    self._sizes.append(blob.size)
                    self._having.append(0)
                if place not in way:
                    self._having[place] += 1
                    way[place] = None
            self._ways[owner] = tuple(way)
