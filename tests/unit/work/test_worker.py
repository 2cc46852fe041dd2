"""The worker's loop: what it claims, when it looks, when it ends and how. Without agents."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gitbaton.core.errors import (
    BatonError,
    HostRefused,
    InvalidInput,
    NothingToClaim,
    RemoteUnreachable,
)
from gitbaton.tasks.claims import Claimant, Claimed
from gitbaton.tasks.model import Status
from gitbaton.tasks.queue import Queue
from gitbaton.work.company import Company
from gitbaton.work.events import WorkEvent
from gitbaton.work.program import CannotWork
from gitbaton.work.shift import Shift
from gitbaton.work.state import WorkerState
from gitbaton.work.worker import Worker
from tests.unit.tasks.desk import ANN, Desk

Act = Callable[[Queue, Claimed], bool]


def finish(queue: Queue, claimed: Claimed) -> bool:
    queue.done(claimed.token)
    return True


def fail(queue: Queue, claimed: Claimed) -> bool:
    queue.fail(claimed.token, "no luck")
    return False


class FakeSlot:
    """Ends claims by ``act``; remembers whom it was given and whether it was told to stop."""

    def __init__(self, queue: Queue, act: Act) -> None:
        self.queue, self.act = queue, act
        self.worked: list[tuple[str, int]] = []
        self.stopped: str | None = None

    def run(self, claimed: Claimed, slot: int) -> bool:
        self.worked.append((claimed.task.id, slot))
        return self.act(self.queue, claimed)

    def stop(self, reason: str) -> None:
        self.stopped = reason

    def slot_of(self, claimed: Claimed) -> int:
        return next(slot for task, slot in self.worked if task == claimed.task.id)


class FakeChores:
    """Counts its rounds; ``trouble`` is raised by each."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.rounds: list[float] = []
        self.urgent: list[bool] = []
        self.finished = self.closed = 0
        self.trouble: BatonError | None = None

    def run(self, *, urgent: bool) -> None:
        self.rounds.append(self.clock())
        self.urgent.append(urgent)
        if self.trouble is not None:
            raise self.trouble

    def finish(self) -> None:
        self.finished += 1
        if self.trouble is not None:
            raise self.trouble

    def close(self) -> None:
        self.closed += 1


class Site:
    """A worker over a queue in memory."""

    def __init__(self, act: Act = finish, queue: Queue | None = None, **shift: Any) -> None:
        self.desk = Desk(backoff=5.0)
        self.queue = queue or self.desk.queue
        self.slot = FakeSlot(self.desk.queue, act)
        self.chores = FakeChores(self.desk.clock.elapsed)
        self.events: list[WorkEvent] = []
        self.company = Company(8.0, scarce=lambda: False)
        self.worker = Worker(
            self.queue,
            Shift(**{"name": "w", "machine": "m", "lease": 900.0, **shift}),
            self.slot,
            self.chores,
            company=self.company,
            clock=self.desk.clock,
            rng=random.Random(0),
            listener=self.events.append,
        )

    def told(self, kind: str) -> list[str]:
        return [event.text for event in self.events if event.kind == kind]


def test_a_drain_does_everything_in_the_order_of_the_queue() -> None:
    site = Site(drain=True)
    site.desk.add("t1")
    site.desk.add("t2", needs=("t1",))
    assert site.worker.run() == 0
    assert site.slot.worked == [("t1", 1), ("t2", 1)]
    assert [e.kind for e in site.events] == ["started", "claimed", "claimed", "waiting", "ended"]
    assert site.chores.finished == 1


def test_a_drain_waits_for_delays_and_counts_what_failed_for_good_meanwhile() -> None:
    site = Site(fail, drain=True)
    site.desk.add("old", max_attempts=1)
    [claimed] = site.desk.queue.claim(site.worker._claimant(1))
    site.desk.queue.fail(claimed.token, "long ago")
    site.desk.add("twice", max_attempts=2)
    began = site.desk.clock.elapsed()
    assert site.worker.run() == 1
    assert site.slot.worked == [("twice", 1), ("twice", 1)]
    assert site.desk.clock.elapsed() - began >= 4.0, "the back-off was waited for"


