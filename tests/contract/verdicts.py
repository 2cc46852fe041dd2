"""What must hold after a race. Each raises AssertionError when it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitbaton.store.model import Key, Value

from .plays import ACCOUNTS, COUNTER, LEFT, PRIZE, RIGHT, WRITERS


def assert_one_winner_a_round(wins: Sequence[Sequence[int]], rounds: Sequence[int]) -> None:
    """Each of ``rounds`` is in exactly one player's list (I1)."""
    assert sorted(number for player in wins for number in player) == list(rounds)


def assert_epochs_rose(state: Mapping[Key, Value], wins: Sequence[Sequence[int]]) -> None:
    """The record's epoch is the last one won, and its holder the one who was told so (I1)."""
    prize = state[PRIZE]
    assert prize["epoch"] == max(number for player in wins for number in player)
    assert prize["epoch"] in wins[prize["holder"]]


def assert_counted(state: Mapping[Key, Value], expected: int) -> None:
    """No addition was lost and none counted twice (I1)."""
    assert state[COUNTER] == {"count": expected}


def assert_money_kept(
    state: Mapping[Key, Value], sums: Sequence[Sequence[int]], total: int
) -> None:
    """The accounts always held ``total``, in the end and in every snapshot (I6)."""
    assert sum(state[key]["money"] for key in ACCOUNTS) == total
    assert {seen for player in sums for seen in player} == {total}


def assert_pairs_whole(
    state: Mapping[Key, Value], pairs: Sequence[Sequence[tuple[int, int]]], rounds: int
) -> None:
    """Nobody saw one record moved without the other, nor a step back (I6)."""
    last = WRITERS * rounds
    assert [state[LEFT]["step"], state[RIGHT]["step"]] == [last, last]
    assert [pair for player in pairs for pair in player if pair[0] != pair[1]] == []
    assert all(list(player) == sorted(player) for player in pairs)
    assert all(player[-1] == (last, last) for player in pairs[WRITERS:])
