"""A store in memory that loses answers when told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import Choice, Outcome, Transaction, Unknown


class LossyStore(MemoryStore):
    """Loses answers: ``fate`` says before each commit whether it is done, and told."""

    fate: Callable[[], tuple[bool, bool]] = staticmethod(lambda: (True, True))

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        done, told = self.fate()
        outcomes = super().commit(transactions) if done else []
        return outcomes if told else [Unknown("lost")] * len(transactions)

    def commit_first(self, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
        done, told = self.fate()
        choices = super().commit_first(alternatives, count) if done else []
        return choices if told else [Unknown("lost")] * len(alternatives)
