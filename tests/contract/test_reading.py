"""Reading: whole snapshots by prefix, of any key and any value that can be written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitbaton.core.clock import SystemClock
from gitbaton.store.model import Record, Value, make_key
from gitbaton.store.protocol import Store

from .changes import created, put, replaced, values, won

STRANGE_NAMES = [
    "plain",
    "Plain",
    "PLAIN",
    "two words",
    " lead and trail ",
    "a/b",
    "a/b/c",
    "a",
    "a//b",
    "/a",
    "a/",
    "..",
    ".",
    "../../etc/passwd",
    ".hidden",
    "x.lock",
    ".lock",
    "dot.",
    "-rf",
    "--force",
    "100%",
    "%2f",
    "%",
    "a_b",
    "a@{1}",
    "@",
    "HEAD",
    "head~1^2:?*[x]",
    "back\\slash",
    "tab\tand\nnewline\r",
    "quote'\"`$(id)",
    "\x01\x1f\x7f",
    "é",
    "e\u0301",
    "ß",
    "日本語",
    "🏃‍♀️",
    "\U0010ffff",
    "\U0010ffff!",
    "con",
    "x" * 100,
]

STRANGE_VALUES: list[dict[str, Any]] = [
    {},
    {"": ""},
    {"null": None, "true": True, "false": False},
    {"one": 1, "one as a float": 1.0, "yes": True},
    {"ints": [0, -1, 2**53 + 1, 2**63, -(2**63), 2**64, 2**80]},
    {"floats": [0.1, -0.0, 1e308, 5e-324, 1.7976931348623157e308, 3.141592653589793]},
    {"text": "ünï \u0000 \u001f \u2028 日本語 🏃 \\ \" '", "日本": {"語": ["🏃"]}},
    {"both forms": ["é", "e\u0301"]},
    {"nested": {"a": [[[{"b": {"c": [1, {"d": []}]}}]]]}, "empty": [{}, [], ""]},
    {"deep": json.loads("[" * 90 + "]" * 90)},
    {"lines": "one\ntwo\r\nthree\n"},
    {"z": 1, "a": 2, "M": 3},
    {"big": "x" * 300_000, "many": list(range(5000))},
]


def test_strange_keys_are_kept_apart(store: Store, other: Store) -> None:
    """I8: a name is data, whatever it looks like."""
    keys = [make_key("locks", name) for name in STRANGE_NAMES]
    assert len(set(keys)) == len(keys)
    versions = {key: created(store, key, {"name": key}) for key in keys}
    assert other.read().records == {k: Record(v, {"name": k}) for k, v in versions.items()}
    for key in keys:
        replaced(other, key, {"again": key}, versions[key])
    assert values(store) == {key: {"again": key} for key in keys}


@pytest.mark.parametrize("value", STRANGE_VALUES, ids=lambda value: repr(value)[:40])
def test_values_come_back_as_they_were(store: Store, other: Store, value: Value) -> None:
    key = make_key("locks", "value")
    version = created(store, key, {"before": 1})
    replaced(store, key, value, version)
    (back,) = values(other).values()
    # Compared as text: 1, 1.0 and True are equal in Python.
    assert json.dumps(back, sort_keys=True) == json.dumps(value, sort_keys=True)


def test_a_tuple_comes_back_as_a_list(store: Store) -> None:
    created(store, make_key("locks", "tuple"), {"pair": (1, (2,))})
    assert values(store) == {make_key("locks", "tuple"): {"pair": [1, [2]]}}


def test_a_prefix_is_plain_text(store: Store) -> None:
    names = ["a", "ab", "a/b", "A", "a%", "a_", "axb", "b", "\U0010ffff", "\U0010ffffx"]
    keys = {make_key("locks", name) for name in names} | {make_key("workers", "a")}
    for key in keys:
        created(store, key, {})
    prefixes = [
        "",
        "l",
        "locks",
        "locks/",
        "locks/a",
        "locks/a%",
        "locks/a_",
        "locks/A",
        "locks/ab",
    ]
    prefixes += ["locks/\U0010ffff", "workers/", "work", "m", "locks/a/", "zz", "%", "locks/abc"]
    for prefix in prefixes:
        expected = {key for key in keys if key.startswith(prefix)}
        assert store.read(prefix).records.keys() == expected, prefix


def test_a_value_given_or_got_can_be_changed_without_harm(store: Store, other: Store) -> None:
    """I3: the store's state changes by transactions only."""
    key = make_key("locks", "mine")
    given = {"list": [1]}
    version = created(store, key, given)
    given["list"].append(2)
    store.read().records[key].value["list"].append(3)
    assert store.read().records == other.read().records == {key: Record(version, {"list": [1]})}


def test_an_old_snapshot_does_not_change(store: Store, other: Store) -> None:
    """I6."""
    key = make_key("locks", "mine")
    version = created(store, key, {"n": 1})
    snapshot = store.read()
    replaced(other, key, {"n": 2}, version)
    created(other, make_key("workers", "new"), {})
    assert store.read().records.keys() == {key, make_key("workers", "new")}
    assert snapshot.records == {key: Record(version, {"n": 1})}


def test_everybody_reads_what_anybody_wrote_before(store: Store, other: Store) -> None:
    """No reader lags behind a commit that has returned."""
    key = make_key("locks", "turn")
    version = created(store, key, {"turn": 0})
    for turn in range(1, 9):
        writer, reader = (store, other) if turn % 2 else (other, store)
        version = won(put(writer, key, {"turn": turn}, version))[key]
        assert reader.read("locks/").records == {key: Record(version, {"turn": turn})}


def test_a_snapshot_says_when_it_was_taken(store: Store) -> None:
    """I5: in the observer's own elapsed time."""
    clock = SystemClock()
    before = clock.elapsed()
    snapshot = store.read()
    assert before <= snapshot.asked <= snapshot.answered <= clock.elapsed()


def test_upkeep_never_changes_what_is_read(store: Store, other: Store) -> None:
    """I3."""
    keys = [make_key(c, f"{c} {n}") for c in ("tasks", "locks") for n in range(3)]
    for key in keys:
        created(store, key, {"key": key})
    before = store.read().records
    store.tidy()
    store.tidy(force=True)
    assert store.read().records == other.read().records == before
