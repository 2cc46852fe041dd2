"""How long this machine has known of rescues: the only age that it may judge by (I5)."""

from __future__ import annotations

from collections.abc import Iterable

from gitbaton.core.clock import Clock
from gitbaton.store.model import ABSENT, Actor, Key, Rescue, Transaction, make_key
from gitbaton.store.protocol import Store
from gitbaton.work.rescue import kept_name

_KEY: Key = make_key("sights", "rescues")


class RescueAges:
    """First sights of rescues, in the clone's own engine, on this machine's wall clock.

    Not on the clock that counts from boot: these ages are weeks. A wall clock that is set forward
    files a rescue away early, and nothing is lost by that.
    """

    def __init__(self, local: Store, clock: Clock) -> None:
        self._local = local
        self._clock = clock

    def older_than(
        self, age: float, rescues: Iterable[Rescue], *, remember: bool = True
    ) -> list[Rescue]:
        """Return those of ``rescues`` first seen more than ``age`` seconds ago.

        With ``remember``, new ones are noted, and those that are gone are forgotten.
        """
        now = self._clock.now().timestamp()
        record = self._local.read(_KEY).records.get(_KEY)
        known = dict(record.value) if record is not None else {}
        wanted = {kept_name(rescue): rescue for rescue in rescues}
        first = {name: min(float(known.get(name, now)), now) for name in wanted}
        if remember and first != known:
            change = Transaction(
                expect={_KEY: ABSENT if record is None else record.version},
                write={_KEY: first},
                subject="rescues: seen",
                actor=Actor("gc"),
            )
            self._local.commit([change])  # lost to another gc: it saw the same
        return [rescue for name, rescue in wanted.items() if now - first[name] > age]
