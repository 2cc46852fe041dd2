"""What was parked when it was seen last, and is live by now; and that one process stages it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from gitbaton.git.fast.turns import Turn, Turns
from gitbaton.store.deferred import Alternatives
from gitbaton.store.gitengine import GitStore
from gitbaton.store.model import ABSENT, Committed, Spared, Transaction, Value, make_key
from tests.contract.gitsite import PlainPolicy

from .place import Forwarding, Place, change, put

KEYS = [make_key("tasks", f"t{number}") for number in range(8)]
BOARD = "refs/heads/baton"


class Narrow(PlainPolicy):
    """Two are live at first; upkeep wants two more that nobody has."""

    live_window = 2

    def wanted(self, records: Mapping[str, Value]) -> int:
        free = sum(not value["n"] for value in records.values())
        return max(0, 2 - free)


@pytest.fixture
def stager(place: Place) -> GitStore:
    """Somebody who has added all, and has used up what is live."""
    store = place.store(0, policy=Narrow())
    [outcome] = store.commit([change(dict.fromkeys(KEYS, ABSENT), {k: {"n": 0} for k in KEYS})])
    assert isinstance(outcome, Committed)
    return store


def use_up(store: GitStore) -> None:
    """Write on what is live."""
    snapshot = store.read()
    for key, record in list(snapshot.live.items()):
        if record.value["n"] == 0:
            put(store, key, {"n": 1}, record.version)


def waiting(store: GitStore) -> Alternatives:
    """Return a change of each record that was parked when ``store`` last looked."""
    seen = store.recall()
    assert seen is not None
    expected = [(key, seen.records[key].version) for key in KEYS if key not in seen.live]

    def make(place: int) -> Transaction:
        key, version = expected[place]
        return change({key: version}, {key: {"n": 2}})

    return Alternatives(expected, make, awaited=True)


def blindfold(store: GitStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the store look no more."""

    def look(*_: object) -> None:
        raise AssertionError("it looked")

    monkeypatch.setattr(store._reader, "look", look)


def test_what_was_staged_meanwhile_is_written_without_a_look(
    place: Place, stager: GitStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = place.store(1, policy=Narrow())
    other.read()
    use_up(stager)
    stager.tidy(force=True)
    tip = place.git("rev-parse", BOARD)
    blindfold(other, monkeypatch)
    choices = other.commit_first(waiting(other), 3)
    assert [type(choice) for choice in choices] == [Committed, Committed, *[Spared] * 4]
    assert {choice.why for choice in choices if isinstance(choice, Spared)} == {"moved"}
    assert place.git("rev-parse", BOARD) == tip  # nobody contends for it
    found = stager.read().live
    assert [found[key].value["n"] for key in KEYS[2:4]] == [2, 2]
    place.git("fsck", "--strict", "--connectivity-only")
    recalled = other.recall()
    assert recalled is not None
    assert recalled.live[KEYS[2]].version == found[KEYS[2]].version
    # What was parked since its birth had no commit here, and what is written stands on it.
    repository = other._repository
    before = repository.git.run("rev-parse", f"{found[KEYS[2]].version}^").text
    assert repository.objects.find_many([before])[0] is not None


def test_what_still_waits_is_left_alone(
    place: Place, stager: GitStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = place.store(1, policy=Narrow())
    other.read()
    refs = place.refs()
    blindfold(other, monkeypatch)
    choices = other.commit_first(waiting(other), 3)
    assert choices == [Spared("moved")] * 6
    assert place.refs() == refs


def test_where_the_session_shows_nothing_nothing_is_sent(
    place: Place, stager: GitStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = place.store(1, policy=Narrow(), wrap=Forwarding)
    other.read()
    use_up(stager)
    stager.tidy(force=True)
    refs = place.refs()
    blindfold(other, monkeypatch)
    assert other.commit_first(waiting(other), 3) == [Spared("moved")] * 6
    assert place.refs() == refs


def test_a_version_that_has_moved_on_is_not_replaced(place: Place, stager: GitStore) -> None:
    """I1: staged, and claimed by somebody else."""
    other = place.store(1, policy=Narrow())
    other.read()
    use_up(stager)
    stager.tidy(force=True)
    use_up(stager)
    assert other.commit_first(waiting(other), 3) == [Spared("moved")] * 6
    assert {stager.read().live[key].value["n"] for key in KEYS[:4]} == {1}


# --- one of several processes does the upkeep


class Waited:
    """Turns for which one has to wait while somebody else does ``act``."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act

    @contextmanager
    def take(self) -> Iterator[Turn]:
        self.act()
        yield Turn(had=True, waited=True)


def open_waiting(place: Place, act: Callable[[], object]) -> GitStore:
    store = place.store(1, policy=Narrow())
    store._open_turns = lambda: cast(Turns, Waited(act))
    store.read()
    return store


def test_who_waited_for_somebody_who_did_it_does_it_not_again(
    place: Place, stager: GitStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = open_waiting(place, lambda: stager.tidy(force=True))
    use_up(stager)
    blindfold(other, monkeypatch)
    report = other.tidy()
    assert (report.staged, report.notes) == (0, ("another process has just brought it up to date",))
    assert len(stager.read().live) == 4


def test_who_waited_in_vain_does_it(place: Place, stager: GitStore) -> None:
    """I4: the one who had the turn was killed before it had staged anything."""
    other = open_waiting(place, lambda: None)
    use_up(stager)
    assert other.tidy().staged == 2


def test_who_is_told_to_do_all_does_it(place: Place, stager: GitStore) -> None:
    other = open_waiting(place, lambda: use_up(stager))
    use_up(stager)
    stager.tidy(force=True)
    report = other.tidy(force=True)
    assert (report.refreshed, report.notes) == (True, ())


def test_a_turn_is_given_back_when_the_upkeep_fails(
    place: Place, stager: GitStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    turns = Turns(tmp_path)
    stager._open_turns = lambda: turns
    blindfold(stager, monkeypatch)
    with pytest.raises(AssertionError, match="it looked"):
        stager.tidy()
    with Turns(tmp_path).take() as turn:
        assert turn == (True, False)
