"""Trailers: added once, at the right place, without touching the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.ids import Oid
from gitbaton.git.objects import Person
from gitbaton.work.attribution import (
    Attribution,
    has_trailers,
    read_commit,
    with_trailers,
    write_commit,
)

WHO = Attribution("task-1", 3)
BLOCK = b"Baton-Task: task-1\nBaton-Epoch: 3\n"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"Subject", b"Subject\n\n" + BLOCK),
        (b"Subject\n\nBody.\n", b"Subject\n\nBody.\n\n" + BLOCK),
        (b"Subject\n\nSigned-off-by: A <a@b>\n", b"Subject\n\nSigned-off-by: A <a@b>\n" + BLOCK),
        (b"fix: a colon", b"fix: a colon\n\n" + BLOCK),
        (b"Subject\n\nNote: this\nis prose\n", b"Subject\n\nNote: this\nis prose\n\n" + BLOCK),
        (b"", b"(no message)\n\n" + BLOCK),
        (b"Subject\n\n---\nnot a patch\n", b"Subject\n\n---\nnot a patch\n\n" + BLOCK),
        (
            b"Subject\n\nBaton-Task: task-1\nBaton-Epoch: 2\n",
            b"Subject\n\nBaton-Task: task-1\nBaton-Epoch: 2\nBaton-Epoch: 3\n",
        ),
    ],
)
def test_trailers_are_added(message: bytes, expected: bytes) -> None:
    assert with_trailers(message, WHO) == expected


@given(st.binary())
def test_they_are_added_once(message: bytes) -> None:
    once = with_trailers(message, WHO)
    assert has_trailers(once, WHO)
    assert with_trailers(once, WHO) == once
    assert once.startswith(message.rstrip())


def test_another_epoch_is_not_this_one() -> None:
    assert not has_trailers(b"Subject\n\n" + BLOCK, Attribution("task-1", 4))


def test_a_copied_commit_keeps_author_encoding_and_message() -> None:
    tree, parent = "a" * 40, "b" * 40
    body = (
        f"tree {tree}\nparent {parent}\nauthor A <a@b> 5 +0200\ncommitter C <c@d> 6 +0000\n"
        "encoding latin1\ngpgsig -----BEGIN\n x\n -----END\n\n"
    ).encode() + b"caf\xe9\n\nbody\n"
    text = read_commit(body)
    assert (text.tree, text.parents) == (Oid(tree), (Oid(parent),))
    assert (
        write_commit(text, Person("W", "w@x", 7))
        == (
            f"tree {tree}\nparent {parent}\nauthor A <a@b> 5 +0200\ncommitter W <w@x> 7 +0000\n"
            "encoding latin1\n\n"
        ).encode()
        + b"caf\xe9\n\nbody\n"
    )
