"""A version is the hash of its bytes: they are the same from every release and every way (I3)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gitbaton.core.ids import Oid
from gitbaton.store.gitengine.cards import Card, encode_card, read_card
from gitbaton.store.gitengine.envelope import FORMAT, Envelope, encode_envelope

texts = st.text(st.characters(exclude_categories=["Cs"]))
floats = st.floats(allow_nan=False, allow_infinity=False)
values = st.dictionaries(
    texts,
    st.recursive(
        st.none() | st.booleans() | st.integers() | floats | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=20,
    ),
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(value=values, subject=texts)
def test_records_and_cards_are_written_as_json_dumps_would(
    value: dict[str, Any], subject: str
) -> None:
    envelope = Envelope(
        format=FORMAT,
        key="tasks/a",
        seq=3,
        transaction="0" * 32,
        heartbeat=False,
        after=None,
        at="2026-01-01T00:00:00Z",
        actor="a",
        email="a@b",
        subject=subject,
        value=value,
    )
    plain = msgspec.to_builtins(envelope)
    body = encode_envelope(envelope)
    assert body == _dumped(plain)
    version = Oid("a" * 40)
    file = encode_card(version, body)
    assert file == _dumped({"record": plain, "version": version})
    card = read_card("tasks", "a", Oid("b" * 40), file)
    assert isinstance(card, Card)
    assert (card.version, card.seq) == (version, 3)
    assert json.dumps(card.content()[0]) == json.dumps(_sorted(value))
    assert encode_envelope(card.envelope()) == body


def _dumped(plain: object) -> bytes:
    return json.dumps(plain, indent=1, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _sorted(value: object) -> object:
    return json.loads(json.dumps(value, sort_keys=True))
