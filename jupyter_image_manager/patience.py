"""Asking an engine that may hang, without waiting as long as it takes to be sure of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import EngineTimeout

if TYPE_CHECKING:
    from .engine.port import Engine, EngineInfo

T = TypeVar("T")

SECONDS = 5.0
"""How long people wait for what they could do without: which kernels run, whether the engine is well."""
ACT_SECONDS = 20.0
"""How long people wait for an engine without which nothing can be done, before they are told that it hangs."""
THREADS = 4


class Patience:
    """Calls that are waited for only so long, in threads of their own.

    Parameters
    ----------
    seconds : callable
        How long.

    Notes
    -----
    The threads live on, since each has its own connections to the engine. They are no pool of the standard library:
    a process that ends waits for those, however long the engine hangs.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self.hanging: set[Future[Any]] = set()
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads = 0
        self._lock = threading.Lock()

    def ask(self, function: Callable[..., T], *args: Any) -> T:
        """Return what a call returns that asks the engine.

        Raises
        ------
        EngineTimeout
            It takes longer than some seconds, or an earlier one still does.
        """
        if not self.hanging:
            future: Future[T] = Future()
            self._jobs.put(lambda: _run(future, function, args))
            self._one_more_thread()
            if wait([future], self._seconds()).done:
                return future.result()
            self.hanging.add(future)
            future.add_done_callback(self.hanging.discard)
        raise EngineTimeout("The engine does not answer; wait for it to finish what it does, or restart it.")

    def _one_more_thread(self) -> None:
        with self._lock:
            if self._idle.acquire(blocking=False) or self._threads >= THREADS:
                return
            self._threads += 1
        threading.Thread(target=self._work, daemon=True, name="image manager, asking the engine").start()

    def _work(self) -> None:
        while True:
            self._jobs.get()()
            self._idle.release()


def _run(future: Future[T], function: Callable[..., T], args: tuple[Any, ...]) -> None:
    try:
        found = function(*args)
    except BaseException as error:  # raised again by who asked
        future.set_exception(error)
    else:
        future.set_result(found)


_patience = Patience(lambda: SECONDS)
asked = _patience.ask
_acts = Patience(lambda: ACT_SECONDS)


def awake(engine: Engine) -> EngineInfo:
    """Return what an engine says of itself now: whoever is about to use it learns first whether it hangs.

    Raises
    ------
    EngineUnavailable
        It is not there, or does not answer; while somebody waits for it in vain, others are told at once.
    """
    return _acts.ask(lambda: engine.info(refresh=True))
