"""Layers that images share, counted once; pure.

A layer takes its room once for all images that stand on the same layers up to it. So the layers of all images are a
forest: an image is a way from a root to one of its nodes, and what two images share is the beginning of their ways.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..models import Layer
from .parts import Parts

ROOT = -1


class Forest(Parts):
    """The layers of images.

    Parameters
    ----------
    contents : mapping
        The layers of each image, oldest first, by whatever name the caller has for it.

    Notes
    -----
    Layers are the same when their digest is. Where it is not known of one of them, they count as the same when the
    same instruction made them with the same size, so that what is freed is told rather too small than too large.
    """

    def __init__(self, contents: Mapping[str, Sequence[Layer]]) -> None:
        super().__init__()
        self._parents: list[int] = []  # what stands on a layer has a higher number
        self._digests: list[str] = []
        self._places: dict[str, int] = {}  # by digest, and by instruction
        # Those with digests first: the others find theirs among them, in whatever order they come.
        for owner in sorted(contents, key=lambda each: (any(not layer.digest for layer in contents[each]), each)):
            self._add(owner, contents[owner])
        self._places.clear()

    def _add(self, owner: str, layers: Sequence[Layer]) -> None:
        way = []
        place = ROOT
        for layer in layers:
            if not layer.size and not layer.digest:
                continue  # an instruction that made no layer
            place = self._node(place, layer)
            self._having[place] += 1
            way.append(place)
        self._ways[owner] = tuple(way)

    def _node(self, parent: int, layer: Layer) -> int:
        digest, instruction = f"{parent} {layer.digest}", f"{parent} {layer.size} {layer.created_by}"
        found = self._places.get(digest) if layer.digest else None
        if found is None:
            found = self._places.get(instruction)
            if found is not None and layer.digest and self._digests[found]:
                found = None  # made alike, and yet something else
        if found is None:
            found = len(self._sizes)
            self._sizes.append(layer.size)
            self._having.append(0)
            self._parents.append(parent)
            self._digests.append(layer.digest)
            self._places.setdefault(instruction, found)
        if layer.digest:
            self._digests[found] = layer.digest
            self._places[digest] = found
        return found

    def best(self, candidates: Collection[str], most: int) -> tuple[tuple[str, ...], int]:
        """Return the candidates, at most some, that free most when they go together, and the bytes.

        Nothing is among them that frees nothing.
        """
        allowed = self._count(sorted(set(candidates) & set(self._ways)))
        below = list(self._sizes)
        whole = self._wholly(allowed, most)
        tables: dict[int, _Table] = {}
        best: _Table = [(0, ())]
        for place in range(len(self._sizes) - 1, -1, -1):
            table, parent = tables.pop(place, None), self._parents[place]
            owners = whole.get(place)
            if owners is not None and below[place]:
                table = [*(table or [(0, ())])]
                table += [table[-1]] * (len(owners) + 1 - len(table))
                table[len(owners)] = max(table[len(owners)], (below[place], tuple(owners)), key=_bytes)
            if parent == ROOT:
                best = _merged(best, table, most) if table else best
                continue
            below[parent] += below[place]
            if table:
                tables[parent] = _merged(tables.get(parent, [(0, ())]), table, most)
        frees, chosen = max(best, key=lambda each: (each[0], -len(each[1])))
        return chosen, frees

    def _wholly(self, allowed: Sequence[int], most: int) -> dict[int, list[str]]:
        """Return the layers that go when all that have them go, which may and are not too many; with these."""
        found: dict[int, list[str]] = {}
        for owner in sorted(self._ways):
            for place in self._ways[owner]:
                if self._having[place] <= most and allowed[place] == self._having[place]:
                    found.setdefault(place, []).append(owner)
        return found


_Table = list[tuple[int, tuple[str, ...]]]
"""The most bytes that at most so many images free, and which images these are."""


def _bytes(entry: tuple[int, tuple[str, ...]]) -> int:
    return entry[0]


def _merged(first: _Table, second: _Table, most: int) -> _Table:
    """Return, for each number of images, the best of two parts of the forest together."""
    length = min(most + 1, len(first) + len(second) - 1)
    found: _Table = [(0, ())] * length
    for a, (frees_a, chosen_a) in enumerate(first):
        for b, (frees_b, chosen_b) in enumerate(second[: length - a]):
            if frees_a + frees_b > found[a + b][0]:
                found[a + b] = (frees_a + frees_b, chosen_a + chosen_b)
    for count in range(1, length):
        found[count] = max(found[count - 1], found[count], key=_bytes)
    return found
