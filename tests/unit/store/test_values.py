"""Values as bytes: what comes back is what went in, or it does not go in."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.errors import DamagedRecord, InvalidInput
from gitbaton.store.model import ABSENT, Actor, Key, Transaction, make_key
from gitbaton.store.values import MAX_DEPTH, decode_value, encode_value, encode_writes

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_every_json_object_comes_back(value: dict[str, Any]) -> None:
    back = decode_value(encode_value(value))
    assert json.dumps(back, sort_keys=True) == json.dumps(value, sort_keys=True)


@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_equal_objects_have_equal_bytes(value: dict[str, Any]) -> None:
    turned = dict(reversed(value.items()))
    assert encode_value(turned) == encode_value(value)


def test_any_mapping_is_an_object() -> None:
    assert encode_value(MappingProxyType({"a": MappingProxyType({})})) == b'{"a":{}}'


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": {"b": [0, float("nan")]}}, "value.a.b[1]: nan is no JSON number"),
        ({"a": b""}, "value.a: a bytes cannot be kept"),
        ({"a": {1: 2}}, "value.a: the name 1 is no string"),
        ({"a": "\ud800"}, "value.a: .* no Unicode text"),
        ({"\udfff": 1}, "value: .* no Unicode text"),
    ],
)
def test_what_would_not_come_back_is_refused_by_its_place(
    value: dict[str, Any], place: str
) -> None:
    with pytest.raises(InvalidInput, match=place.replace("[", r"\[")):
        encode_value(value)


def test_there_is_a_depth_that_all_decoders_can_follow() -> None:
    value: dict[str, Any] = {}
    for _ in range(MAX_DEPTH):
        value = {"in": value}
    assert decode_value(encode_value(value)) == value
    with pytest.raises(InvalidInput, match="nested more than 100 deep"):
        encode_value({"in": value})


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"7", b'{"a":1}x', b"\xff", b'{"a":"\xff"}', b"[" * 10**5]
)
def test_other_bytes_are_damaged(data: bytes) -> None:
    with pytest.raises(DamagedRecord, match="not a JSON object"):
        decode_value(data)


@pytest.mark.parametrize("field", ["key", "subject", "actor", "email"])
def test_every_text_of_a_transaction_is_checked(field: str) -> None:
    bad = "x\ud800"
    key = make_key("locks", bad if field == "key" else "x")
    transaction = Transaction(
        expect={key: ABSENT},
        write={key: {}},
        subject=bad if field == "subject" else "x",
        actor=Actor(bad if field == "actor" else "x", bad if field == "email" else "x"),
    )
    with pytest.raises(InvalidInput) as caught:
        encode_writes(transaction)
    assert caught.value.field == field


def test_a_bad_value_is_named_by_its_key() -> None:
    key: Key = make_key("tasks", "a")
    transaction = Transaction(
        expect={key: ABSENT}, write={key: {"n": [set()]}}, subject="x", actor=Actor("x")
    )
    with pytest.raises(InvalidInput, match=r"tasks/a\.n\[0\]: a set cannot be kept"):
        encode_writes(transaction)
