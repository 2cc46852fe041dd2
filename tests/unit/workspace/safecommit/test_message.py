"""Messages, as ``git commit -m`` makes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.errors import InvalidInput, Refused
from gitbaton.workspace.safecommit.message import (
    clean,
    cleanup_mode,
    join_paragraphs,
    require_message,
    subject,
    with_task,
)

TEXT = st.lists(st.sampled_from([b"", b" ", b"x", b"# c", b"x \t", b"\r", b"A: b"])).map(b"\n".join)


@given(TEXT)
def test_cleaning_twice_is_cleaning_once(text: bytes) -> None:
    for how in ("strip", "whitespace", "verbatim"):
        once = clean(text, how)
        assert clean(once, how) == once


@given(TEXT)
def test_nothing_superfluous_is_left(text: bytes) -> None:
    tidy = clean(text, "whitespace")
    assert b"\n\n\n" not in tidy
    assert tidy == b"" or (tidy.endswith(b"\n") and not tidy.startswith(b"\n"))
    assert tidy.split() == text.split()
    assert b"#" not in clean(text, "strip").replace(b"x", b"")


@given(TEXT)
def test_the_task_is_noted_once(text: bytes) -> None:
    noted = with_task(clean(b"subject\n\n" + text, "whitespace"), "t-1")
    assert noted.splitlines()[-1] == b"Baton-Task: t-1"
    assert with_task(noted, "t-2") == noted
    assert noted.startswith(b"subject\n")


def test_paragraphs() -> None:
    assert join_paragraphs([b"a", b"b\n"]) == b"a\n\nb\n"
    assert subject(b"one\ntwo\n") == "one"


def test_settings() -> None:
    assert [cleanup_mode(word) for word in (None, "default", "scissors", "strip")] == [
        "whitespace",
        "whitespace",
        "whitespace",
        "strip",
    ]
    with pytest.raises(InvalidInput, match=r"commit\.cleanup"):
        cleanup_mode("sometimes")


def test_messages_that_say_nothing() -> None:
    with pytest.raises(Refused):
        require_message(b" \n\t\n")
    with pytest.raises(InvalidInput):
        require_message(b"a\0b")
