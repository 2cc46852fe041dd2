"""What may be sent, by what a copy is known, and where it may go."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.errors import InvalidInput
from gitbaton.git.fast.address import SshAddress
from gitbaton.plans.inbox.addresses import Destination, parse_destination
from gitbaton.plans.inbox.drafts import TEXT_LIMIT, digest, handle, make_draft
from gitbaton.plans.inbox.lines import parse_line, split_lines

FIELDS: dict[str, Any] = {
    "sender": "ada",
    "text": "hello",
    "box": "~/shop",
    "id": "m-1",
    "task": "shop.api",
    "task_epoch": 2,
    "dedup_key": "k",
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sender", ""),
        ("sender", "two\nlines"),
        ("sender", "x" * 101),
        ("sender", "<x>"),
        ("text", "x" * (TEXT_LIMIT + 1)),
        ("text", "\ud800"),
        ("box", "two\nlines"),
        ("id", " "),
        ("id", "x" * 201),
        ("id", "\x1b[2J"),
        ("task", "../x"),
        ("task_epoch", -1),
        ("dedup_key", ""),
    ],
)
def test_what_may_not_be_sent(field: str, value: object) -> None:
    """I8."""
    with pytest.raises(InvalidInput):
        make_draft(**{**FIELDS, field: value})


def test_a_message_says_something_or_names_a_task() -> None:
    make_draft(sender="ada", text="", task="t")
    with pytest.raises(InvalidInput, match="says something"):
        make_draft(sender="ada", text=" ")
    with pytest.raises(InvalidInput, match="belongs to a task"):
        make_draft(sender="ada", text="x", task_epoch=1)


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_but_the_id_is_part_of_the_content(field: str) -> None:
    other = {**FIELDS, field: {"task": "b", "task_epoch": 3}.get(field, "another")}
    same = digest(make_draft(**FIELDS)) == digest(make_draft(**other))
    assert same == (field in ("id", "sender"))
    by_content = handle(make_draft(**{**FIELDS, "id": None}))
    assert by_content != handle(make_draft(**{**other, "id": None})) or field == "id"


def test_the_id_decides_where_there_is_one() -> None:
    named = make_draft(**FIELDS)
    assert handle(named) == handle(make_draft(**{**FIELDS, "text": "other"}))
    assert handle(named) != handle(make_draft(**{**FIELDS, "sender": "bob"}))
    assert handle(named) != handle(make_draft(**{**FIELDS, "id": "m-2"}))


@given(
    st.lists(
        st.tuples(st.text(max_size=3), st.none() | st.text(min_size=1, max_size=3)), max_size=6
    )
)
def test_no_two_messages_share_a_handle(pairs: list[tuple[str, str | None]]) -> None:
    """Also where the parts run into each other when they are only joined."""
    drafts = []
    for text, id in pairs:
        try:
            drafts.append(make_draft(sender="ada", text=f"x{text}", id=id))
        except InvalidInput:
            continue
    identities = {draft.id if draft.id is not None else ("content", draft.text) for draft in drafts}
    assert len({handle(draft) for draft in drafts}) == len(identities)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".", Destination(None)),
        (".:~/shop", Destination(None, "~/shop")),
        ("gpu-1", Destination(SshAddress("gpu-1", ""))),
        ("ada@gpu-1", Destination(SshAddress("gpu-1", "", "ada"))),
        ("gpu-1:work/shop", Destination(SshAddress("gpu-1", ""), "work/shop")),
        ("ada@gpu-1:/srv/x y", Destination(SshAddress("gpu-1", "", "ada"), "/srv/x y")),
        ("ssh://ada@[::1]:2200", Destination(SshAddress("::1", "", "ada", 2200))),
        ("ssh://gpu-1:2200/srv/x", Destination(SshAddress("gpu-1", "", None, 2200), "/srv/x")),
        ("laptop", Destination(SshAddress("10.0.0.7", "", "bob"), "shop", "/opt/baton")),
    ],
)
def test_addresses(text: str, expected: Destination) -> None:
    laptop = Destination(SshAddress("10.0.0.7", "", "bob"), "shop", "/opt/baton")
    workers = {"laptop": laptop}
    assert parse_destination(text, workers.get) == expected


@pytest.mark.parametrize(
    "text", ["", "-oProxyCommand=id", "a b", "a@-b", "/srv/x", "https://x/y", "x\ny", "$(id)"]
)
def test_what_is_no_address(text: str) -> None:
    """I8: an address is never an option of ssh."""
    with pytest.raises(InvalidInput):
        parse_destination(text)


def test_a_line_is_a_message() -> None:
    line = b'{"id":"1","from":"ci","text":"hi","task":"t","epoch":3,"dedup_key":"k","to":"x"}'
    assert parse_line(line) == make_draft(
        sender="ci", text="hi", box="x", id="1", task="t", task_epoch=3, dedup_key="k"
    )
    assert parse_line(b'{"text": "hi"}') == make_draft(sender="file", text="hi")
    assert parse_line(b" \r") is None


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'"x"',
        b"{}",
        b'{"text": 1}',
        b'{"text": "x", "txet": "x"}',
        b'{"text": "\xff"}',
        b"[" * 100_000,
        b'{"text": "x", "from": "\\u0000"}',
        b'{"text": "x", "task": "../x"}',
    ],
)
def test_a_line_that_is_no_message(line: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_line(line)


@given(st.lists(st.binary(max_size=5)))
def test_whole_lines_only(parts: list[bytes]) -> None:
    data = b"\n".join(parts)
    lines, rest = split_lines(data)
    assert b"".join(line + b"\n" for line in lines) + rest == data
    assert b"\n" not in rest
