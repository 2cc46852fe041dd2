"""Choosing among alternatives on an engine where a commit costs no round trip."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gitbaton.core.errors import BatonError
from gitbaton.store.model import Choice, Committed, Outcome, Spared, Transaction, Unknown

Commit = Callable[[Sequence[Transaction]], list[Outcome]]


def commit_in_turn(commit: Commit, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
    """Commit the ``alternatives`` one after the other until ``count`` are, or may be, committed.

    Raises what ``commit`` raises, unless some are: whoever waits must hear of those.
    """
    choices: list[Choice] = [Spared()] * len(alternatives)
    left = count
    for place, transaction in enumerate(alternatives):
        try:
            [choices[place]] = commit([transaction])
        except BatonError:
            if left == count:
                raise
            break
        left -= isinstance(choices[place], Committed | Unknown)
        if left <= 0:
            break
    return choices
