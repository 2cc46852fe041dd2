"""What git prints about refs, and what it means."""

from __future__ import annotations

import pytest

from gitbaton.core.errors import InvalidInput
from gitbaton.core.ids import Oid
from gitbaton.git.answers import (
    UP_TO_DATE,
    is_ref_name,
    parse_listing,
    parse_push,
    printable,
    remote_lines,
    require_oid,
    require_ref_name,
)
from gitbaton.git.remote import PushState, RefResult, RefUpdate

A, B = Oid("a" * 40), Oid("b" * 40)
X, Y = "refs/baton/tasks/x", "refs/baton/tasks/y"
UPDATES = [RefUpdate(X, A, B), RefUpdate(Y, A, None)]


def answer(*lines: str, to: str = "/srv/r.git") -> str:
    return "\n".join([f"To {to}", *lines, "Done"])


@pytest.mark.parametrize("flag", [" ", "+", "*", "-"])
def test_what_moved_is_done(flag: str) -> None:
    text = answer(f"{flag}\t{B}:{X}\taaaaaaa..bbbbbbb")
    assert parse_push(text, UPDATES[:1], said="")[X] == RefResult(PushState.DONE)


def test_what_had_our_value_already_is_told_apart() -> None:
    text = answer(f"=\t{B}:{X}\t[up to date]")
    assert parse_push(text, UPDATES[:1], said="")[X] == RefResult(PushState.DONE, UP_TO_DATE)


@pytest.mark.parametrize(
    ("summary", "state"),
    [
        ("[rejected] (stale info)", PushState.STALE),
        ("[rejected] (fetch first)", PushState.STALE),
        ("[rejected] (non-fast-forward)", PushState.STALE),
        ("[rejected] (remote ref updated since checkout)", PushState.STALE),
        ("[remote rejected] (failed to update ref)", PushState.STALE),
        ("[remote rejected] (incorrect old value provided)", PushState.STALE),
        ("[remote rejected] (reference already exists)", PushState.STALE),
        ("[remote rejected] (cannot lock ref 'x': is at a but expected b)", PushState.STALE),
        ("[remote rejected] (failed to lock)", PushState.STALE),
        ("[remote rejected] (LOCK_FAILURE)", PushState.REFUSED),
        ("[remote rejected] (hook declined)", PushState.REFUSED),
        ("[remote rejected] (pre-receive hook declined)", PushState.REFUSED),
        ("[remote rejected] (protected branch hook declined)", PushState.REFUSED),
        ("[remote rejected] (deletion prohibited)", PushState.REFUSED),
        ("[remote rejected] (non-fast-forward)", PushState.REFUSED),
        ("[remote rejected] (deny updating a hidden ref)", PushState.REFUSED),
        ("[remote rejected] (missing necessary objects)", PushState.REFUSED),
        ("[remote rejected] (unpacker error)", PushState.REFUSED),
        ("[remote rejected] (something new)", PushState.REFUSED),
        ("[remote failure] (remote failed to report status)", PushState.UNKNOWN),
        ("[no match]", PushState.UNKNOWN),
        ("gibberish", PushState.UNKNOWN),
    ],
)
def test_each_refusal_has_its_meaning(summary: str, state: PushState) -> None:
    text = answer(f"!\t{B}:{X}\t{summary}")
    assert parse_push(text, UPDATES[:1], said="")[X].state is state


def test_bystanders_of_a_lost_race_were_not_sent() -> None:
    text = answer(
        f"!\t{B}:{X}\t[rejected] (stale info)", f"!\t:{Y}\t[rejected] (atomic push failed)"
    )
    fates = parse_push(text, UPDATES, said="")
    assert (fates[X].state, fates[Y].state) == (PushState.STALE, PushState.UNSENT)


def test_when_all_are_bystanders_any_may_have_lost() -> None:
    text = answer(
        f"!\t{B}:{X}\t[remote rejected] (atomic transaction failed)",
        f"!\t:{Y}\t[remote rejected] (atomic transaction failed)",
    )
    fates = parse_push(text, UPDATES, said="")
    assert {fate.state for fate in fates.values()} == {PushState.STALE}


