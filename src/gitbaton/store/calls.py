"""One call of ``commit`` or ``commit_first`` on its way with others', and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gitbaton.core.errors import BatonError
from gitbaton.store.deferred import expectation
from gitbaton.store.model import (
    ABSENT,
    DELETE,
    Absent,
    Choice,
    Committed,
    Conflict,
    Delete,
    Key,
    Outcome,
    Record,
    Spared,
    Transaction,
    Unknown,
)


@dataclass(frozen=True, slots=True)
class Rider:
    """A change that may go along with a push that leaves anyway; ``settle`` gets its outcome.

    It may as well never be sent: nobody waits for it.
    """

    transaction: Transaction
    settle: Callable[[Outcome], None]


@dataclass(slots=True, eq=False)
class Call:
    """Transactions of one caller; with ``count``: alternatives, of which so many are wanted."""

    transactions: Sequence[Transaction]
    since: float
    count: int | None = None
    choices: list[Choice] | None = None
    error: BatonError | None = None
    keys: frozenset[Key] = field(init=False)
    ends: frozenset[Key] = field(init=False)  # of these, what it changes for good

    def __post_init__(self) -> None:
        if self.count is None:
            self.keys = frozenset(key for tx in self.transactions for key in tx.write)
            ending = (tx for tx in self.transactions if not tx.heartbeat)
            self.ends = frozenset(key for tx in ending for key in tx.write)
        else:
            places = range(len(self.transactions))
            self.keys = frozenset(expectation(self.transactions, place)[0] for place in places)
            self.ends = frozenset()

    @property
    def decided(self) -> bool:
        """Whether its outcome, or its error, is there."""
        return self.choices is not None or self.error is not None

    @property
    def is_contended(self) -> bool:
        """Whether it moves a branch that others may be about to move as well."""
        landing = self.transactions if self.count is None else ()
        return any(move.old is not None for tx in landing for move in tx.moves)

    @property
    def wanted(self) -> Sequence[Transaction]:
        """What to send of it when it goes with others: alternatives unseen, the first ones."""
        return self.transactions if self.count is None else self.transactions[: self.count]

    def take(self, outcomes: Sequence[Outcome]) -> None:
        """Take the outcomes of ``wanted``; the other alternatives were spared."""
        self.choices = [*outcomes, *[Spared()] * (len(self.transactions) - len(outcomes))]

    def fail_unknown(self, why: str) -> None:
        """Say of all that they may have been sent: whoever carried them did not come back."""
        self.choices = [Unknown(why) for _ in self.transactions]

    def answer(self) -> list[Choice]:
        """Return the outcomes, or raise the error."""
        if self.error is not None:
            raise self.error
        assert self.choices is not None, "only a decided call is answered"
        return self.choices

    def overtook(self, renewal: Transaction) -> Conflict | None:
        """Return the conflict of a renewal with what this call has made of its record.

        None: it changed nothing, as far as is known.
        """
        for place, choice in enumerate(self.choices or ()):
            if not isinstance(choice, Committed):
                continue
            tx = self.transactions[place]
            for key in tx.write.keys() & renewal.write.keys():
                if not tx.heartbeat:
                    return Conflict({key: _written(tx, key, choice)})
        return None


def are_hot(alternatives: Sequence[Transaction]) -> bool:
    """Tell whether all of ``alternatives`` move records that are there."""
    places = range(len(alternatives))
    return all(expectation(alternatives, place)[1] is not ABSENT for place in places)


def is_hot(tx: Transaction) -> bool:
    """Tell whether ``tx`` moves one record that is there, and nothing else."""
    return (
        len(tx.write) == 1
        and not tx.moves
        and ABSENT not in tx.expect.values()
        and DELETE not in tx.write.values()
    )


def _written(tx: Transaction, key: Key, done: Committed) -> Record | Absent:
    value = tx.write[key]
    if isinstance(value, Delete):
        return ABSENT
    return Record(done.versions[key], value, moves=tuple(tx.moves))