def test_a_drain_waits_for_others_but_not_for_people_or_capabilities() -> None:
    site = Site(drain=True)
    site.desk.add("gpu", requires=("gpu",))
    site.desk.add("gate", gate="prod")
    site.desk.add("theirs")
    [theirs] = site.desk.other.claim(site.worker._claimant(9), ids=["theirs"])
    looks = 0

    def sleep(seconds: float) -> None:
        nonlocal looks
        site.desk.clock.advance(seconds)
        looks += 1
        if looks == 100:
            site.desk.other.done(theirs.token)

    site.desk.clock.sleep = sleep  # type: ignore[method-assign]
    assert site.worker.run() == 0
    assert looks >= 100
    assert site.slot.worked == []
    assert "gpu: it requires 'gpu', which w does not have" in site.told("waiting")[-1]


def test_once_takes_one_task_and_raises_at_once_when_none_is_ready() -> None:
    site = Site(once=True)
    with pytest.raises(NothingToClaim):
        site.worker.run()
    assert (site.chores.finished, site.chores.closed) == (0, 1)
    site = Site(fail, once=True)
    site.desk.add("t1")
    site.desk.add("t2")
    assert site.worker.run() == 1
    assert len(site.slot.worked) == 1


def test_its_chores_are_over_when_it_ends_also_because_of_a_bug() -> None:
    site = Site(drain=True)

    def break_down(*, urgent: bool) -> None:
        raise ZeroDivisionError

    site.chores.run = break_down  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        site.worker.run()
    assert site.chores.closed == 1


def test_the_slots_are_used_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=30)

    def together(queue: Queue, claimed: Claimed) -> bool:
        both.wait()
        return finish(queue, claimed)

    site = Site(together, jobs=2, drain=True)
    site.desk.add("t1")
    site.desk.add("t2")
    assert site.worker.run() == 0
    assert sorted(slot for _, slot in site.slot.worked) == [1, 2]


def test_draining_and_stopping_only_set_flags_and_are_told_by_the_loop() -> None:
    site = Site()
    site.worker.stop()
    assert site.slot.stopped == "the worker was stopped"
    assert site.events == []
    site.desk.add("t1")
    assert site.worker.run() == 0
    assert site.slot.worked == []


def test_a_drained_worker_finishes_what_runs_and_claims_nothing_more() -> None:
    def and_drain(queue: Queue, claimed: Claimed) -> bool:
        site.worker.drain()
        return finish(queue, claimed)

    site = Site(and_drain)
    site.desk.add("t1")
    site.desk.add("t2")
    assert site.worker.run() == 0
    assert len(site.slot.worked) == 1


class Grumbling:
    """A queue whose claims fail with these errors first."""

    def __init__(self, queue: Queue, *errors: BatonError) -> None:
        self._queue, self._errors = queue, list(errors)

    def claim(self, *args: Any, **settings: Any) -> list[Claimed]:
        if self._errors:
            raise self._errors.pop(0)
        return self._queue.claim(*args, **settings)

    def view(self) -> Any:
        if self._errors:
            raise self._errors.pop(0)
        return self._queue.view()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)


def test_a_remote_that_is_away_is_waited_for_even_while_looking_why() -> None:
    site = Site()
    away = RemoteUnreachable("gone")
    grumbling = Grumbling(site.desk.queue, away, NothingToClaim("empty", "nothing"), away, away)
    site.worker._queue = grumbling  # type: ignore[assignment]
    site.desk.add("t1")

    def and_drain(queue: Queue, claimed: Claimed) -> bool:
        site.worker.drain()
        return finish(queue, claimed)

    site.slot.act = and_drain
    assert site.worker.run() == 0
    assert site.told("waiting") == ["gone"], "said once"
    assert site.slot.worked == [("t1", 1)]


