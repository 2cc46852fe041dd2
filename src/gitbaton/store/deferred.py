"""Lists whose items are made when they are looked at: alternatives, of which few ever are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar, overload

from gitbaton.store.model import Absent, Key, Transaction, Version

T = TypeVar("T")


class Deferred(Sequence[T], Generic[T]):
    """``count`` items; ``make(i)`` returns the one at place ``i``, and is asked for it once.

    Again, though, after it has raised. Threads that look at one place at once see the same item.
    """

    def __init__(self, count: int, make: Callable[[int], T]) -> None:
        self._count = count
        self._make = make
        self._made: dict[int, T] = {}

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> list[T]: ...

    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(self._count))]
        place = range(self._count)[index]
        if place not in self._made:
            return self._made.setdefault(place, self._make(place))
        return self._made[place]

    def made(self, places: Iterable[int] | None = None) -> list[T]:
        """Return the items, or those of them at ``places``, that were looked at so far."""
        if places is None:
            return list(self._made.values())
        return [self._made[place] for place in places if place in self._made]

    def has_made(self, place: int) -> bool:
        """Tell whether the item at ``place`` was looked at."""
        return place in self._made


class Alternatives(Deferred[Transaction]):
    """Transactions to choose from: what each expects of its one record is known before it is made.

    So those that cannot succeed any more are never made. ``expected[i]``: the key that number
    ``i`` writes, and the version that it replaces. ``awaited``: these records waited for their turn
    when they were last seen, and only those are wanted that somebody has made live since.
    """

    def __init__(
        self,
        expected: Sequence[tuple[Key, Version | Absent]],
        make: Callable[[int], Transaction],
        *,
        awaited: bool = False,
    ) -> None:
        super().__init__(len(expected), make)
        self.expected = expected
        self.awaited = awaited


def are_awaited(alternatives: Sequence[Transaction]) -> bool:
    """Tell whether only those of ``alternatives`` are wanted that are live by now."""
    return isinstance(alternatives, Alternatives) and alternatives.awaited


def expectation(alternatives: Sequence[Transaction], place: int) -> tuple[Key, Version | Absent]:
    """Return the key that an alternative writes, and the version that it replaces."""
    if isinstance(alternatives, Alternatives):
        return alternatives.expected[place]
    (expected,) = alternatives[place].expect.items()
    return expected
