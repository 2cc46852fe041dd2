"""A worker's standing with the others: its record in the registry, from first beat to last."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError
from gitbaton.plans.registry.pulse import Pulse
from gitbaton.plans.registry.record import WorkerRecord
from gitbaton.plans.registry.registry import Registry, Replaced
from gitbaton.plans.registry.vitals import Vitals
from gitbaton.store.calls import Rider
from gitbaton.work.events import Teller
from gitbaton.work.reception import Floor


class Standing:
    """Keeps the record of one worker. ``open`` before it works, ``close`` when it has ended."""

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        *,
        reason: Callable[[], str | None],
        load: Callable[[], float | None],
        tell: Teller,
    ) -> None:
        """``reason``: why it takes nothing now, None if it does."""
        self._registry, self._clock = registry, clock
        self._reason, self._load, self._tell = reason, load, tell
        self._floor: Floor | None = None
        self._pulse: Pulse | None = None
        self._trouble: str | None = None
        self.session = ""

    def open(self, worker: WorkerRecord, *, take_over: bool = False) -> None:
        """Announce ``worker``. Raises NameTaken, and as ``Registry.announce``."""
        post = self._registry.announce(worker, take_over=take_over)
        self.session = post.worker.session or ""
        self._pulse = Pulse(self._registry, post, self._clock, self._vitals)

    def attend(self, floor: Floor) -> None:
        """Beat if it is time. Raises Replaced when another session has the name."""
        self._floor = floor
        if self._pulse is None:
            return
        try:
            self._pulse.beat()
        except Replaced:
            self._pulse = None
            raise
        trouble = self._pulse.trouble.message if self._pulse.trouble else None
        if trouble and trouble != self._trouble:
            self._tell("notice", f"others may take this worker for lost: {trouble}")
        self._trouble = trouble

    def riders(self) -> Sequence[Rider]:
        """Return what may go along with a push that leaves now. From any thread."""
        return () if self._pulse is None else self._pulse.riders()

    def close(self) -> None:
        """Say good-bye, if that can be said; nobody relies on it."""
        pulse, self._pulse = self._pulse, None
        if pulse is None:
            return
        try:
            pulse.withdraw()
        except Replaced:
            pass  # the record is another's now
        except BatonError as error:
            self._tell("notice", f"the others could not be told of the end: {error.message}")

    def _vitals(self) -> Vitals:
        floor = self._floor
        return Vitals(
            busy=() if floor is None else floor.at_work,
            load=self._load(),
            draining=floor is not None and floor.draining,
            reason=self._reason(),
        )