@pytest.mark.parametrize("to", ["http://host/r.git", "https://host/r.git"])
def test_over_http_only_our_own_git_can_say_that_we_lost(to: str) -> None:
    here = answer(f"!\t{B}:{X}\t[rejected] (stale info)", to=to)
    assert parse_push(here, UPDATES[:1], said="")[X].state is PushState.STALE
    there = answer(
        f"!\t{B}:{X}\t[remote rejected] (failed to update ref)",
        f"!\t:{Y}\t[remote rejected] (atomic push failure)",
        to=to,
    )
    fates = parse_push(there, UPDATES, said="")
    assert {fate.state for fate in fates.values()} == {PushState.UNKNOWN}
    assert all(fate.answered for fate in fates.values()), "nothing of it comes later"
    hook = answer(
        f"!\t{B}:{X}\t[remote rejected] (hook declined)",
        f"!\t:{Y}\t[remote rejected] (atomic push failure)",
        to=to,
    )
    fates = parse_push(hook, UPDATES, said="")
    assert (fates[X].state, fates[Y].state) == (PushState.REFUSED, PushState.UNSENT)


def test_a_ref_without_a_line_is_unknown_and_foreign_lines_are_ignored() -> None:
    text = answer(f"*\t{B}:refs/heads/other\t[new branch]", f"*\t{B}:{X}x\t[new reference]")
    fates = parse_push(text, UPDATES, said="")
    assert set(fates) == {X, Y}
    assert {fate.state for fate in fates.values()} == {PushState.UNKNOWN}
    assert not any(fate.answered for fate in fates.values())


def test_a_refusal_carries_the_hooks_words_without_control_characters() -> None:
    stderr = "remote: \x1b[31mno pushes\x1b[0m on Friday\nremote:   ask Ada\x07\nerror: failed\n"
    said = remote_lines(stderr)
    assert said == "[31mno pushes[0m on Friday ask Ada"
    text = answer(f"!\t{B}:{X}\t[remote rejected] (hook declined)")
    assert parse_push(text, UPDATES[:1], said=said)[X].reason == f"hook declined: {said}"


def test_printable_keeps_the_end() -> None:
    assert printable("one\r\ntwo\x00\n\n three", limit=9) == "two three"


def test_a_listing_keeps_well_formed_names_under_the_prefixes() -> None:
    text = "\n".join(
        [
            f"{A}\tHEAD",
            f"{A}\t{X}",
            f"{B}\trefs/heads/main",
            f"{B}\trefs/heads/main^{{}}",
            f"{B}\trefs/baton/../../etc",
            f"{B}\trefs/baton/a b",
            f"{B}\trefs/baton/a.lock",
            f"{B[:12]}\trefs/baton/short",
            "warning: something else",
            "",
        ]
    )
    assert parse_listing(text, ["refs/baton/"]) == {X: A}
    assert parse_listing(text, ["refs/heads/", X]) == {X: A, "refs/heads/main": B}


@pytest.mark.parametrize(
    "name",
    [
        "", "main", "refs/", "refs//a", "/refs/a", "refs/a/", "refs/.a", "refs/a..b", "refs/a.",
        "refs/a.lock", "refs/a.lock/b", "refs/a b", "refs/a:b", "refs/a^b", "refs/a~1", "refs/a?",
        "refs/*", "refs/a[", "refs/a\\b", "refs/a@{1}", "refs/a\n", "refs/a\x7f", "+refs/a",
        "--refs/a",
    ],
)  # fmt: skip
def test_names_that_git_would_not_take(name: str) -> None:
    assert not is_ref_name(name)
    with pytest.raises(InvalidInput):
        require_ref_name(name)


@pytest.mark.parametrize("name", [X, "refs/heads/a-b_c.d", "refs/a/@", "refs/heads/größe"])
def test_names_that_git_takes(name: str) -> None:
    assert require_ref_name(name) == name


@pytest.mark.parametrize("text", ["", "HEAD", "a" * 39, "A" * 40, "--all", "a" * 40 + "\n"])
def test_what_is_no_object_id(text: str) -> None:
    with pytest.raises(InvalidInput):
        require_oid(text)
