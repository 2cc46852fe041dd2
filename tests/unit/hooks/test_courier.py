"""Events wait on disk, are delivered beside the work, tried again, and put aside in the end."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

import pytest

from gitbaton.core.clock import ManualClock, SystemClock
from gitbaton.core.config import HookEvent
from gitbaton.core.errors import Refused
from gitbaton.core.process import Process, find_process
from gitbaton.hooks.courier import TRIES, Courier, make_delivery
from gitbaton.hooks.event import Event
from gitbaton.hooks.failure import DeliveryFailed
from gitbaton.hooks.hook import Command, Hook, Webhook
from gitbaton.hooks.queue import MOST_DEAD, MOST_WAITING, Queue
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import Outcome, Transaction
from gitbaton.store.sqlite import SqliteStore
from tests.functional.working import wait_until
from tests.unit.hooks.receiver import receiving

AT = "2026-05-07T03:12:00Z"
ALL: frozenset[HookEvent] = frozenset(get_args(HookEvent))
CLOCK = SystemClock()


def event(number: int = 1, kind: HookEvent = "done") -> Event:
    """An event with an id of its own."""
    return Event(id=f"{number:032x}", event=kind, at=AT, text=f"event {number}")


def this_process() -> Process:
    me = find_process(os.getpid(), origin=CLOCK.origin)
    assert me is not None
    return me


def dead_process() -> Process:
    return Process(1, "never", CLOCK.origin)


class Office:
    """A queue in memory and couriers whose deliveries the test decides."""

    def __init__(self) -> None:
        self.store = MemoryStore(clock=CLOCK)
        self.queue = Queue(self.store, CLOCK, this_process())
        self.notices: list[str] = []
        self.delivered: list[tuple[str, str]] = []
        self.answer: Callable[[str, Event], None] = lambda hook, event: None

    def deliver(self, hook: Hook, event: Event) -> None:
        self.answer(hook.name, event)
        self.delivered.append((hook.name, event.id))

    def courier(self, *names: str, events: frozenset[HookEvent] = ALL) -> Courier:
        hooks = {name: Hook(name, events, Command(("x",))) for name in names}
        return Courier(
            hooks,
            self.queue,
            self.deliver,
            clock=CLOCK,
            rng=random.Random(0),
            notice=self.notices.append,
        )


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitbaton.hooks.courier._FIRST_PAUSE", 0.001)


def test_every_hook_is_told_what_it_wants_in_order(office: Office) -> None:
    with office.courier("a", "b") as courier:
        for number in range(20):
            courier.tell(event(number))
    assert [id for hook, id in office.delivered if hook == "a"] == [
        event(number).id for number in range(20)
    ]
    assert len(office.delivered) == 40
    assert office.queue.waiting() == office.queue.dead() == []


def test_what_nobody_wants_is_not_kept(office: Office) -> None:
    courier = office.courier("a", events=frozenset({"alert"}))
    courier.tell(event(1, "claim"))
    courier.tell(event(2, "alert"))
    assert [entry.event.event for entry in office.queue.waiting()] == ["alert"]


def test_a_hook_that_hangs_holds_up_neither_the_work_nor_other_hooks(office: Office) -> None:
    gate = threading.Event()

    def answer(hook: str, _: Event) -> None:
        if hook == "slow":
            gate.wait(30)

    office.answer = answer
    with office.courier("slow", "quick") as courier:
        for number in range(5):
            courier.tell(event(number))
        wait_until(lambda: len(office.delivered) == 5)
        assert {hook for hook, _ in office.delivered} == {"quick"}
        gate.set()
    assert len(office.delivered) == 10


def test_a_failure_is_tried_again_and_keeps_the_order(office: Office, no_pause: None) -> None:
    failures = ["once", "twice"]

    def answer(hook: str, event: Event) -> None:
        if failures:
            raise DeliveryFailed(failures.pop())

    office.answer = answer
    with office.courier("a") as courier:
        courier.tell(event(1))
        courier.tell(event(2))
        wait_until(lambda: len(office.delivered) == 2)
    assert [id for _, id in office.delivered] == [event(1).id, event(2).id]
    assert office.queue.dead() == []


@pytest.mark.parametrize(("lasting", "tries"), [(True, 1), (False, TRIES)])
def test_what_will_never_be_taken_is_put_aside(
    office: Office, no_pause: None, lasting: bool, tries: int
) -> None:
    asked: list[str] = []

    def answer(hook: str, event: Event) -> None:
        asked.append(event.id)
        if event.id == f"{1:032x}":
            raise DeliveryFailed("gone", lasting=lasting)

    office.answer = answer
    with office.courier("a") as courier:
        courier.tell(event(1))
        courier.tell(event(2))
        wait_until(lambda: office.delivered)
    assert asked == [event(1).id] * tries + [event(2).id]
    [dead] = office.queue.dead()
    assert (dead.hook, dead.event, dead.attempts, dead.trouble) == ("a", event(1), tries, "gone")
    assert "baton hooks list" in office.notices[0]


def test_the_dead_can_be_tried_again_or_dropped(office: Office) -> None:
    for number in (1, 2, 3):
        office.queue.put(event(number), ["a"])
    for entry in office.queue.waiting():
        office.queue.bury(entry, "gone")
    one, two, three = office.queue.dead()
    assert office.queue.drop([one]) == 1
    assert office.queue.revive([two]) == 1
    assert [(e.event.id, e.attempts) for e in office.queue.waiting()] == [(event(2).id, 0)]
    assert [e.event.id for e in office.queue.dead()] == [three.event.id]
    assert office.queue.drop([one]) == 0, "it is gone already"


def test_the_queue_is_bounded(office: Office) -> None:
    courier = office.courier("a")
    for number in range(MOST_WAITING + 2):
        courier.tell(event(number))
    assert len(office.queue.waiting()) == MOST_WAITING
    assert len(office.notices) == 2
    for entry in office.queue.waiting()[: MOST_DEAD + 2]:
        office.queue.bury(entry, "gone")
    dead = office.queue.dead()
    assert [dead[0].event.id, len(dead)] == [event(2).id, MOST_DEAD]


def test_an_event_that_is_put_twice_waits_once(office: Office) -> None:
    for _ in range(2):
        office.queue.put(event(1), ["a", "b"])
    assert [entry.hook for entry in office.queue.waiting()] == ["a", "b"]


def test_what_a_dead_process_left_is_delivered_by_the_next(office: Office) -> None:
    """I4: a worker that is killed loses nobody's event."""
    Queue(office.store, CLOCK, dead_process()).put(event(1), ["a", "gone"])
    with office.courier("a"):
        wait_until(lambda: office.delivered)
    assert office.delivered == [("a", event(1).id)]
    assert [entry.hook for entry in office.queue.dead()] == ["gone"]


