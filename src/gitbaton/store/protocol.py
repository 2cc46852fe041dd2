"""What every engine offers. One contract suite (``tests/contract``) holds them all to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gitbaton.store.model import Change, Choice, Key, Outcome, Snapshot, Transaction, Value


class Store(Protocol):
    """A set of records that changes by compare-and-swap.

    An implementation may be used by many threads and processes at once.
    """

    def read(self, prefix: str = "") -> Snapshot:
        """Return all records whose key starts with ``prefix``, as one consistent snapshot.

        Raises RemoteUnreachable when the engine cannot be asked, HostRefused when it will not
        answer.
        """
        ...

    def recall(self, prefix: str = "") -> Snapshot | None:
        """Return what was seen last through this object, with its own commits since; None at first.

        Asks nobody. It may be out of date, which a commit that relies on it finds out. The times
        are those of the look.
        """
        ...

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        """Try each transaction on its own; return their outcomes in the same order.

        They are independent: one conflict does not stop the others. Raises RemoteUnreachable
        only when nothing was sent.
        """
        ...

    def commit_first(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        """Commit ``count`` of the independent ``alternatives``, earlier ones rather than later.

        Which of them can still be committed is seen in the same round trip where the engine can
        see it. Fewer may be committed (others were faster): ask again with what is there now.
        Every alternative writes one record. Raises as ``commit``.
        """
        ...

    def history(self, key: Key | None = None, *, limit: int | None = None) -> list[Change]:
        """Return the changes of ``key`` (None: of every record), newest first.

        Heartbeats may be missing. A deleted record's history stays.
        """
        ...

    def tidy(self, *, force: bool = False) -> TidyReport:
        """Do the upkeep that the engine needs (on git: fold, stage, refresh the board).

        Without ``force`` only what is due. Never changes what ``read`` returns.
        """
        ...

    def close(self) -> None:
        """Release processes, connections and files. Using the store afterwards is an error."""
        ...


@dataclass(frozen=True, slots=True)
class TidyReport:
    """What upkeep did: how many records were folded, staged and repaired, and what it saw."""

    folded: int = 0
    staged: int = 0
    repaired: int = 0
    refreshed: bool = False
    notes: tuple[str, ...] = ()


class BoardPolicy(Protocol):
    """What the git engine must know about a collection that lives on the board, and no more.

    It keeps the store free of the meaning of its records: ``tasks`` supplies this.
    """

    @property
    def collection(self) -> str:
        """The collection whose records live on the board."""
        ...

    @property
    def live_window(self) -> int:
        """How many records may have a ref of their own."""
        ...

    def finished(self, value: Value) -> bool:
        """Tell whether the record may be folded (it will hardly change again)."""
        ...

    def parkable(self, value: Value) -> bool:
        """Tell whether the record may wait on the board when the live window is full."""
        ...

    def order(self, name: str, value: Value) -> tuple[object, ...]:
        """Return the sort key in which parked records are staged (smallest first)."""
        ...

    def wanted(self, records: Mapping[str, Value]) -> int:
        """Return how many more live records should be staged, given the live ones by name."""
        ...

    def render(self, records: Mapping[str, Value], *, others: int = 0) -> Mapping[str, bytes]:
        """Return the board's files for people and programs: path -> content.

        ``others``: how many more records there are on a long board, all of them parked.
        """
        ...
