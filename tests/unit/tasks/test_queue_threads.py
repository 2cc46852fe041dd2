"""I1 under real concurrency: many threads drain one store; exact counts."""

from __future__ import annotations

import random
import threading
from collections import Counter

from gitbaton.core.clock import SystemClock
from gitbaton.core.errors import NothingToClaim
from gitbaton.store.memory import MemoryStore
from gitbaton.tasks.drafts import Draft
from gitbaton.tasks.gates import GateKeeper
from gitbaton.tasks.observations import Observer
from gitbaton.tasks.queue import Queue
from gitbaton.tasks.settings import QueueSettings
from tests.unit.tasks.desk import ANN, PROJECT, who

THREADS = 16
TASKS = 120


def test_every_task_is_claimed_once_and_done_once() -> None:
    clock = SystemClock()
    store = MemoryStore(clock=clock)

    def join(seed: int) -> Queue:
        return Queue(
            store,
            clock=clock,
            rng=random.Random(seed),
            settings=QueueSettings(PROJECT),
            gatekeeper=GateKeeper(project=PROJECT),
            observer=Observer(MemoryStore(clock=clock), clock, "remote"),
        )

    join(0).add([Draft(title=f"t{n}", id=f"t{n}") for n in range(TASKS)], actor=ANN)
    done: list[str] = []

    def drain(number: int) -> None:
        queue = join(number)
        while True:
            try:
                [won] = queue.claim(who("same-name", worker=f"w{number}"))
            except NothingToClaim as nothing:
                if nothing.code == "lost":
                    continue
                return
            queue.done(won.token)
            done.append(won.task.id)

    threads = [threading.Thread(target=drain, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(done) == Counter(f"t{n}" for n in range(TASKS))
    events = join(0).log()
    assert Counter(event.event for event in events)["claim"] == TASKS
    assert {task.epoch for task in join(0).view().tasks.values()} == {1}
