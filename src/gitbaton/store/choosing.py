"""Choosing among alternatives on an engine where a commit costs no round trip."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gitbaton.store.model import Choice, Committed, Outcome, Spared, Transaction

Commit = Callable[[Sequence[Transaction]], list[Outcome]]


def commit_in_turn(commit: Commit, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
    """Commit the ``alternatives`` one after the other until ``count`` are committed."""
    choices: list[Choice] = []
    left = count
    for transaction in alternatives:
        if left <= 0:
            choices.append(Spared())
            continue
        choices += commit([transaction])
        left -= isinstance(choices[-1], Committed)
    return choices
