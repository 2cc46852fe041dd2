"""Looks for what people should hear of, now and then, and tells each thing once.

It acts on nothing: claims of workers that are gone run out by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.core.errors import BatonError
from gitbaton.plans.health.activity import ActivityWatch, Agent
from gitbaton.plans.health.alarms import Alarms, News
from gitbaton.plans.health.notable import notable_tasks
from gitbaton.plans.health.rules import Limits, Outlook, Pending, judge
from gitbaton.plans.inbox.inbox import Inbox
from gitbaton.plans.registry.registry import Registry
from gitbaton.tasks.queue import Queue
from gitbaton.work.events import Teller
from gitbaton.work.reception import Floor

_LONGEST: Final = 60.0  # seconds between two looks


class Mailbag:
    """How old the messages of one worker are, by its own clock since it first saw them."""

    def __init__(self, inbox: Inbox, worker: str, boxes: Collection[str], clock: Clock) -> None:
        self._inbox, self._worker, self._boxes, self._clock = inbox, worker, boxes, clock
        self._seen: dict[str, float] = {}

    def look(self) -> list[Pending]:
        """Return what has no response. Raises BatonError."""
        now = self._clock.elapsed()
        letters = {
            str(entry.handle): entry.letter
            for entry in self._inbox.list().entries
            if entry.state != "answered" and entry.letter.box in self._boxes
        }
        self._seen = {handle: self._seen.get(handle, now) for handle in letters}
        return [
            Pending(handle, self._worker, now - self._seen[handle], letter.sender, letter.task)
            for handle, letter in letters.items()
        ]


class Lookout:
    """One worker's watch over the project, its agents and its messages.

    ``shared``: what was told from this clone, whoever told it. ``own``: what only this worker
    sees, its agents and its messages. ``raise_alarm`` gets each thing once.
    """

    def __init__(
        self,
        queue: Queue,
        registry: Registry,
        *,
        shared: Alarms,
        own: Alarms,
        limits: Limits,
        agents: Callable[[], list[Agent]],
        mailbag: Mailbag | None,
        raise_alarm: Callable[[News], None],
        clock: Clock,
        tell: Teller,
    ) -> None:
        self._queue, self._registry = queue, registry
        self._shared, self._own, self._limits = shared, own, limits
        self._agents, self._mailbag = agents, mailbag
        self._raise_alarm, self._clock, self._tell = raise_alarm, clock, tell
        self._activity = ActivityWatch(clock)
        self._every = min(_LONGEST, limits.stall / 4, limits.message_age / 4)
        self._due = clock.elapsed() + self._every
        self._trouble: str | None = None

    def attend(self, floor: Floor) -> None:
        """Look, if it is time."""
        if self._clock.elapsed() < self._due:
            return
        try:
            self._look()
            self._trouble = None
        except BatonError as error:
            if error.message != self._trouble:
                self._tell("notice", f"health: {error.message}")
            self._trouble = error.message
        self._due = self._clock.elapsed() + self._every

    def _look(self) -> None:
        now = self._clock.now()
        near = Outlook(
            agents=self._activity.look(self._agents()),
            messages=None if self._mailbag is None else self._mailbag.look(),
        )
        self._own.update(judge(near, self._limits, now), self._raise_alarm)
        view = self._queue.view()
        far = Outlook(
            workers=self._registry.sighted_in(view.snapshot).found.values(),
            tasks=notable_tasks(view),
        )
        self._shared.update(judge(far, self._limits, now), self._raise_alarm)
