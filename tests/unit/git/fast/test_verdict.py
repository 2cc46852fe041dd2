"""Who won, from what a server showed and said."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.ids import Oid
from gitbaton.git.answers import UP_TO_DATE
from gitbaton.git.fast.receive import Advertisement, Report
from gitbaton.git.fast.verdict import read_report, settle, unserved
from gitbaton.git.remote import PushState, RefResult, RefUpdate

A, B, C = (Oid(letter * 40) for letter in "abc")
X, Y = "refs/baton/tasks/x", "refs/heads/y"
DONE, STALE, REFUSED, UNKNOWN, UNSENT = (
    PushState.DONE,
    PushState.STALE,
    PushState.REFUSED,
    PushState.UNKNOWN,
    PushState.UNSENT,
)
VALUES = [None, A, B, C]


def shown(refs: dict[str, Oid], *capabilities: str) -> Advertisement:
    return Advertisement(refs, dict.fromkeys((*capabilities, "report-status"), ""))


@pytest.mark.parametrize(("there", "old", "new"), list(product(VALUES, VALUES, VALUES)))
def test_one_update_under_every_circumstance(
    there: Oid | None, old: Oid | None, new: Oid | None
) -> None:
    if old == new:
        return  # RefUpdate cannot say it
    update = RefUpdate(X, old, new)
    seen = shown({} if there is None else {X: there}, "delete-refs")
    choice = settle([update], seen, atomic=False)
    if new is not None and there == new:
        assert choice.settled == {X: RefResult(DONE, UP_TO_DATE)}
    elif there == old:
        assert choice.send == [update]
        assert not choice.settled
    else:
        assert choice.settled[X].state is STALE
        assert not choice.send


def test_without_delete_refs_nothing_is_deleted() -> None:
    choice = settle([RefUpdate(X, A, None)], shown({X: A}), atomic=False)
    assert choice.settled[X].state is REFUSED
    assert not choice.send


def test_without_atomic_nothing_dependent_is_sent() -> None:
    updates = [RefUpdate(X, A, B), RefUpdate(Y, None, B)]
    choice = settle(updates, shown({X: A}), atomic=True)
    assert {fate.state for fate in choice.settled.values()} == {UNSENT}
    assert not choice.send


def test_one_stale_update_keeps_its_companions_from_being_sent() -> None:
    updates = [RefUpdate(X, A, B), RefUpdate(Y, None, B)]
    choice = settle(updates, shown({X: C}, "atomic"), atomic=True)
    assert {r: f.state for r, f in choice.settled.items()} == {X: STALE, Y: UNSENT}
    assert not choice.send
    choice = settle(updates, shown({X: C}), atomic=False)
    assert choice.send == updates[1:]


def test_what_is_there_already_does_not_keep_its_companions() -> None:
    updates = [RefUpdate(X, A, B), RefUpdate(Y, None, B)]
    choice = settle(updates, shown({X: B}, "atomic"), atomic=True)
    assert choice.send == updates[1:]
    assert choice.settled == {X: RefResult(DONE, UP_TO_DATE)}


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("failed to update ref", STALE),
        ("incorrect old value provided", STALE),
        ("reference already exists", STALE),
        ("hook declined", REFUSED),
        ("deny updating a hidden ref", REFUSED),
        ("missing necessary objects", REFUSED),
        ("a word\tthat no git has ever said", REFUSED),
    ],
)
def test_a_refused_ref(reason: str, state: PushState) -> None:
    fates = read_report(
        Report("ok", {X: reason, Y: None}), [RefUpdate(X, A, B), RefUpdate(Y, A, B)]
    )
    assert fates[X].state is state
    assert fates[Y] == RefResult(DONE)


def test_what_is_not_reported_is_unknown() -> None:
    assert read_report(Report("ok", {}), [RefUpdate(X, A, B)])[X].state is UNKNOWN


def test_a_failed_transaction_that_blames_nobody_is_a_lost_race() -> None:
    both = {X: "atomic transaction failed", Y: "atomic transaction failed"}
    fates = read_report(Report("ok", both), [RefUpdate(X, A, B), RefUpdate(Y, A, B)])
    assert {fate.state for fate in fates.values()} == {STALE}


def test_a_refusal_repeats_the_hosts_words_without_their_colours() -> None:
    report = Report("ok", {X: "pre-receive hook declined"}, "only \033[31magents\n")
    fate = read_report(report, [RefUpdate(X, A, B)])[X]
    assert fate.reason == "pre-receive hook declined: only [31magents"


def test_a_pack_that_could_not_be_read_is_named() -> None:
    report = Report("index-pack abnormal exit", {X: "unpacker error"})
    assert "index-pack abnormal exit" in read_report(report, [RefUpdate(X, A, B)])[X].reason


HOSTILE = st.text(max_size=40)


@given(st.dictionaries(st.sampled_from([X, Y]) | HOSTILE, st.none() | HOSTILE, max_size=5))
def test_no_words_make_a_win_of_a_refusal(refs: dict[str, str | None]) -> None:
    """I1: only an ``ok`` for this very ref is a win."""
    fates = read_report(Report("ok", refs), [RefUpdate(X, A, B), RefUpdate(Y, A, B)])
    for ref, fate in fates.items():
        assert (fate.state is DONE) == (ref in refs and refs[ref] is None)


def test_what_the_server_lacked_objects_for_may_be_sent_in_another_way() -> None:
    updates = [RefUpdate(X, A, B), RefUpdate(Y, A, B)]
    lacking = Report("ok", {X: "missing necessary objects", Y: None})
    assert unserved(lacking, updates, atomic=False) == updates[:1]
    # Of an atomic push that was applied in part nothing is sent again: the caller must look.
    assert unserved(lacking, updates, atomic=True) == []
    none = Report("ok", {X: "missing necessary objects", Y: "atomic push failure"})
    assert unserved(none, updates, atomic=True) == updates
    assert unserved(Report("ok", {X: "missing necessary objects"}), updates, atomic=True) == []
    assert unserved(Report("ok", {X: "hook declined"}), updates, atomic=False) == []
