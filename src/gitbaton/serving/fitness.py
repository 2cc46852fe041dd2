"""Whether this machine will do: for any task of this checkout, and for each plan's phases (I9).

Tools are asked for their versions when a worker starts, when a plan names others, and anew before
each agent runs. While something is missing they are asked again from time to time: somebody may
install it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from gitbaton.core.clock import Clock
from gitbaton.core.errors import InvalidInput
from gitbaton.plans.announcement import Announcement, find_plans
from gitbaton.plans.toolchain.probe import ToolProbe
from gitbaton.plans.toolchain.requirements import Requirement, parse_requirements, shortcomings
from gitbaton.plans.words import pin_word, toolchain_word
from gitbaton.store.protocol import Store
from gitbaton.tasks.model import Task

_AGAIN: Final = 60.0  # seconds until what was missing is looked for again
_LOOK: Final = 1.0  # seconds between looks at the plans that were seen last

Plans = Mapping[str, Announcement]


class Fitness:
    """What a worker may claim, by its name, its words and its tools. Thread-safe.

    ``required``: what this checkout asks of the tools. ``troubles``: whatever else keeps every
    agent from working here, a sentence each.
    """

    def __init__(
        self,
        name: str,
        words: frozenset[str],
        *,
        store: Store,
        tools: ToolProbe,
        required: Mapping[str, Requirement],
        troubles: Callable[[], Sequence[str]],
        clock: Clock,
    ) -> None:
        self._own = words | {pin_word(name)}
        self._store, self._tools, self._clock = store, tools, clock
        self._required, self._troubles = required, troubles
        self._lock = threading.Lock()
        self._plans: Plans = {}
        self._able = frozenset[str]()
        self._reasons = self._shortcomings()
        self._tools_due = clock.elapsed() + _AGAIN
        self._look_due = clock.elapsed()

    @property
    def reason(self) -> str | None:
        """Why nothing at all is done here, None if something is."""
        return "; ".join(self._reasons) or None

    def words(self) -> frozenset[str] | None:
        """Return the capabilities of this worker now; None while it refuses everything."""
        return None if self._reasons else self._own | self._able

    def look(self, *, fresh: bool = False) -> None:
        """Take note of the plans that were seen last; ``fresh``: ask for them.

        Raises RemoteUnreachable, HostRefused when asked for them.
        """
        now = self._clock.elapsed()
        if now < self._look_due and not fresh:
            return
        self._look_due = now + _LOOK
        snapshot = self._store.read("plans/") if fresh else self._store.recall("plans/")
        plans = self._plans if snapshot is None else find_plans(snapshot)
        missing = bool(self._reasons) or len(self._able) < len(plans)
        if missing and now >= self._tools_due:
            self._tools_due = now + _AGAIN
            self._tools.forget()
            self._weigh(plans)
        elif plans != self._plans:
            self._weigh(plans)

    def verdict(self, task: Task) -> str | None:
        """Ask the tools anew, and return why the agent of ``task`` cannot run; None: it can."""
        plan = self._plans.get(task.plan) if task.plan else None
        if not self._required and (plan is None or not plan.toolchain):
            return None
        self._tools.forget()
        self._weigh(self._plans)
        if self._reasons:
            return self.reason
        return "; ".join(self._lacking(plan)) or None if plan is not None else None

    def _weigh(self, plans: Plans) -> None:
        with self._lock:
            self._reasons = self._shortcomings()
            self._able = frozenset(
                toolchain_word(name) for name, plan in plans.items() if not self._lacking(plan)
            )
            self._plans = plans

    def _shortcomings(self) -> tuple[str, ...]:
        return (*shortcomings(self._tools.check(self._required)), *self._troubles())

    def _lacking(self, plan: Announcement) -> tuple[str, ...]:
        """Return what this machine lacks for a plan. A requirement that is none is not met."""
        try:
            required = parse_requirements(plan.toolchain)
        except InvalidInput as error:
            return (error.message,)
        return shortcomings(self._tools.check(required))
