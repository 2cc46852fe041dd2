"""Workers announce themselves, beat and leave; observers see who is lost, on their own clock."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.core.errors import HostRefused, OutcomeUnknown
from gitbaton.plans.registry.presence import Presence, Sighted
from gitbaton.plans.registry.pulse import Pulse
from gitbaton.plans.registry.record import Address, State, WorkerRecord
from gitbaton.plans.registry.registry import NameTaken, Registry, Replaced
from gitbaton.plans.registry.vitals import Vitals
from gitbaton.plans.registry.watching import Watch
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import Actor, Key, Outcome, Rejected, Transaction, Unknown
from gitbaton.store.protocol import Store
from tests.unit.tasks.desk import Meddler

WORKER = WorkerRecord(name="w1", machine="m1", capabilities=("linux",), slots=2, interval=30.0)


class Hall:
    """One remote in memory; machines with clocks of their own look at it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.memory = MemoryStore(clock=self.clock)
        self.store = Meddler(self.memory)
        self.registry = self.join(self.store, self.clock)

    def join(
        self,
        store: Store | None = None,
        clock: ManualClock | None = None,
        local: Store | None = None,
    ) -> Registry:
        """Return the registry as another machine sees it."""
        clock = clock or ManualClock(start=5.0, origin="elsewhere")
        watch = Watch(local or MemoryStore(clock=clock), clock, "remote")
        return Registry(store or self.memory, clock, watch, Actor("w1"))

    def seen(self, name: str = "w1") -> Sighted:
        """Look now."""
        return self.registry.list().found[name]


@pytest.fixture
def hall() -> Hall:
    return Hall()


def test_a_worker_announces_itself_beats_and_leaves(hall: Hall) -> None:
    post = hall.registry.announce(WORKER)
    seen = hall.seen()
    assert (seen.presence, seen.worker.beat, seen.available) == (Presence.SERVING, 1, True)
    hall.registry.beat(post, Vitals(busy=["a", "b"], load=0.5))
    seen = hall.seen()
    assert (seen.worker.busy, seen.worker.load, seen.worker.beat) == (("a", "b"), 0.5, 2)
    assert not seen.available, "all slots are taken"
    hall.registry.beat(post, Vitals(draining=True))
    assert hall.seen().presence is Presence.DRAINING
    hall.registry.withdraw(post)
    assert (hall.seen().presence, hall.seen().worker.busy) == (Presence.GONE, ())


def test_a_beat_is_one_write_without_a_look(hall: Hall) -> None:
    post = hall.registry.announce(WORKER)
    hall.store.commits.clear()
    hall.store.after_read = lambda: pytest.fail("it looked")
    for _ in range(3):
        hall.registry.beat(post, Vitals())
    [[beat], *others] = hall.store.commits
    assert (beat.heartbeat, list(beat.write), len(others)) == (True, ["workers/w1"], 2)


def test_a_worker_is_lost_when_three_beats_were_missed_on_this_observers_clock(hall: Hall) -> None:
    """I5: no clock of another machine is asked; what counts is what this one watched."""
    hall.registry.announce(WORKER)
    hall.clock.jump_wall(86400.0)
    for expected in [Presence.SERVING] * 3 + [Presence.LOST]:
        assert hall.seen().presence is expected
        hall.clock.advance(31.0)


def test_an_outage_of_the_observer_loses_nobody(hall: Hall) -> None:
    hall.registry.announce(WORKER)
    hall.seen()
    hall.clock.advance(86400.0)
    seen = hall.seen()
    assert (seen.presence, seen.watched) == (Presence.SERVING, 30.0)


def test_a_beat_starts_the_watch_anew(hall: Hall) -> None:
    post = hall.registry.announce(WORKER)
    for _ in range(5):
        hall.seen()
        hall.clock.advance(29.0)
        hall.seen()
        hall.registry.beat(post, Vitals())
    assert hall.seen().presence is Presence.SERVING


def test_who_has_taken_leave_is_not_lost(hall: Hall) -> None:
    hall.registry.withdraw(hall.registry.announce(WORKER))
    for _ in range(6):
        hall.clock.advance(31.0)
        assert hall.seen().presence is Presence.GONE


def test_sights_are_kept_between_runs(hall: Hall) -> None:
    hall.registry.announce(WORKER)
    local = MemoryStore(clock=hall.clock)
    for _ in range(4):
        sighted = hall.join(clock=hall.clock, local=local).list().found["w1"]
        hall.clock.advance(31.0)
    assert sighted.presence is Presence.LOST
    rebooted = ManualClock(origin="after-reboot")
    assert hall.join(clock=rebooted, local=local).list().found["w1"].watched == 0.0


def test_a_second_session_replaces_the_first_on_the_same_machine(hall: Hall) -> None:
    first = hall.registry.announce(WORKER)
    second = hall.registry.announce(WORKER)
    with pytest.raises(Replaced):
        hall.registry.beat(first, Vitals())
    with pytest.raises(Replaced):
        hall.registry.withdraw(first)
    hall.registry.beat(second, Vitals())
    assert hall.seen().presence is Presence.SERVING


def test_a_name_in_use_on_another_machine_is_taken_only_on_purpose(hall: Hall) -> None:
    first = hall.registry.announce(WORKER)
    other = WorkerRecord(name="w1", machine="m2")
    with pytest.raises(NameTaken, match="m1"):
        hall.join().announce(other)
    hall.registry.beat(first, Vitals())
    hall.join().announce(other, take_over=True)
    with pytest.raises(Replaced):
        hall.registry.beat(first, Vitals())


