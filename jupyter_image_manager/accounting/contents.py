"""The layers of what there is, kept: they never change, and an engine takes its time to tell those of hundreds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ImageNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..manager import ImageManager
    from ..models import Layer

    Layers = tuple[Layer, ...]


class Contents:
    """Layers by digest: of images of the engine by their id, of versions in a registry by their manifest's."""

    def __init__(self, manager: ImageManager) -> None:
        self._manager = manager
        self._known: dict[str, Layers] = {}

    def known(self, digests: Iterable[str]) -> dict[str, Layers]:
        """Return those that are known without asking anybody outside."""
        wanted = dict.fromkeys(digests)
        missing = [digest for digest in wanted if digest not in self._known]
        if missing:
            self._known.update(self._manager.store.kept_layers(missing))
        return {digest: self._known[digest] for digest in wanted if digest in self._known}

    def of_engine(self, ids: Iterable[str], *, keep: bool = True) -> dict[str, Layers]:
        """Return the layers of images of the engine, but for those that it does not hold and never told.

        Parameters
        ----------
        keep : bool
            Also for other processes; what others own is only remembered here.

        Raises
        ------
        EngineUnavailable
            There is one to be asked for, and the engine does not answer.
        """
        wanted = list(dict.fromkeys(ids))
        found = self.known(wanted)
        fresh: dict[str, Layers] = {}
        for digest in wanted:
            if digest not in found:
                try:
                    fresh[digest] = self._manager.engine.layers(digest)
                except ImageNotFound:
                    continue  # removed by somebody meanwhile
        self._known.update(fresh)
        if keep:
            self._manager.store.keep_layers(fresh)
        return found | fresh

    def remember(self, contents: Mapping[str, Layers]) -> None:
        """Keep what somebody has learned, such as the blobs of a version that was pushed."""
        self._known.update(contents)
        self._manager.store.keep_layers(contents)

    def forget_all_but(self, digests: Iterable[str]) -> None:
        """Forget what nothing refers to any more."""
        wanted = set(digests)
        self._manager.store.forget_layers(wanted)
        self._known = {digest: layers for digest, layers in self._known.items() if digest in wanted}
