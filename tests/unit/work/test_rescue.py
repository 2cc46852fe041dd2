"""Rescues: kept here first, then on the remote; names that mean one commit for ever."""

from __future__ import annotations

from typing import cast

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import HostRefused, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.git.repository import CoordinationRepository
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import Actor, Outcome, Rejected, Rescue, Unknown
from gitbaton.work.outbox import Outbox
from gitbaton.work.rescue import Rescuer, kept_name, parse_kept
from tests.unit.tasks.desk import FakeBranches, Meddler

OID = Oid("a" * 40)
BOB = Actor("bob")


class Keeping:
    """What a coordination repository keeps."""

    def __init__(self) -> None:
        self.refs: dict[str, str] = {}

    def keep(self, name: str, oid: str) -> None:
        self.refs[name] = oid

    def release(self, name: str) -> None:
        del self.refs[name]

    def kept(self) -> dict[str, str]:
        return dict(self.refs)


class Bench:
    def __init__(self) -> None:
        clock = ManualClock()
        self.branches = FakeBranches()
        self.store = Meddler(MemoryStore(clock=clock, mover=self.branches))
        self.repository = Keeping()
        self.outbox = Outbox(MemoryStore(clock=clock), clock)
        repository = cast("CoordinationRepository", self.repository)
        self.rescuer = Rescuer(repository, self.store, self.outbox)

    def answer(self, outcome: Outcome) -> None:
        self.store.instead = lambda transactions: [outcome]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_rescue_is_kept_here_and_pushed(bench: Bench) -> None:
    saved = bench.rescuer.save("t1", 2, OID, actor=BOB)
    assert saved.pushed
    assert bench.branches.tips == {Rescue("t1", 2, OID): OID}
    assert bench.rescuer.kept() == {Rescue("t1", 2, OID): OID}
    assert bench.outbox.entries() == []


@pytest.mark.parametrize(
    "outcome", [Unknown("the link was cut"), Rejected("a hook", "refs/x", "refused")]
)
def test_what_cannot_be_pushed_waits(bench: Bench, outcome: Outcome) -> None:
    """I3: it is kept here, and the outbox remembers to push it."""
    bench.answer(outcome)
    saved = bench.rescuer.save("t1", 2, OID, actor=BOB)
    assert not saved.pushed
    assert bench.repository.refs == {f"rescue/t1/2-{OID}": OID}
    [entry] = bench.outbox.entries()
    assert (entry.kind, entry.task, entry.body["commit"]) == ("rescue", "t1", OID)


def test_pushing_twice_is_harmless(bench: Bench) -> None:
    rescue = Rescue("t1", 2, OID)
    bench.rescuer.push(rescue, actor=BOB)
    bench.rescuer.push(rescue, actor=BOB)
    assert bench.branches.tips == {rescue: OID}


def test_a_push_says_why_it_failed(bench: Bench) -> None:
    bench.answer(Rejected("never", "refs/x"))
    with pytest.raises(HostRefused, match="never"):
        bench.rescuer.push(Rescue("t1", 2, OID), actor=BOB)
    bench.answer(Unknown("cut"))
    with pytest.raises(RemoteUnreachable):
        bench.rescuer.push(Rescue("t1", 2, OID), actor=BOB)


def test_names_of_what_is_kept() -> None:
    rescue = Rescue("a-b.c", 12, OID)
    assert parse_kept(kept_name(rescue)) == rescue
    for other in ("queued/t1-e1", "archive", "rescue/t1", "rescue/t1/x-y", f"rescue/t1/-{OID}"):
        assert parse_kept(other) is None, other


def test_forgetting(bench: Bench) -> None:
    bench.rescuer.save("t1", 2, OID, actor=BOB)
    bench.repository.keep("queued/t2-e1", OID)
    bench.rescuer.forget(Rescue("t1", 2, OID))
    assert bench.repository.refs == {"queued/t2-e1": OID}
