"""The graph of needs: what comes before what, how deep, and which chain is longest (pure).

Sets of phases are bits of one whole number, so that all pairs of a thousand phases are compared
in milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence


class Graph:
    """Phases and their needs. Raises ValueError when they go in a circle.

    ``needs``: id -> ids, in the order of the file. Needs that are no phases are left out.
    """

    def __init__(self, needs: Mapping[str, Sequence[str]]) -> None:
        self.ids: Sequence[str] = tuple(needs)
        self.number = {id: number for number, id in enumerate(self.ids)}
        self._needs = [
            tuple(dict.fromkeys(self.number[need] for need in needs[id] if need in self.number))
            for id in self.ids
        ]
        self._dependents: list[list[int]] = [[] for _ in self.ids]
        for number, wanted in enumerate(self._needs):
            for need in wanted:
                self._dependents[need].append(number)
        self._order = self._sort()
        self._before = self._close(self._order, self._needs)
        self._after = self._close(reversed(self._order), self._dependents)

    @property
    def order(self) -> Sequence[str]:
        """The phases, each after all that it needs, otherwise as in the file."""
        return [self.ids[number] for number in self._order]

    def needs(self, id: str) -> Sequence[str]:
        """Return what ``id`` needs directly."""
        return [self.ids[number] for number in self._needs[self.number[id]]]

    def before(self, id: str) -> set[str]:
        """Return everything that must be finished before ``id``."""
        return set(self.named(self._before[self.number[id]]))

    def after(self, id: str) -> set[str]:
        """Return everything that waits for ``id``."""
        return set(self.named(self._after[self.number[id]]))

    def beside(self, number: int) -> int:
        """Return as bits the phases that may run together with phase ``number``."""
        every = (1 << len(self.ids)) - 1
        return every & ~(self._before[number] | self._after[number] | 1 << number)

    def named(self, bits: int) -> Iterator[str]:
        """Yield the ids that ``bits`` stand for, in the order of the file."""
        return (self.ids[number] for number in members(bits))

    def ready(self, finished: Iterable[str]) -> list[str]:
        """Return the phases not ``finished`` whose needs all are."""
        done = {self.number[id] for id in finished if id in self.number}
        return [
            self.ids[number]
            for number, wanted in enumerate(self._needs)
            if number not in done and done.issuperset(wanted)
        ]

    def levels(self) -> Mapping[str, int]:
        """Return how many phases must be finished before each, one after the other."""
        level: dict[int, int] = {}
        for number in self._order:
            level[number] = max((level[need] + 1 for need in self._needs[number]), default=0)
        return {id: level[number] for number, id in enumerate(self.ids)}

    def reduced(self) -> Mapping[str, Sequence[str]]:
        """Return the needs without those that another need includes (transitive reduction)."""
        kept = {}
        for number, wanted in enumerate(self._needs):
            implied = 0
            for need in wanted:
                implied |= self._before[need]
            kept[self.ids[number]] = tuple(self.ids[n] for n in wanted if not implied >> n & 1)
        return kept

    def tails(self, weights: Mapping[str, float] | None = None) -> Mapping[str, float]:
        """Return the weight of the heaviest chain that begins with each phase (1 each if None)."""
        tail: dict[int, float] = {}
        for number in reversed(self._order):
            own = 1.0 if weights is None else weights[self.ids[number]]
            tail[number] = own + max((tail[n] for n in self._dependents[number]), default=0.0)
        return {id: tail[number] for number, id in enumerate(self.ids)}

    def critical_path(self, weights: Mapping[str, float] | None = None) -> list[str]:
        """Return the heaviest chain from a start to an end; the first in the file of equals."""
        tails = self.tails(weights)
        path: list[str] = []
        choice: Sequence[int] = [n for n, wanted in enumerate(self._needs) if not wanted]
        while choice:
            number = max(choice, key=lambda n: (tails[self.ids[n]], -n))
            path.append(self.ids[number])
            choice = self._dependents[number]
        return path

    def _sort(self) -> list[int]:
        """Return the numbers, needs first, as near to the file's order as that allows."""
        waits = [len(wanted) for wanted in self._needs]
        order = [number for number, count in enumerate(waits) if not count]
        for number in order:  # grows as it is read
            for dependent in self._dependents[number]:
                waits[dependent] -= 1
                if not waits[dependent]:
                    order.append(dependent)
        if len(order) < len(waits):
            raise ValueError("the needs go in a circle")
        return order

    @staticmethod
    def _close(order: Iterable[int], near: Sequence[Sequence[int]]) -> list[int]:
        far = [0] * len(near)
        for number in order:
            for neighbour in near[number]:
                far[number] |= far[neighbour] | 1 << neighbour
        return far


def members(bits: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set, smallest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
