"""Sixteen processes at once (threads, where the engine lives in one process)."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitbaton.store.protocol import Store

from . import plays, verdicts
from .changes import created, values
from .crew import SIZE, Crew
from .engines import Engine


def test_one_creator_of_a_record(crew: Crew, engine_name: str, engine: Engine, site: Path) -> None:
    """I1: of sixteen who write the same bytes under one new key, one is told that it won.

    Nobody has opened the site before: opening a new store is part of the race.
    """
    wins = crew.run(plays.create_same, engine_name, site)
    verdicts.assert_one_winner_a_round(wins, range(engine.rounds))
    store = engine.open(site, 0)
    assert len(values(store)) == len(store.history()) == engine.rounds
    store.close()


def test_one_holder_of_each_epoch(
    crew: Crew, engine_name: str, engine: Engine, site: Path, store: Store
) -> None:
    """I1: each epoch of a record is won once, and epochs strictly increase."""
    created(store, plays.PRIZE, {"epoch": 0, "holder": None})
    wins = crew.run(plays.claim_epochs, engine_name, site)
    verdicts.assert_one_winner_a_round(wins, range(1, engine.rounds + 1))
    verdicts.assert_epochs_rose(values(store), wins)


def test_no_update_is_lost(
    crew: Crew, engine_name: str, engine: Engine, site: Path, store: Store
) -> None:
    """I1, I3: every increment that was confirmed is in the count, and in the history."""
    created(store, plays.COUNTER, {"count": 0})
    tries = crew.run(plays.count_up, engine_name, site)
    assert min(tries) >= engine.rounds
    assert sum(tries) > SIZE * engine.rounds, "nobody ever lost: this was no race"
    verdicts.assert_counted(values(store), SIZE * engine.rounds)
    counts = [change.value for change in reversed(store.history(plays.COUNTER))]
    assert counts == [{"count": number} for number in range(SIZE * engine.rounds + 1)]


def test_transfers_keep_the_sum(crew: Crew, engine_name: str, site: Path, store: Store) -> None:
    """I6: a change of two records is whole, under contention and in every snapshot."""
    for key in plays.ACCOUNTS:
        created(store, key, {"money": 100})
    sums = crew.run(plays.transfer, engine_name, site)
    verdicts.assert_money_kept(values(store), sums, 100 * len(plays.ACCOUNTS))


def test_no_snapshot_is_half_a_transaction(
    crew: Crew, engine_name: str, engine: Engine, site: Path, store: Store
) -> None:
    """I6: while four move two records together, twelve others never see them apart."""
    created(store, plays.LEFT, {"step": 0})
    created(store, plays.RIGHT, {"step": 0})
    pairs = crew.run(plays.move_or_watch, engine_name, site)
    verdicts.assert_pairs_whole(values(store), pairs, engine.rounds)


def test_a_player_who_fails_fails_the_race(crew: Crew, engine_name: str, site: Path) -> None:
    """The races can go red: an error in one of the processes reaches the test."""
    with pytest.raises(KeyError):
        crew.run(plays.claim_epochs, engine_name, site)