@pytest.mark.parametrize("error", [HostRefused("no"), InvalidInput("agent", "no name")])
def test_what_will_not_change_by_waiting_ends_the_worker(error: BatonError) -> None:
    site = Site()
    site.worker._queue = Grumbling(site.desk.queue, error)  # type: ignore[assignment]
    site.desk.add("t1")
    with pytest.raises(type(error)):
        site.worker.run()
    assert site.slot.worked == []
    assert site.chores.finished == 1


def test_a_host_that_limits_rates_is_asked_again_later() -> None:
    """A fleet must not end because its host said 403 for a minute."""
    site = Site()
    grumbling = Grumbling(site.desk.queue)
    site.worker._queue = grumbling  # type: ignore[assignment]
    site.desk.add("t1")
    site.desk.add("t2")

    def work(queue: Queue, claimed: Claimed) -> bool:
        grumbling._errors.append(HostRefused("slow down"))
        if len(site.slot.worked) == 2:
            site.worker.drain()
        return finish(queue, claimed)

    site.slot.act = work
    assert site.worker.run() == 0
    assert sorted(task for task, _ in site.slot.worked) == ["t1", "t2"]


def test_a_worker_whose_agents_cannot_be_started_ends_and_says_why() -> None:
    def nowhere(queue: Queue, claimed: Claimed) -> bool:
        queue.release(claimed.token, "no agent")
        raise CannotWork("there is no agent")

    site = Site(nowhere)
    site.desk.add("t1")
    with pytest.raises(CannotWork):
        site.worker.run()
    task = site.desk.queue.get("t1")
    assert (task.status, task.attempts) == (Status.PENDING, 0)
    assert len(site.slot.worked) == 1


def test_upkeep_keeps_up_with_short_leases_and_its_troubles_are_told() -> None:
    for lease, least, most in ((900.0, 16.0, 21.0), (6.0, 1.6, 2.3), (1.0, 0.8, 1.3)):
        site = Site(lease=lease)
        site.chores.trouble = RemoteUnreachable("gone")
        ends = site.desk.clock.elapsed() + 60

        def sleep(seconds: float, site: Site = site, ends: float = ends) -> None:
            site.desk.clock.advance(seconds)
            if site.desk.clock.elapsed() > ends:
                site.worker.drain()

        site.desk.clock.sleep = sleep  # type: ignore[method-assign]
        assert site.worker.run() == 0
        rounds = site.chores.rounds
        gaps = [b - a for a, b in itertools.pairwise(rounds)]
        assert least <= min(gaps)
        assert max(gaps) <= most
        assert set(site.told("notice")) == {"upkeep: gone"}


def test_the_same_waiting_is_not_told_twice() -> None:
    site = Site()
    site.desk.add("t1")
    [claimed] = site.desk.queue.claim(site.worker._claimant(1))
    site.desk.queue.fail(claimed.token, "no luck")
    ends = site.desk.clock.elapsed() + 4

    def sleep(seconds: float) -> None:
        site.desk.clock.advance(seconds)
        if site.desk.clock.elapsed() > ends:
            site.worker.drain()

    site.desk.clock.sleep = sleep  # type: ignore[method-assign]
    site.worker.run()
    [text] = site.told("waiting")
    assert text.startswith("t1: it waits "), "the seconds left are no news"


def test_a_failed_look_at_the_end_counts_the_own_attempts() -> None:
    site = Site(fail, drain=True)
    site.desk.add("t1", max_attempts=1)
    real, site.chores.trouble = site.desk.queue.view, RemoteUnreachable("gone")

    def view() -> Any:
        if site.chores.finished:
            raise RemoteUnreachable("gone")
        return real()

    site.desk.queue.view = view  # type: ignore[method-assign]
    assert site.worker.run() == 1
    assert site.desk.other.retry("t1", force=False, actor=ANN).status is Status.PENDING


