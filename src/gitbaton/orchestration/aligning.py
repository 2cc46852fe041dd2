"""Makes the tasks what a plan file says, as far as that may be: never what runs or is finished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gitbaton.core.errors import BatonError, RemoteUnreachable, TaskExists
from gitbaton.core.ids import TaskId
from gitbaton.plans.model import Plan
from gitbaton.plans.reconciling import Changes, reconcile
from gitbaton.store.model import Actor
from gitbaton.tasks.queue import Queue
from gitbaton.tasks.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a phase has where neither it nor the plan says: as configured. Seconds."""

    lease: float
    max_attempts: int
    timeout: float | None = None


class Teller(Protocol):
    """Hears what was done."""

    def added(self, count: int) -> None: ...
    def edited(self, task: TaskId, fields: list[str]) -> None: ...
    def left(self, task: TaskId, text: str, next: str | None) -> None:
        """Hear that a phase is not what the file says, and is left so; as often as it is seen."""
        ...


class Aligner:
    """Compares the tasks with ``plan``, and changes those that may be changed."""

    def __init__(
        self, plan: Plan, queue: Queue, terms: Terms, teller: Teller, *, actor: Actor
    ) -> None:
        self._plan, self._queue, self._terms = plan, queue, terms
        self._teller, self._actor = teller, actor

    def compare(self, view: View) -> Changes:
        """Return what the file asks of the tasks. Raises TaskExists for one that is another's."""
        terms = self._terms
        return reconcile(
            self._plan,
            view.tasks,
            usual_attempts=terms.max_attempts,
            usual_timeout=terms.timeout,
        )

    def align(self, view: View) -> bool:
        """Add what is missing, all at once, and edit, one by one; tell whether to look again.

        An edit is made on the version that was compared, or not at all. Raises as ``Queue.add``,
        and TaskExists as ``compare``.
        """
        changes = self.compare(view)
        for drift in changes.drift:
            self._teller.left(drift.task, drift.text, drift.next)
        if changes.add:
            try:
                self._teller.added(len(self._queue.add(changes.add, actor=self._actor)))
            except TaskExists:
                pass  # another orchestrator was faster
            return True
        edits = [self._edit(id, fields, view) for id, fields in changes.edit.items()]
        return any(edits)

    def _edit(self, id: TaskId, fields: Mapping[str, Any], view: View) -> bool:
        """Edit one task; tell whether it was, or has moved meanwhile."""
        try:
            self._queue.edit(id, fields, actor=self._actor, seen=view.versions[id])
        except RemoteUnreachable:
            raise
        except BatonError as error:
            if error.code in ("changed", "wrong_status", "busy"):
                return True
            self._teller.left(id, f"it cannot be edited: {error.message}", error.next)
            return False
        self._teller.edited(id, sorted(fields))
        return True
