"""Remembers since when something has been seen, on this machine's own clock (I5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gitbaton.core.clock import Clock
from gitbaton.store.model import ABSENT, Actor, Key, Transaction, make_key
from gitbaton.store.protocol import Store


class Sightings:
    """What this clone has seen under one ``topic``, and since when. Kept in ``local``."""

    def __init__(self, local: Store, clock: Clock, topic: str) -> None:
        self._local, self._clock = local, clock
        self._key: Key = make_key("sightings", topic)

    def look(self, names: Iterable[str]) -> dict[str, float]:
        """Return for each of ``names``, all there is now, for how many seconds it has been seen.

        What is not among them is forgotten. After a restart of the machine counting begins anew.
        """
        record = self._local.read(self._key).records.get(self._key)
        known: dict[str, Any] = dict(record.value.get("seen", {})) if record else {}
        if record and record.value.get("origin") != self._clock.origin:
            known = {}
        now = self._clock.elapsed()
        seen = {name: float(known.get(name, now)) for name in names}
        if seen != known:
            self._local.commit(  # lost to another process: it has seen them just now as well
                [
                    Transaction(
                        expect={self._key: ABSENT if record is None else record.version},
                        write={self._key: {"origin": self._clock.origin, "seen": seen}},
                        subject="look",
                        actor=Actor("baton"),
                    )
                ]
            )
        return {name: max(now - since, 0.0) for name, since in seen.items()}
