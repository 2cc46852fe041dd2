"""The tokens of one process, together: seen in each look, renewed in as few pushes as can be."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TypeAlias

from gitbaton.core.errors import BatonError, HostRefused, Refused
from gitbaton.core.ids import Oid
from gitbaton.frames.beacon import Beacon, Flash
from gitbaton.frames.sight import Watch
from gitbaton.frames.stage import Stage, View
from gitbaton.git.remote import PushState, RefResult, RefUpdate

_REFUSALS = 3  # pushes in a row of which the host refused a part: it will not change its mind

Lit: TypeAlias = tuple[Beacon, Flash]


class Signals:
    """Presence and lease, each where the process has that role. For one thread at a time."""

    def __init__(
        self, stage: Stage, watch: Watch, *, presence: Beacon | None, lease: Beacon | None
    ) -> None:
        self._stage = stage
        self._watch = watch
        self._presence = presence
        self._lease = lease
        self._refusals = 0

    @property
    def leads(self) -> bool:
        """Whether this process has the primary's lease, as far as it knows."""
        return self._lease is not None and self._lease.mine is not None

    def see(self, view: View) -> None:
        """Take what a look showed. Raises Refused when another process has our name."""
        for beacon in self._beacons:
            beacon.see(self._standing(view, beacon), asked=view.sight.asked)
        if self._presence is not None and self._presence.usurped:
            raise Refused(
                f"another process took the name {self._presence.name!r} over",
                code="name_taken",
                next="baton frame work --name ANOTHER",
            )

    def renew(self, view: View) -> None:
        """Renew what is due, and take the lease when nobody renews it: one push at most.

        Raises HostRefused when the host goes on refusing.
        """
        lease = view.scene.config.lease
        due = [
            (beacon, beacon.flash(view.scene.number, over=self._standing(view, beacon)))
            for beacon in self._beacons
            if beacon.is_due(lease=lease) and self._may_light(beacon, lease)
        ]
        if due:
            self._push([], due)

    @contextmanager
    def kept_alight(self, frame: int, *, lease: float) -> Iterator[None]:
        """Renew what is ours for as long as something takes that does not look at the remote.

        A merge may last longer than the lease. Were it to run out each time, the primaries would
        depose each other over the same deltas for ever.
        """
        over = threading.Event()

        def renew() -> None:
            while not over.wait(lease / 6):
                due = [b for b in self._beacons if b.mine is not None and b.is_due(lease=lease)]
                with suppress(BatonError):  # the next look tells
                    if due:
                        self._push([], [(b, b.flash(frame, over=None)) for b in due])

        beside = threading.Thread(target=renew, name="frame tokens", daemon=True)
        beside.start()
        try:
            yield
        finally:
            over.set()
            beside.join()

    def push_along(self, update: RefUpdate, frame: int) -> RefResult:
        """Push ``update`` with a renewal of what is ours: that spares a push of its own."""
        ours = [(b, b.flash(frame, over=None)) for b in self._beacons if b.mine is not None]
        return self._push([update], ours)[update.ref]

    def put_out(self) -> None:
        """Take our tokens away, so that nobody waits for us. Raises RemoteUnreachable."""
        updates = [update for b in self._beacons if (update := b.put_out()) is not None]
        if updates:
            self._stage.remote.push(updates, atomic=False)

    @property
    def _beacons(self) -> list[Beacon]:
        return [beacon for beacon in (self._presence, self._lease) if beacon is not None]

    def _standing(self, view: View, beacon: Beacon) -> Oid | None:
        sight = view.sight
        return sight.lease if beacon is self._lease else sight.present.get(beacon.name)

    def _may_light(self, beacon: Beacon, lease: float) -> bool:
        """Our own always; the lease of another process only when it was not renewed in time."""
        free = not self._watch.is_led(lease=lease)
        return beacon is self._presence or beacon.mine is not None or free

    def _push(self, updates: Sequence[RefUpdate], lit: Sequence[Lit]) -> dict[str, RefResult]:
        stage = self._stage
        stage.repository.objects.write([item for _, flash in lit for item in flash.objects])
        began = stage.clock.elapsed()
        results = stage.remote.push([*updates, *(f.update for _, f in lit)], atomic=False)
        for beacon, flash in lit:
            beacon.sent(flash, results[flash.update.ref], began=began)
        self._count_refusals(results)
        return dict(results)

    def _count_refusals(self, results: Mapping[str, RefResult]) -> None:
        refused = [(r, s.reason) for r, s in results.items() if s.state is PushState.REFUSED]
        self._refusals = self._refusals + 1 if refused else 0
        if self._refusals >= _REFUSALS:
            raise HostRefused(refused[0][1], ref=refused[0][0])
