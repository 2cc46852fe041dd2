"""One look at a world's refs: what stands there, and since when this observer has seen it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gitbaton.core.clock import Clock
from gitbaton.core.ids import Oid
from gitbaton.frames.refs import FrameRefs, Pair
from gitbaton.git.remote import Remote
from gitbaton.tasks.leases import Observation, Subject, look

_GRACE = 3.0  # a gap between two looks counts for a third of the lease at most


@dataclass(frozen=True)
class Sight:
    """The refs of one listing. It may be torn: whoever acts on it does so by compare-and-swap.

    ``tip``: of the world branch; ``lease``: of the primary; ``present``: by worker.
    ``asked`` and ``answered`` are readings of the observer's clock.
    """

    tip: Oid | None
    lease: Oid | None = None
    present: Mapping[str, Oid] = field(default_factory=dict)
    deltas: Mapping[Pair, Oid] = field(default_factory=dict)
    asked: float = 0.0
    answered: float = 0.0

    @cached_property
    def ordered(self) -> list[Pair]:
        """The pairs whose deltas are there, in their order."""
        return sorted(self.deltas)


def look_at(remote: Remote, refs: FrameRefs, clock: Clock) -> Sight:
    """Ask for the refs of the world: one listing. Raises RemoteUnreachable, HostRefused."""
    asked = clock.elapsed()
    listed = remote.list([refs.world, refs.root]).refs
    answered = clock.elapsed()
    present: dict[str, Oid] = {}
    deltas: dict[Pair, Oid] = {}
    for ref, oid in listed.items():
        pair, worker = refs.parse_delta(ref), refs.parse_presence(ref)
        if pair is not None:
            deltas[pair] = oid
        elif worker is not None:
            present[worker] = oid
    return Sight(listed.get(refs.world), listed.get(refs.lease), present, deltas, asked, answered)


class Watch:
    """For how long things were seen unchanged, on this observer's own clock (I5)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, Observation] = {}
        self._frame: tuple[int, float] | None = None

    def take(self, sight: Sight, *, lease: float) -> None:
        """Take note of a look. ``lease`` in seconds: how long a token lasts unrenewed."""
        marks = {f"live/{worker}": oid for worker, oid in sight.present.items()}
        if sight.lease is not None:
            marks["primary"] = sight.lease
        self._seen = {
            name: look(
                self._seen.get(name),
                Subject("lease", mark, lease / _GRACE),
                origin=self._clock.origin,
                asked=sight.asked,
                answered=sight.answered,
            )
            for name, mark in marks.items()
        }

    def take_frame(self, number: int, sight: Sight) -> None:
        """Take note that the world was at frame ``number`` in this look."""
        if self._frame is None or self._frame[0] != number:
            self._frame = (number, sight.answered)

    def elapsed(self, number: int, sight: Sight) -> float:
        """Return for how many seconds frame ``number`` had been the current one at this look."""
        if self._frame is None or self._frame[0] != number:
            return 0.0
        return max(sight.answered - self._frame[1], 0.0)

    def alive(self, workers: Iterable[str], *, lease: float) -> frozenset[str]:
        """Return those of ``workers`` that are there and renewed themselves within ``lease``."""
        return frozenset(w for w in workers if self._within(f"live/{w}", lease))

    def abandoned(self, sight: Sight, *, lease: float) -> dict[str, Oid]:
        """Return the presence of workers that have been gone for so long that it is litter."""
        return {w: o for w, o in sight.present.items() if not self._within(f"live/{w}", lease * 10)}

    def is_led(self, *, lease: float) -> bool:
        """Tell whether somebody holds the primary's lease."""
        return self._within("primary", lease)

    def _within(self, name: str, lease: float) -> bool:
        seen = self._seen.get(name)
        return seen is not None and seen.watched < lease
