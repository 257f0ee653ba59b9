"""What BuildKit keeps of an image that is deleted.

Its cache holds the layers of what it built, and they stay on the disk when the image goes: a deletion would free
nothing. While an image is there, the cache's records of its layers are marked as shared with one; those that are not
any more, once it is gone, are what it leaves.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import EngineError, EngineUnavailable
from .calls import Calls

_log = logging.getLogger(__name__)


class BuilderCacheCalls(Calls):
    """The builder's cache, through the SDK."""

    @contextmanager
    def giving_back_cache(self) -> Iterator[None]:
        """Remove from the builder's cache what images leave there that are deleted meanwhile."""
        before = self._shared()
        yield
        if before:
            left = before - self._shared()
            for record in sorted(left):
                self._drop(record)

    def _shared(self) -> set[str]:
        """Return the records of layers that an image has too; none where there is no such cache, or it is not told."""
        try:
            with self._translated("the builder's cache"):
                client = self._client(stream=True)
                # The whole question measures every volume; engines before API 1.42 know no other.
                answer = client._get(client._url("/system/df"), params={"type": "build-cache"})
                found = client._result(answer, json=True).get("BuildCache") or ()
        except (EngineError, EngineUnavailable) as error:
            _log.debug("What the builder's cache keeps is not known: %s", error)
            return set()
        return {str(each["ID"]) for each in found if each.get("Shared") and not each.get("InUse")}

    def _drop(self, record: str) -> None:
        try:
            with self._translated("the builder's cache"):
                client = self._client(stream=True)
                query = {"all": "1", "filters": json.dumps({"id": {record: True}})}
                client._raise_for_status(client._post(client._url("/build/prune"), params=query))
        except (EngineError, EngineUnavailable) as error:
            _log.debug("%s stays in the builder's cache: %s", record, error)
