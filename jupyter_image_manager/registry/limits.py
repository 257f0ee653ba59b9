"""How many pulls a registry allows still, from what it tells with its answers (R16); pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PullsLeft:
    """How many pulls a registry allows still (R16)."""

    left: int
    limit: int
    seconds: int  # the time that the limit is for

    def __str__(self) -> str:
        """Return it for people."""
        time = f" in {self.seconds / 3600:g} h" if self.seconds else ""
        return f"{self.left} of {self.limit} pulls are left{time}"


def counted(header: str) -> tuple[int, int] | None:
    """Read ``100;w=21600``: a count, and the seconds that it is for."""
    count, _, rest = header.partition(";")
    if not count.strip().isdigit():
        return None
    seconds = rest.strip().removeprefix("w=")
    return int(count), int(seconds) if seconds.isdigit() else 0