class Counting:
    """A queue that counts how often it was asked for claims, and for how many."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self.asked: list[int] = []

    def claim(self, seats: Sequence[Claimant], **settings: Any) -> list[Claimed]:
        self.asked.append(len(seats))
        return self._queue.claim(seats, **settings)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)


def test_all_free_slots_claim_together_each_under_its_own_name() -> None:
    ready = threading.Barrier(3, timeout=30)
    agents: dict[int, str] = {}

    def together(queue: Queue, claimed: Claimed) -> bool:
        assert claimed.task.claim is not None
        agents[site.slot.slot_of(claimed)] = claimed.task.claim.agent
        ready.wait()
        return finish(queue, claimed)

    site = Site(together, jobs=3, drain=True)
    for id in ("t1", "t2", "t3"):
        site.desk.add(id)
    counting = Counting(site.desk.queue)
    site.worker._queue = counting  # type: ignore[assignment]
    assert site.worker.run() == 0
    assert counting.asked[0] == 3
    assert agents == {1: "w#1", 2: "w#2", 3: "w#3"}


def test_a_free_slot_waits_for_one_that_is_about_to_be_free() -> None:
    """Then both claim in one push; but it does not wait for long."""
    site = Site(jobs=2, drain=True)
    ended = threading.Event()
    asked: list[tuple[int, float]] = []

    landing = threading.Event()

    def act(queue: Queue, claimed: Claimed) -> bool:
        if site.slot.slot_of(claimed) == 1:
            site.company.lands(1)
            landing.set()
            ended.wait(30)
        landing.wait(30)
        return finish(queue, claimed)

    class Watching(Counting):
        def claim(self, seats: Sequence[Claimant], **settings: Any) -> list[Claimed]:
            asked.append((len(seats), site.desk.clock.elapsed()))
            if len(asked) == 2:
                ended.set()
            return super().claim(seats, **settings)

    site.slot.act = act
    for id in ("t1", "t2", "t3"):
        site.desk.add(id)
    site.worker._queue = Watching(site.desk.queue)  # type: ignore[assignment]
    assert site.worker.run() == 0
    assert [seats for seats, _ in asked[:2]] == [2, 1]
    assert asked[1][1] - asked[0][1] >= 2.0, "a quarter of the window of eight seconds"


def test_a_task_that_always_comes_back_is_taken_more_and_more_slowly() -> None:
    """An agent that only ever releases its task must not keep the worker busy with that."""
    times: list[float] = []

    def release(queue: Queue, claimed: Claimed) -> bool:
        times.append(site.desk.clock.elapsed())
        if len(times) == 6:
            site.worker.drain()
        queue.release(claimed.token, "not for me")
        return False

    site = Site(release)
    site.desk.add("t1")
    site.worker.run()
    pauses = [after - before for before, after in itertools.pairwise(times)]
    least = (0.0, 1.0, 2.0, 4.0, 8.0)  # once may be chance
    assert all(pause >= wanted for pause, wanted in zip(pauses, least, strict=True)), pauses
    state = WorkerState()
    for _ in range(20):
        state.ended_in_vain("t2")
    assert state.futile == 30.0


def test_upkeep_is_urgent_just_when_nothing_was_found() -> None:
    site = Site(drain=True)
    site.desk.add("theirs")
    [theirs] = site.desk.other.claim(site.worker._claimant(9), ids=["theirs"])
    looks = 0

    def sleep(seconds: float) -> None:
        nonlocal looks
        site.desk.clock.advance(seconds)
        looks += 1
        if looks == 400:
            site.desk.other.done(theirs.token)

    site.desk.clock.sleep = sleep  # type: ignore[method-assign]
    assert site.worker.run() == 0
    assert site.chores.urgent[:3] == [False, True, False]
