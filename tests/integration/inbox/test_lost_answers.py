"""The ssh engine when its server dies: what it says is so, or it says that it does not know."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import pytest

from gitbaton.core.clock import SystemClock
from gitbaton.core.errors import Refused, RemoteUnreachable
from gitbaton.store.model import ABSENT, Committed, Conflict, Spared, Unknown, make_key
from gitbaton.store.sqlite import SqliteStore
from gitbaton.store.ssh.engine import SshStore
from gitbaton.store.ssh.ways import PipeWay
from tests.contract.changes import change, created, put, replaced, won
from tests.unit.store.faults import in_child

ROOT = Path(__file__).parents[3]
A, B = make_key("locks", "a"), make_key("locks", "b")

Open: TypeAlias = Callable[[str], SshStore]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def there(database: Path) -> Iterator[SqliteStore]:
    """The store as somebody on its own machine sees it."""
    store = SqliteStore(database, clock=SystemClock())
    yield store
    store.close()


@pytest.fixture
def opened(tmp_path: Path, database: Path) -> Iterator[Open]:
    """Open a store whose servers do what the words say, one word for each."""
    stores = []

    def open_store(words: str) -> SshStore:
        plan = tmp_path / "plan"
        plan.write_text(words)
        module = "tests.integration.inbox.dyingserver"
        argv = [sys.executable, "-m", module, str(database), str(plan)]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
        stores.append(SshStore(PipeWay(argv, env, ROOT), clock=SystemClock()))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@pytest.mark.parametrize("words", ["before", "after"])
def test_a_commit_whose_answer_was_lost_is_done_once(
    opened: Open, there: SqliteStore, words: str
) -> None:
    """I1, I4: and whoever made it is told so."""
    store = opened(words)
    versions = won(put(store, A, {"n": 1}))
    assert there.read().records[A].version == versions[A]
    assert len(there.history(A)) == 1


@pytest.mark.parametrize(
    ("words", "done"),
    [("before before", False), ("after absent", True), ("before absent", False)],
)
def test_what_nobody_confirms_is_unknown(
    opened: Open, there: SqliteStore, words: str, *, done: bool
) -> None:
    """Never Conflict, never Committed: it may be either."""
    assert isinstance(put(opened(words), A, {"n": 1}), Unknown)
    assert (A in there.read().records) == done


def test_a_repeat_after_somebody_elses_change_is_a_conflict(
    opened: Open, there: SqliteStore
) -> None:
    """I1: a version that was replaced never comes back, so the first try cannot come true."""
    first = created(there, A, {"n": 1})
    newer = replaced(there, A, {"n": 2}, first)
    outcome = put(opened("before"), A, {"n": 9}, first)
    assert isinstance(outcome, Conflict)
    assert there.read().records[A].version == newer


def test_a_repeated_creation_that_finds_something_is_unknown(
    opened: Open, there: SqliteStore
) -> None:
    """The first try may be stuck, and go through when what is there is deleted."""
    created(there, A, {"n": 1})
    assert isinstance(put(opened("before"), A, {"n": 9}), Unknown)


def test_a_repeated_heartbeat_that_finds_something_is_unknown(
    opened: Open, there: SqliteStore
) -> None:
    first = created(there, A, {"n": 1})
    replaced(there, A, {"n": 2}, first)
    assert isinstance(put(opened("before"), A, {"n": 9}, first, heartbeat=True), Unknown)


def test_the_others_of_a_call_are_told_too(opened: Open, there: SqliteStore) -> None:
    first = created(there, A, {"n": 1})
    replaced(there, A, {"n": 2}, first)
    wishes = [change({A: first}, {A: {"n": 9}}), change({B: ABSENT}, {B: {"n": 9}})]
    outcomes = opened("after").commit(wishes)
    assert [type(outcome) for outcome in outcomes] == [Conflict, Committed]


def test_nothing_was_sent_to_nobody(opened: Open, there: SqliteStore) -> None:
    """Not Unknown: the caller may say that nothing was changed."""
    with pytest.raises(Refused, match="not today"):
        put(opened("absent"), A, {"n": 1})
    assert there.read().records == {}


def test_a_conversation_that_died_meanwhile_is_begun_again(
    opened: Open, there: SqliteStore
) -> None:
    created(there, A, {"n": 1})
    store = opened("ok")
    assert store.read().records.keys() == {A}
    (idle,) = store._idle
    idle._process.kill()
    idle._process.wait()
    won(put(store, B, {"n": 1}))
    assert len(there.history(B)) == 1


def test_a_look_is_asked_for_twice(opened: Open, there: SqliteStore) -> None:
    created(there, A, {"n": 1})
    assert opened("deaf").read().records.keys() == {A}
    with pytest.raises(RemoteUnreachable):
        opened("deaf deaf").read()


def test_choosing_is_repeated_as_a_whole(opened: Open) -> None:
    store = opened("ok")
    wishes = [change({key: ABSENT}, {key: {"n": 1}}) for key in (A, B)]
    assert [type(choice) for choice in store.commit_first(wishes, 1)] == [Committed, Spared]


def test_own_commits_are_remembered(opened: Open) -> None:
    """``recall`` asks nobody: it has what was seen, and what was done since."""
    store = opened("ok")
    assert store.recall() is None
    created(store, A, {"n": 1})
    assert store.recall() is None, "it was never looked at as a whole"
    seen = store.read()
    version = created(store, B, {"n": 2})
    recalled = store.recall()
    assert recalled is not None
    assert recalled.records == {**seen.records, B: store.read(B).records[B]}
    assert (recalled.asked, recalled.answered) == (seen.asked, seen.answered)
    narrow = store.recall("locks/b")
    assert narrow is not None
    assert [record.version for record in narrow.records.values()] == [version]


def test_threads_share_one_store(opened: Open, there: SqliteStore) -> None:
    """I1: eight threads on one handle lose no update."""
    created(there, A, {"n": 0})
    store = opened("ok")

    def count(_: int) -> None:
        for _ in range(5):
            while True:
                seen = store.read(A).records[A]
                outcome = put(store, A, {"n": seen.value["n"] + 1}, seen.version)
                if isinstance(outcome, Committed):
                    break

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(8)))
    assert there.read().records[A].value == {"n": 40}


def test_a_forked_child_talks_for_itself(opened: Open, there: SqliteStore) -> None:
    """It must not speak into its parent's conversation."""
    store = opened("ok")
    store.read()
    assert in_child(lambda: created(store, A, {"n": 1})) == 0
    assert store.read().records.keys() == {A}
    assert len(there.history()) == 1
