"""Which instruction made which layer; pure.

An engine tells an image's history, where some instructions made no layer, and the digests of its layers, and not
which belongs to which.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..models import Layer

EMPTY = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
"""Digest of a layer in which nothing is: an archive without a file."""
_MAKERS = re.compile(r"(?:/bin/sh -c #\(nop\) +)?(ADD|COPY|WORKDIR|RUN|FROM)\b|(?!/bin/sh -c #\(nop\))/")
"""Instructions that may make a layer although they add no bytes, as the classic builder and BuildKit write them."""


def with_digests(history: Sequence[Layer], digests: Sequence[str]) -> tuple[Layer, ...]:
    """Return an image's history, oldest first, with the digest of each layer where it is sure which that is.

    Parameters
    ----------
    history : sequence of Layer
        What each instruction added, also those that added nothing.
    digests : sequence of str
        Of the layers that there are, oldest first.
    """
    full = [digest for digest in digests if digest != EMPTY]
    for made in (_with_bytes, _with_bytes_or_makers):
        for wanted in (full, list(digests)):
            places = [place for place, layer in enumerate(history) if made(layer)]
            if len(places) == len(wanted):
                known = dict(zip(places, wanted, strict=True))
                return tuple(
                    Layer(layer.created_by, layer.size, known.get(place, "")) if place in known else layer
                    for place, layer in enumerate(history)
                )
    return tuple(history)


def _with_bytes(layer: Layer) -> bool:
    return layer.size > 0


def _with_bytes_or_makers(layer: Layer) -> bool:
    return layer.size > 0 or _MAKERS.match(layer.created_by) is not None
