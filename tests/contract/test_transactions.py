"""Several records at once: all or nothing; several transactions at once: each on its own."""

from __future__ import annotations

import pytest

from gitbaton.core.errors import InvalidInput
from gitbaton.store.model import (
    ABSENT,
    DELETE,
    Committed,
    Conflict,
    Key,
    Record,
    Transaction,
    make_key,
)
from gitbaton.store.protocol import Store

from .changes import ACTOR, change, created, lost, replaced, values, won

A, B, C = (make_key("tasks", name) for name in "abc")
LOCK = make_key("locks", "paths")


def test_one_transaction_writes_all_its_records(store: Store, other: Store) -> None:
    """I6."""
    old = created(store, A, {"n": 1})
    (outcome,) = store.commit(
        [change({A: old, B: ABSENT, LOCK: ABSENT}, {A: {"n": 2}, B: {"n": 3}, LOCK: {"n": 4}})]
    )
    versions = won(outcome)
    assert versions.keys() == {A, B, LOCK}
    assert {k: r.version for k, r in other.read().records.items()} == versions
    assert values(other) == {A: {"n": 2}, B: {"n": 3}, LOCK: {"n": 4}}


def test_create_replace_and_delete_in_one(store: Store, other: Store) -> None:
    """I6."""
    old, doomed = created(store, A, {"n": 1}), created(store, B, {"n": 1})
    (outcome,) = store.commit(
        [change({A: old, B: doomed, C: ABSENT}, {A: {"n": 2}, B: DELETE, C: {"n": 3}})]
    )
    assert won(outcome).keys() == {A, C}
    assert values(other) == {A: {"n": 2}, C: {"n": 3}}


@pytest.mark.parametrize("stale", [A, LOCK])
def test_one_stale_record_stops_all(store: Store, other: Store, stale: Key) -> None:
    """I6: not one record of a transaction that lost is written."""
    versions = {key: created(store, key, {"n": 1}) for key in (A, LOCK)}
    newer = replaced(other, stale, {"n": 2}, versions[stale])
    before = other.read().records
    (outcome,) = store.commit(
        [change({**versions, B: ABSENT}, {A: {"n": 9}, LOCK: {"n": 9}, B: {"n": 9}})]
    )
    assert lost(outcome).found == {stale: Record(newer, {"n": 2})}
    assert store.read().records == before


def test_a_conflict_names_every_record_that_differs(store: Store) -> None:
    held = created(store, A, {"n": 1})
    gone = created(store, B, {"n": 1})
    store.commit([change({B: gone}, {B: DELETE})])
    fresh = created(store, C, {"n": 1})
    (outcome,) = store.commit(
        [change({A: ABSENT, B: gone, C: fresh}, {A: {"n": 9}, B: {"n": 9}, C: {"n": 9}})]
    )
    assert lost(outcome).found == {A: Record(held, {"n": 1}), B: ABSENT}


def test_transactions_of_one_call_are_independent(store: Store, other: Store) -> None:
    old = created(store, A, {"n": 1})
    newer = replaced(other, A, {"n": 2}, old)
    outcomes = store.commit(
        [
            change({B: ABSENT}, {B: {"n": 1}}),
            change({A: old}, {A: {"n": 9}}),
            change({C: ABSENT, LOCK: ABSENT}, {C: {"n": 1}, LOCK: {"n": 1}}),
        ]
    )
    assert [type(outcome) for outcome in outcomes] == [Committed, Conflict, Committed]
    assert lost(outcomes[1]).found == {A: Record(newer, {"n": 2})}
    assert values(other) == {A: {"n": 2}, B: {"n": 1}, C: {"n": 1}, LOCK: {"n": 1}}


@pytest.mark.parametrize("number", [2, 5])
def test_rivals_in_one_call_have_one_winner(store: Store, other: Store, number: int) -> None:
    """I1: also within one call, one version is replaced once."""
    old = created(store, LOCK, {"holder": None})
    outcomes = store.commit([change({LOCK: old}, {LOCK: {"holder": i}}) for i in range(number)])
    winners = [i for i, outcome in enumerate(outcomes) if isinstance(outcome, Committed)]
    assert len(winners) == 1
    assert values(other) == {LOCK: {"holder": winners[0]}}
    assert all(isinstance(o, Conflict) for i, o in enumerate(outcomes) if i not in winners)


def test_many_records_in_one_transaction(store: Store, other: Store) -> None:
    """I6: a bulk add is one change."""
    keys = [make_key("tasks", f"task-{number:03}") for number in range(100)]
    (outcome,) = store.commit(
        [change(dict.fromkeys(keys, ABSENT), {key: {"key": key} for key in keys})]
    )
    assert len(set(won(outcome).values())) == 100
    assert values(other) == {key: {"key": key} for key in keys}


def test_no_transactions_no_outcomes(store: Store) -> None:
    assert store.commit([]) == []


@pytest.mark.parametrize(
    "value",
    [
        {"n": float("nan")},
        {"n": float("inf")},
        {"n": b"bytes"},
        {"n": {1, 2}},
        {"n": object()},
        {"n": {7: "a number as a name"}},
        {"n": "lone \ud800 surrogate"},
        {"lone \ud800 surrogate": 1},
    ],
    ids=["nan", "infinity", "bytes", "set", "object", "number-as-name", "surrogate", "bad-name"],
)
def test_what_is_no_json_stops_the_call_before_it_begins(
    store: Store, value: dict[str, object]
) -> None:
    """I4: a value that would not come back as it is changes nothing, neighbours included."""
    with pytest.raises(InvalidInput):
        store.commit([change({B: ABSENT}, {B: {"n": 1}}), change({A: ABSENT}, {A: value})])
    assert values(store) == {}


def test_a_malformed_transaction_cannot_be_made(store: Store) -> None:
    version = created(store, A, {"n": 1})
    with pytest.raises(ValueError, match="exactly the keys"):
        change({A: version, B: ABSENT}, {A: {"n": 2}})
    with pytest.raises(ValueError, match="exactly the keys"):
        change({A: version}, {A: {"n": 2}, B: {"n": 2}})
    with pytest.raises(ValueError, match="change something"):
        change({}, {})
    with pytest.raises(ValueError, match="absent cannot be deleted"):
        change({B: ABSENT}, {B: DELETE})
    with pytest.raises(ValueError, match="one line"):
        change({A: version}, {A: {"n": 2}}, subject="two\nlines")
    with pytest.raises(ValueError, match="one line"):
        Transaction(expect={A: version}, write={A: {}}, subject=" ", actor=ACTOR)


@pytest.mark.parametrize("text", ["", "name", "tasks/", "/name", "Tasks/a", "tasks/a\0b", "a b/c"])
def test_what_is_no_key_cannot_be_written(text: str) -> None:
    with pytest.raises(InvalidInput):
        change({Key(text): ABSENT}, {Key(text): {}})
