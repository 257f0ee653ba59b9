"""Layers that images share, counted once; pure.

A layer takes its room once for all images that stand on the same layers up to it. So the layers of all images are a
forest: an image is a way from a root to one of its nodes, and what two images share is the beginning of their ways.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..models import Layer
from .parts import ROOT, Node, Parts


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
        self._by_digest: dict[tuple[int, str], int] = {}
        self._by_instruction: dict[tuple[int, str, int], int] = {}
        # Those with digests first: the others find theirs among them, in whatever order they come.
        for owner in sorted(contents, key=lambda each: (any(not layer.digest for layer in contents[each]), each)):
            self._add(owner, contents[owner])

    def _add(self, owner: str, layers: Sequence[Layer]) -> None:
        way = []
        place = ROOT
        for layer in layers:
            if not layer.size and not layer.digest:
                continue  # an instruction that made no layer
            place = self._node(place, layer)
            self._nodes[place].owners.append(owner)
            way.append(place)
        self._ways[owner] = tuple(way)

    def _node(self, parent: int, layer: Layer) -> int:
        instruction = (parent, layer.created_by, layer.size)
        found = self._by_digest.get((parent, layer.digest)) if layer.digest else None
        if found is None:
            found = self._by_instruction.get(instruction)
            if found is not None and layer.digest and self._nodes[found].digest:
                found = None  # made alike, and yet something else
        if found is None:
            found = len(self._nodes)
            self._nodes.append(Node(parent, layer.size, layer.digest))
            self._by_instruction.setdefault(instruction, found)
        if layer.digest:
            self._nodes[found].digest = layer.digest
            self._by_digest[parent, layer.digest] = found
        return found

    def best(self, candidates: Collection[str], most: int) -> tuple[tuple[str, ...], int]:
        """Return the candidates, at most some, that free most when they go together, and the bytes.

        Nothing is among them that frees nothing.
        """
        allowed = set(candidates) & set(self._ways)
        below = [node.size for node in self._nodes]
        tables: list[_Table] = [[(0, ())] for _ in self._nodes]
        best: _Table = [(0, ())]
        for place in range(len(self._nodes) - 1, -1, -1):  # what stands on a layer has a higher number
            node = self._nodes[place]
            owners = sorted(set(node.owners))
            if len(owners) <= most and below[place] and allowed.issuperset(owners):
                table = tables[place]
                table += [table[-1]] * (len(owners) + 1 - len(table))
                table[len(owners)] = max(table[len(owners)], (below[place], tuple(owners)), key=_bytes)
            if node.parent == ROOT:
                best = _merged(best, tables[place], most)
            else:
                below[node.parent] += below[place]
                tables[node.parent] = _merged(tables[node.parent], tables[place], most)
            tables[place] = []
        frees, chosen = max(best, key=lambda each: (each[0], -len(each[1])))
        return chosen, frees


_Table = list[tuple[int, tuple[str, ...]]]
"""The most bytes that at most so many images free, and which images these are."""


def _bytes(entry: tuple[int, tuple[str, ...]]) -> int:
    return entry[0]


def _merged(first: _Table, second: _Table, most: int) -> _Table:
    """Return, for each number of images, the best of two parts of the forest together."""
    if len(second) == 1:
        return first
    length = min(most + 1, len(first) + len(second) - 1)
    found: _Table = [(0, ())] * length
    for a, (frees_a, chosen_a) in enumerate(first):
        for b, (frees_b, chosen_b) in enumerate(second[: length - a]):
            if frees_a + frees_b > found[a + b][0]:
                found[a + b] = (frees_a + frees_b, chosen_a + chosen_b)
    for count in range(1, length):
        found[count] = max(found[count - 1], found[count], key=_bytes)
    return found
