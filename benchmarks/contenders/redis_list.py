"""A list on a Redis server: one command, one round trip. The physical yardstick.

It is no like for like: a server must be run, guarded and paid for; nothing ties a result to the
claim; and this one keeps nothing when it ends.
"""

from __future__ import annotations

from benchmarks.contenders.contender import Claim
from benchmarks.lab.redis import Redis


class RedisList:
    """Claims by moving an element from one list to another."""

    def __init__(self, host: str, port: int, key: str) -> None:
        self._redis = Redis(host, port)
        self._key = key

    def claim(self) -> list[Claim]:
        moved = self._redis("LMOVE", f"{self._key}:free", f"{self._key}:claimed", "LEFT", "RIGHT")
        return [Claim(moved.decode(), self._key)] if isinstance(moved, bytes) else []

    def close(self) -> None:
        """Hang up."""
        self._redis.close()