def test_what_another_living_process_has_is_left_to_it(office: Office) -> None:
    parent = find_process(os.getppid(), origin=CLOCK.origin)
    assert parent is not None
    Queue(office.store, CLOCK, parent).put(event(1), ["a", "other"])
    with office.courier("a") as courier:
        courier.tell(event(2))
    assert office.delivered == [("a", event(2).id)]
    assert [entry.hook for entry in office.queue.waiting()] == ["a", "other"]


def test_order_holds_when_the_wall_clock_is_set_back() -> None:
    clock = ManualClock()
    queue = Queue(MemoryStore(clock=clock), clock, this_process())
    for number in range(3):
        queue.put(event(number), ["a"])
        clock.jump_wall(-3600.0)
    assert [entry.event.id for entry in queue.mine("a")] == [event(n).id for n in range(3)]


class FullDisk(MemoryStore):
    """A store that takes nothing."""

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        raise Refused("the disk is full", code="disk_full")


def test_a_disk_that_is_full_is_told_and_stops_nobody(office: Office) -> None:
    office.queue = Queue(FullDisk(clock=CLOCK), CLOCK, this_process())
    with office.courier("a") as courier:
        courier.tell(event(1))
    assert office.notices == ["hooks: an event could not be kept: the disk is full"]


def test_a_webhook_that_fails_and_hangs_and_then_works(tmp_path: Path, no_pause: None) -> None:
    store = SqliteStore(tmp_path / "local.sqlite", clock=CLOCK)
    queue = Queue(store, CLOCK, this_process())
    with receiving() as receiver:
        receiver.status(500)
        receiver.hang()
        hook = Hook("chat", ALL, Webhook(receiver.url, "slack"), timeout=0.3)
        courier = Courier(
            {"chat": hook},
            queue,
            make_delivery({}, tmp_path),
            clock=CLOCK,
            rng=random.Random(0),
            notice=pytest.fail,
        )
        with courier:
            courier.tell(event(1))
            wait_until(lambda: not queue.waiting())
        assert receiver.posts == [{"text": "*done*: event 1"}] * 3
        assert len({headers["X-Baton-Event-Id"] for headers in receiver.headers}) == 1
    store.close()


_TELL = """\
import os, random, sys
from pathlib import Path
from gitbaton.core.clock import SystemClock
from gitbaton.core.process import find_process
from gitbaton.hooks.courier import Courier, make_delivery
from gitbaton.hooks.event import Event
from gitbaton.hooks.hook import Command, Hook
from gitbaton.hooks.queue import Queue
from gitbaton.store.sqlite import SqliteStore

place, script, *ids = sys.argv[1:]
clock = SystemClock()
store = SqliteStore(Path(place, "local.sqlite"), clock=clock)
queue = Queue(store, clock, find_process(os.getpid(), origin=clock.origin))
hooks = {"log": Hook("log", frozenset({"all"}), Command(("/bin/sh", script)))}
delivery = make_delivery(dict(os.environ), Path(place))
with Courier(hooks, queue, delivery, clock=clock, rng=random.Random(), notice=print) as courier:
    for id in ids:
        courier.tell(Event(id=id, event="done", at="2026-05-07T03:12:00Z", text="x"))
"""


def test_killed_between_a_delivery_and_its_note_it_is_delivered_again(tmp_path: Path) -> None:
    """I4: at least once, and the id says that it is the same event."""
    script = tmp_path / "hook.sh"

    def tell(*ids: str) -> int:
        words = [sys.executable, "-c", _TELL, str(tmp_path), str(script), *ids]
        return subprocess.run(words, check=False, timeout=60).returncode

    log = 'echo "$BATON_EVENT_ID" >> log\n'
    script.write_text(log + "kill -9 $PPID\n")
    assert tell("e1", "e2") == -signal.SIGKILL
    script.write_text(log)
    assert tell() == 0
    told = (tmp_path / "log").read_text().split()
    assert told[0] == "e1" and told.count("e1") == 2
    # e2 was kept or not when the kill came; if it was, it has been told by now.
    assert told[2:] in ([], ["e2"])
    store = SqliteStore(tmp_path / "local.sqlite", clock=CLOCK)
    assert Queue(store, CLOCK, this_process()).waiting() == []
    store.close()


def test_the_history_does_not_grow_with_what_was_told(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "local.sqlite", clock=CLOCK)
    queue = Queue(store, CLOCK, this_process())
    queue.put(event(1), ["a"])
    [entry] = queue.waiting()
    again = queue.failed(entry, "no")
    assert again is not None
    queue.delivered(again)
    [left] = store.history()
    assert left.value is None
    assert "event 1" not in json.dumps(left.subject)
    store.close()
