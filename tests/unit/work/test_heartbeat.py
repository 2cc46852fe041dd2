"""Heartbeats: all claims in one renewal, in time, and what is lost is remembered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gitbaton.core.errors import RemoteUnreachable
from gitbaton.store.model import Conflict, Transaction
from gitbaton.tasks.claims import Token
from gitbaton.tasks.model import Task
from gitbaton.work.heartbeat import Heartbeats
from tests.unit.tasks.desk import ANN, Desk, who

LEASE = 90.0


class Office:
    """A desk with claims, and how often they were renewed."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.calls: list[set[str]] = []
        self.away = False
        self.error: Exception = RemoteUnreachable("gone")
        self.hearts = Heartbeats(self, self.desk.clock)  # type: ignore[arg-type]

    def renew(self, tokens: Sequence[Token]) -> Mapping[Token, Task | Exception]:
        self.calls.append({token.task for token in tokens})
        if self.away:
            raise self.error
        return self.desk.queue.renew(tokens)

    def renewals(self, tokens: Sequence[Token]) -> Mapping[Token, Transaction]:
        return self.desk.queue.renewals(tokens)

    def claim(self, id: str) -> Token:
        self.desk.add(id)
        [claimed] = self.desk.queue.claim(who(), ids=[id], lease=LEASE)
        self.hearts.add(claimed.token, LEASE)
        return claimed.token

    def after(self, seconds: float) -> None:
        self.desk.clock.advance(seconds)
        self.hearts.beat()


def test_every_third_of_a_lease_all_are_renewed_together() -> None:
    office = Office()
    office.claim("t1")
    office.after(LEASE / 6)
    assert office.calls == []
    office.claim("t2")
    office.after(LEASE / 6)
    assert office.calls == [{"t1", "t2"}], "the younger one along with it"
    office.after(LEASE / 6)
    assert len(office.calls) == 1
    office.after(LEASE / 6)
    assert len(office.calls) == 2


def test_a_renewed_claim_is_not_reaped() -> None:
    office = Office()
    office.claim("t1")
    for _ in range(20):
        office.after(LEASE / 3)
        assert office.desk.other.reap() == []


def test_nothing_ends_the_heartbeats() -> None:
    """I4: the machine is out of processes for a moment; the claims must not lapse for it."""
    office = Office()
    office.claim("t1")
    office.away, office.error = True, BlockingIOError(11, "Resource temporarily unavailable")
    office.after(LEASE / 3)
    office.away = False
    office.after(5.0)
    assert len(office.calls) == 2
    assert office.desk.other.reap() == []


def test_while_the_remote_is_away_it_is_tried_again_soon() -> None:
    office = Office()
    token = office.claim("t1")
    office.away = True
    office.after(LEASE / 3)
    office.after(1.0)
    office.after(4.0)
    assert len(office.calls) == 2
    assert office.hearts.lost(token) is None, "an outage takes no claim away"
    office.away = False
    office.after(5.0)
    office.after(5.0)
    assert len(office.calls) == 3


def test_a_lost_claim_is_remembered_and_left_alone() -> None:
    office = Office()
    token, other = office.claim("t1"), office.claim("t2")
    office.desk.other.cancel("t1", "not wanted", actor=ANN)
    office.after(LEASE / 3)
    lost = office.hearts.lost(token)
    assert lost is not None
    assert "cancelled" in lost
    assert office.hearts.lost(other) is None
    office.after(LEASE / 3)
    assert office.calls[-1] == {"t2"}
    office.hearts.remove(token)
    assert office.hearts.lost(token) is None


def test_what_has_ended_is_not_renewed() -> None:
    office = Office()
    token = office.claim("t1")
    office.hearts.remove(token)
    office.after(LEASE)
    assert office.calls == []


def test_the_thread_ends_with_the_worker() -> None:
    office = Office()
    with office.hearts:
        assert office.hearts._thread.is_alive()
    assert not office.hearts._thread.is_alive()


def test_a_claim_that_is_being_ended_is_left_alone_but_not_for_ever() -> None:
    """Its end is not overtaken by its own renewal; one that hangs does not cost the claim."""
    office = Office()
    token, _ = office.claim("t1"), office.claim("t2")
    with office.hearts.hold(token):
        assert office.hearts.spare() == LEASE / 3
        office.after(LEASE / 3)
        assert office.calls == [{"t2"}]
        assert office.hearts.spare() == 0.0
        office.after(LEASE / 2)
        assert office.calls[1:] == [{"t1", "t2"}], "it has a sixth of its lease left"
    office.after(LEASE / 3)
    assert office.calls[2:] == [{"t1", "t2"}]


def test_nothing_is_held_when_nothing_is_ended() -> None:
    office = Office()
    office.claim("t1")
    assert office.hearts.spare() == math.inf


def test_what_is_due_soon_rides_along_with_a_push_that_leaves_anyway() -> None:
    office = Office()
    office.claim("t1")
    office.after(LEASE / 6)
    office.claim("t2")
    [rider] = office.hearts.riders()
    [outcome] = office.desk.store.commit([rider.transaction])
    rider.settle(outcome)
    assert office.hearts.riders() == ()
    office.after(LEASE / 6)
    assert office.calls == [], "nothing is due any more"
    office.after(LEASE / 6)
    assert office.calls == [{"t1", "t2"}]


def test_a_rider_that_was_not_carried_is_renewed_when_it_is_due() -> None:
    office = Office()
    token = office.claim("t1")
    office.desk.clock.advance(LEASE / 6)
    [rider] = office.hearts.riders()
    rider.settle(Conflict({}))
    office.after(LEASE / 6)
    assert office.calls == [{"t1"}]
    with office.hearts.hold(token):
        office.desk.clock.advance(LEASE / 6)
        assert office.hearts.riders() == (), "what is being ended does not ride"
