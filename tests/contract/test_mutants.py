"""The suite can fail: an engine that ignores the expected version is caught by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitbaton.store.protocol import Store

from . import plays, test_records, verdicts
from .changes import created, values
from .crew import SIZE, Crew
from .engines import find_engine


@pytest.fixture
def site(mutant_name: str, tmp_path: Path) -> Path:
    """A fresh site of the mutant."""
    find_engine(mutant_name).prepare(tmp_path)
    return tmp_path


@pytest.fixture
def mutant(mutant_name: str, site: Path) -> Iterator[Store]:
    """A handle on the site."""
    handle = find_engine(mutant_name).open(site, 0)
    yield handle
    handle.close()


def test_two_creators_are_noticed(crew: Crew, mutant_name: str, site: Path) -> None:
    wins = crew.run(plays.create_same, mutant_name, site)
    with pytest.raises(AssertionError):
        verdicts.assert_one_winner_a_round(wins, range(find_engine(mutant_name).rounds))


def test_two_holders_are_noticed(crew: Crew, mutant_name: str, site: Path, mutant: Store) -> None:
    created(mutant, plays.PRIZE, {"epoch": 0, "holder": None})
    wins = crew.run(plays.claim_epochs, mutant_name, site)
    with pytest.raises(AssertionError):
        verdicts.assert_one_winner_a_round(wins, range(1, find_engine(mutant_name).rounds + 1))


def test_a_lost_update_is_noticed(crew: Crew, mutant_name: str, site: Path, mutant: Store) -> None:
    created(mutant, plays.COUNTER, {"count": 0})
    crew.run(plays.count_up, mutant_name, site)
    with pytest.raises(AssertionError):
        verdicts.assert_counted(values(mutant), SIZE * find_engine(mutant_name).rounds)


def test_a_missed_conflict_is_noticed(mutant: Store) -> None:
    with pytest.raises(AssertionError):
        test_records.test_replacing_an_old_version_is_a_conflict(mutant, mutant)


def test_half_a_transaction_is_noticed() -> None:
    """The verdict on snapshots, given a torn one."""
    state = {plays.LEFT: {"step": 8}, plays.RIGHT: {"step": 8}}
    whole = [[(1, 1), (8, 8)]] * SIZE
    verdicts.assert_pairs_whole(state, whole, 2)
    with pytest.raises(AssertionError):
        verdicts.assert_pairs_whole(state, [*whole[:-1], [(1, 2), (8, 8)]], 2)


def test_lost_money_is_noticed() -> None:
    """The verdict on transfers, given a snapshot in which some is missing."""
    state = {key: {"money": 1} for key in plays.ACCOUNTS}
    verdicts.assert_money_kept(state, [[5], [5]], 5)
    with pytest.raises(AssertionError):
        verdicts.assert_money_kept(state, [[5], [4]], 5)
