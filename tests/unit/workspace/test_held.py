"""Who may use a stored token: the rule alone, then the records."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.clock import ManualClock
from gitbaton.core.process import Process
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import ABSENT, Actor, Key, Transaction
from gitbaton.workspace.held import HeldClaim, HeldClaims, Session, find_objection

SHELL = Process(100, "1", "boot")
OTHER_SHELL = Process(200, "2", "boot")


def held(task: str = "t", **session: object) -> HeldClaim:
    who = Session(None, None, SHELL)
    return HeldClaim(
        task=task,
        epoch=1,
        token=f"{task}:1:{'0' * 32}",
        holder="ann",
        session=replace(who, **session),  # type: ignore[arg-type]
        lease=900.0,
        seen=1000.0,
        origin="test-boot",
    )


def objection(
    wanted: HeldClaim, me: Session, *others: HeldClaim, dead: tuple[Process, ...] = ()
) -> str | None:
    return find_objection(
        wanted, me=me, current=(wanted, *others), alive=lambda process: process not in dead
    )


ME = Session(None, None, SHELL)


def test_alone_and_without_a_name_i_am_myself() -> None:
    assert objection(held(), ME) is None
    assert objection(held(), ME, held("u")) is None


def test_another_login_session_is_another_one_while_it_lives() -> None:
    mine = Session(None, None, OTHER_SHELL)
    assert objection(held(), mine) is not None
    assert objection(held(), mine, dead=(SHELL,)) is None
    assert objection(held(), ME, held("u", leader=OTHER_SHELL)) is not None
    assert objection(held(), ME, held("u", leader=OTHER_SHELL), dead=(OTHER_SHELL,)) is None


@pytest.mark.parametrize("name", ["name", "agent"])
def test_a_named_session_is_known_by_its_name_alone(name: str) -> None:
    mine = replace(ME, **{name: "one"}, leader=OTHER_SHELL)
    assert objection(held(**{name: "one"}), mine, held("u", name="x")) is None
    assert objection(held(**{name: "two"}), mine) is not None
    assert objection(held(), mine) is not None, "claimed before the name was set"
    assert objection(held(**{name: "one"}), ME) is not None, "claimed under a name"


def test_a_named_session_makes_the_nameless_show_their_token() -> None:
    assert objection(held(), ME, held("u", agent="bot")) is not None


def test_a_claim_of_before_namespaces_is_its_own_shells_still() -> None:
    mine = Session(None, None, replace(SHELL, namespace="7"))
    assert objection(held(), mine) is None
    assert objection(held(leader=replace(SHELL, namespace="8")), mine) is not None


def test_no_leader_to_be_seen_is_no_other_session() -> None:
    nobody = Session(None, None, None)
    assert objection(held(leader=None), nobody) is None


names = st.none() | st.sampled_from(["a", "b"])
sessions = st.builds(Session, names, names, st.none() | st.sampled_from([SHELL, OTHER_SHELL]))


@given(wanted=sessions, me=sessions, other=sessions)
def test_what_the_environment_says_must_always_be_the_same(
    wanted: Session, me: Session, other: Session
) -> None:
    claim = replace(held(), session=wanted)
    verdict = objection(claim, me, replace(held("u"), session=other))
    if wanted.declared != me.declared:
        assert verdict is not None
    elif me.declared != (None, None):
        assert verdict is None


def desk() -> tuple[HeldClaims, MemoryStore, ManualClock]:
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    return HeldClaims(store, clock), store, clock


def test_claims_are_kept_replaced_and_dropped_by_epoch() -> None:
    claims, _, _ = desk()
    claims.keep(held())
    claims.keep(replace(held(), epoch=2))
    assert [claim.epoch for claim in claims.all()] == [2]
    claims.drop("t", 1)
    assert claims.find("t") is not None, "a late clean-up must not take the next claim's token"
    claims.drop("t", 2)
    assert claims.all() == []


def test_a_renewal_is_noted_for_the_claim_that_was_renewed() -> None:
    claims, _, clock = desk()
    claims.keep(held())
    clock.advance(800)
    claims.touch("t", 2)
    assert claims.all()[0].seen == 1000.0
    claims.touch("t", 1)
    clock.advance(800)
    [claim] = claims.all()
    assert claim.is_current(elapsed=clock.elapsed(), origin=clock.origin)
    clock.advance(101)
    assert not claim.is_current(elapsed=clock.elapsed(), origin=clock.origin)
    assert not claim.is_current(elapsed=1000.0, origin="another boot")


def test_an_expired_claim_of_others_is_no_active_session() -> None:
    claims, _, clock = desk()
    claims.keep(held("mine", leader=None))
    claims.keep(held("theirs", agent="bot"))
    mine = claims.find("mine")
    assert mine is not None
    me = Session(None, None, None)
    assert claims.objection(mine, me) is not None
    clock.advance(901)
    assert claims.objection(mine, me) is None


def test_a_record_that_cannot_be_read_is_no_token() -> None:
    claims, store, _ = desk()
    key = Key("claims/t")
    store.commit(
        [Transaction(expect={key: ABSENT}, write={key: {"task": 3}}, subject="x", actor=Actor("x"))]
    )
    assert claims.all() == []
