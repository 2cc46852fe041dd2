"""Choosing among alternatives on an engine where a commit costs no round trip."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gitbaton.store.model import Choice, Committed, Outcome, Spared, Transaction

Commit = Callable[[Sequence[Transaction]], list[Outcome]]


def commit_in_turn(commit: Commit, alternatives: Sequence[Transaction], count: int) -> list[Choice]:
    """Commit the ``alternatives`` one after the other until ``count`` are committed."""
    choices: list[Choice] = [Spared()] * len(alternatives)
    left = count
    for place, transaction in enumerate(alternatives):
        [choices[place]] = commit([transaction])
        left -= isinstance(choices[place], Committed)
        if left <= 0:
            break
    return choices
