"""Delivers events beside the work: a thread for each hook, so that none waits for another.

``tell`` only writes to the disk of this machine. A hook that fails is tried again, later each time;
what it will never take is put aside after a while (``Queue.dead``). At least once: a courier that
is killed between a delivery and its note leaves the event to the next one.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Self

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError
from gitbaton.hooks.command import run_command
from gitbaton.hooks.event import Event
from gitbaton.hooks.failure import DeliveryFailed
from gitbaton.hooks.hook import Command, Hook
from gitbaton.hooks.queue import Entry, Queue
from gitbaton.hooks.webhook import post

TRIES: Final = 8  # over about five minutes
_FIRST_PAUSE: Final = 2.0  # seconds; doubles with each failure
_LONGEST_PAUSE: Final = 120.0
_LOOK: Final = 15.0  # seconds between looks for what others left behind
_GOODBYE: Final = 10.0  # seconds that the end waits for deliveries that are under way

Deliver = Callable[[Hook, Event], None]


class Courier:
    """Tells the hooks of one process what happens. Thread-safe; use as a context manager."""

    def __init__(
        self,
        hooks: Mapping[str, Hook],
        queue: Queue,
        deliver: Deliver,
        *,
        clock: Clock,
        rng: random.Random,
        notice: Callable[[str], None],
    ) -> None:
        """Prepare. ``notice`` hears of what was put aside, and of events that found no room."""
        self._hooks = hooks
        self._queue = queue
        self._clock, self._rng, self._notice = clock, rng, notice
        self._deliver = deliver
        self._ending = threading.Event()
        self._wakes = {name: threading.Event() for name in hooks}
        self._threads = [
            threading.Thread(target=self._run, args=(hook,), name=f"hook-{name}", daemon=True)
            for name, hook in hooks.items()
        ]

    def __enter__(self) -> Self:
        try:
            for entry in self._queue.strays(self._hooks):
                self._bury(entry, "there is no hook of this name any more")
        except BatonError as error:
            self._notice(f"hooks: {error.message}")
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Deliver what waits, if that goes quickly; the next courier here delivers the rest."""
        self._ending.set()
        self._wake()
        give_up = self._clock.elapsed() + _GOODBYE
        for thread in self._threads:
            thread.join(max(give_up - self._clock.elapsed(), 0.1))

    def tell(self, event: Event) -> None:
        """Let every hook that wants it know, soon. Never fails and never waits for a hook."""
        wanted = [name for name, hook in self._hooks.items() if hook.wants(event.event)]
        if not wanted:
            return
        try:
            lost = self._queue.put(event, wanted)
        except BatonError as error:
            self._notice(f"hooks: an event could not be kept: {error.message}")
            return
        if lost:
            self._notice(f"hooks: too much waits; {lost} were not told of {event.event}")
        self._wake()

    def _wake(self) -> None:
        for wake in self._wakes.values():
            wake.set()

    def _run(self, hook: Hook) -> None:
        wake, pause = self._wakes[hook.name], 0.0
        while True:
            ending = self._ending.is_set()
            try:
                pause = self._round(hook)
            except BatonError as error:
                self._notice(f"hook {hook.name}: {error.message}")
                pause = _LONGEST_PAUSE
            if ending:
                return
            if pause:
                self._ending.wait(pause)  # news must not shorten the pause after a failure
            else:
                wake.wait(_LOOK)
            wake.clear()

    def _round(self, hook: Hook) -> float:
        """Deliver what waits for ``hook``, in order; return how long to pause after a failure."""
        for entry in self._queue.mine(hook.name):
            try:
                self._deliver(hook, entry.event)
            except DeliveryFailed as error:
                if error.lasting or entry.attempts + 1 >= TRIES:
                    self._bury(entry, error.message)
                    continue
                self._queue.failed(entry, error.message)
                longest = min(_FIRST_PAUSE * 2.0**entry.attempts, _LONGEST_PAUSE)
                return self._rng.uniform(longest / 2, longest)
            self._queue.delivered(entry)
        return 0.0

    def _bury(self, entry: Entry, trouble: str) -> None:
        self._queue.bury(entry, trouble)
        self._notice(
            f"hook {entry.hook}: {entry.event.event} could not be delivered: {trouble}; "
            "next: baton hooks list"
        )


def make_delivery(env: Mapping[str, str], directory: Path) -> Deliver:
    """Return what delivers one event to one hook, with ``env`` and commands in ``directory``."""

    def deliver(hook: Hook, event: Event) -> None:
        if isinstance(hook.target, Command):
            run_command(hook.target, event, timeout=hook.timeout, env=env, directory=directory)
        else:
            post(hook.target, event, timeout=hook.timeout, env=env)

    return deliver