def test_a_machine_is_added_before_it_serves_and_keeps_its_address(hall: Hall) -> None:
    address = Address(host="ada@m1", path="/srv/x")
    hall.registry.add("w1", "m1", address, toolchain={"python": "3.11"})
    assert (hall.seen().presence, hall.seen().available) == (Presence.ABSENT, False)
    post = hall.registry.announce(WORKER)
    moved = Address(host="ada@m1", path="/srv/y")
    hall.registry.add("w1", "m1", moved)
    assert hall.seen().worker.state is State.SERVING, "adding changes the address alone"
    hall.registry.beat(post, Vitals())  # it meets a version that it did not write
    assert hall.seen().worker.address == moved
    hall.registry.withdraw(post)
    assert hall.seen().worker.address == moved


def test_a_worker_whose_runtime_will_not_do_refuses_and_says_why(hall: Hall) -> None:
    reason = "node is 18.1; >=20 is required"
    post = hall.registry.announce(WorkerRecord(name="w1", machine="m1", reason=reason))
    assert (hall.seen().presence, hall.seen().worker.reason) == (Presence.REFUSING, reason)
    assert not hall.seen().available
    hall.registry.beat(post, Vitals())
    assert (hall.seen().available, hall.seen().worker.reason) == (True, None)
    hall.registry.beat(post, Vitals(reason="x\n" * 2000))
    assert len(hall.seen().worker.reason or "") <= 1000


def test_a_record_that_cannot_be_read_stops_nobody(hall: Hall) -> None:
    hall.registry.announce(WORKER)
    bad: Key = Key("workers/bad")
    from gitbaton.store.model import ABSENT

    hall.memory.commit(
        [
            Transaction(
                expect={bad: ABSENT}, write={bad: {"x": 1}}, subject="x", actor=Actor("mallory")
            )
        ]
    )
    workers = hall.registry.list()
    assert (list(workers.found), list(workers.damaged)) == (["w1"], [bad])


def test_a_beat_whose_answer_was_lost_is_made_up_for(hall: Hall) -> None:
    """I4: sent and not heard of is neither a loss nor a second session."""
    post = hall.registry.announce(WORKER)

    def lose(transactions: Sequence[Transaction]) -> list[Outcome]:
        hall.memory.commit(transactions)
        return [Unknown("cut")]

    hall.store.instead = lose
    with pytest.raises(OutcomeUnknown):
        hall.registry.beat(post, Vitals(busy=["a"]))
    hall.registry.beat(post, Vitals(busy=["b"]))
    assert (hall.seen().worker.busy, hall.seen().worker.beat) == (("b",), 3)


def test_a_host_that_refuses(hall: Hall) -> None:
    hall.store.instead = lambda _: [Rejected("no pushes on Fridays")]
    with pytest.raises(HostRefused, match="Fridays"):
        hall.registry.announce(WORKER)


def test_the_pulse_beats_every_interval_and_at_once_when_the_state_changes(hall: Hall) -> None:
    vitals = [Vitals()]
    pulse = Pulse(hall.registry, hall.registry.announce(WORKER), hall.clock, lambda: vitals[0])
    assert not pulse.beat()
    vitals[0] = Vitals(busy=["a"])
    assert not pulse.beat(), "a task that comes is no reason"
    hall.clock.advance(30.0)
    assert pulse.beat() and not pulse.beat()
    vitals[0] = Vitals(draining=True)
    assert pulse.beat() and not pulse.beat()


def test_a_beat_that_failed_is_tried_again_soon(hall: Hall) -> None:
    vitals = [Vitals()]
    pulse = Pulse(hall.registry, hall.registry.announce(WORKER), hall.clock, lambda: vitals[0])
    vitals[0] = Vitals(reason="no node")
    for _ in range(2):
        hall.store.instead = lambda _: [Rejected("busy")]
        assert not pulse.beat()
        assert pulse.trouble is not None
        hall.store.instead = None
        assert not pulse.beat(), "not before a pause"
        hall.clock.advance(5.0)
    assert pulse.beat()
    assert pulse.trouble is None
    hall.registry.announce(WORKER)
    hall.clock.advance(30.0)
    with pytest.raises(Replaced):
        pulse.beat()


def test_a_beat_goes_along_with_another_push(hall: Hall) -> None:
    """When it is due soon, or has news; what became of it decides when the next one is due."""
    vitals = [Vitals()]
    pulse = Pulse(hall.registry, hall.registry.announce(WORKER), hall.clock, lambda: vitals[0])
    assert pulse.riders() == ()
    hall.clock.advance(16.0)
    [rider] = pulse.riders()
    rider.settle(hall.memory.commit([rider.transaction])[0])
    assert (hall.seen().worker.beat, pulse.riders()) == (2, ())
    hall.clock.advance(16.0)
    assert not pulse.beat(), "one went along 16 seconds ago"
    vitals[0] = Vitals(busy=["a"])
    [rider] = pulse.riders()
    rider.settle(Rejected("busy"))
    [rider] = pulse.riders()
    rider.settle(hall.memory.commit([rider.transaction])[0])
    assert (hall.seen().worker.busy, pulse.riders()) == (("a",), ())
    hall.registry.announce(WORKER)  # another session
    vitals[0] = Vitals()
    [rider] = pulse.riders()
    rider.settle(hall.memory.commit([rider.transaction])[0])
    assert hall.seen().worker.beat == 4, "what rides never writes over another session"
    hall.clock.advance(30.0)
    with pytest.raises(Replaced):
        pulse.beat()


def test_nothing_is_said_after_good_bye(hall: Hall) -> None:
    pulse = Pulse(hall.registry, hall.registry.announce(WORKER), hall.clock, Vitals)
    hall.clock.advance(29.0)
    pulse.withdraw()
    assert pulse.riders() == ()
    assert hall.seen().presence is Presence.GONE
