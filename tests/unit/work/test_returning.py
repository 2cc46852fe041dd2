"""Claims of dead workers are given back at once, by their token, and once (I1, I4)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gitbaton.core.errors import RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.core.process import Process
from gitbaton.store.memory import MemoryStore
from gitbaton.tasks.claims import Claimed, Token
from gitbaton.work.outbox import Outbox
from gitbaton.work.record import ClaimRecord, Phase
from gitbaton.work.returning import DIED, Returner
from tests.unit.tasks.desk import OID, Desk, who

DEAD = Process(pid=1, start="never", origin="test-boot")


class Bench:
    """A claim whose worker is dead, and who gives it back."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.outbox = Outbox(MemoryStore(clock=self.desk.clock), self.desk.clock)
        self.desk.add("t1")
        [self.claimed] = self.desk.queue.claim(who("dead"))
        self.kept: dict[str, str] = {}
        self.returner = Returner(
            keep=self.kept.__setitem__,
            queue=self.desk.queue,
            outbox=self.outbox,
            clock=self.desk.clock,
            grace=1.0,
        )

    def record(self, claimed: Claimed | None = None, **changes: Any) -> ClaimRecord:
        token: Token = (claimed or self.claimed).token
        record = ClaimRecord(
            task=token.task,
            epoch=token.epoch,
            nonce=token.nonce,
            owner=DEAD,
            phase=Phase.MAKING,
            path="/nowhere",
            branch="work/t1-e1",
            base=Oid(""),
            start=Oid(""),
        )
        return msgspec.structs.replace(record, **changes)

    def waiting(self) -> list[tuple[str, str]]:
        return [(entry.kind, entry.body["token"]) for entry in self.outbox.entries()]


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("phase", list(Phase))
def test_its_end_is_queued_whatever_became_of_the_worktree(bench: Bench, phase: Phase) -> None:
    entry = bench.returner.give_back(bench.record(phase=phase))
    assert entry is not None
    assert bench.waiting() == [("fail", str(bench.claimed.token))]
    assert entry.body["reason"] == DIED
    assert entry.owner is None, "whoever empties the outbox may send it"


def test_it_is_queued_once(bench: Bench) -> None:
    """I4: killed after that, the next one finds the record as it was, and the entry."""
    bench.returner.give_back(bench.record())
    assert bench.returner.give_back(bench.record()) is None
    assert len(bench.waiting()) == 1


def test_a_result_that_waits_ends_the_claim_itself(bench: Bench) -> None:
    """I3: killed while it landed, its commit is kept before the worktree may go."""
    body = {"token": str(bench.claimed.token), "commit": OID}
    bench.outbox.put("land", "t1", body, owner=DEAD)
    assert bench.returner.give_back(bench.record()) is None
    assert bench.kept == {"queued/t1-e1": OID}
    assert [kind for kind, _ in bench.waiting()] == ["land"]


def test_a_claim_that_ended_or_is_anothers_by_now_is_let_be(bench: Bench) -> None:
    bench.desk.queue.release(bench.claimed.token, "by hand")
    assert bench.returner.give_back(bench.record()) is None
    [second] = bench.desk.queue.claim(who("alive"))
    assert bench.returner.give_back(bench.record()) is None
    assert bench.waiting() == []
    assert bench.desk.queue.check(second.token)


def test_a_task_that_is_gone_is_no_claim(bench: Bench) -> None:
    assert bench.returner.give_back(bench.record(task="t9")) is None


def test_while_the_remote_is_away_it_waits(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(token: Token) -> Claimed:
        raise RemoteUnreachable("the network is down")

    monkeypatch.setattr(bench.desk.queue, "check", away)
    assert bench.returner.give_back(bench.record()) is not None
    assert len(bench.waiting()) == 1
