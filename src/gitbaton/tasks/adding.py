"""Adding tasks: many in one transaction, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from gitbaton.core.errors import InvalidInput, Refused, TaskExists
from gitbaton.core.ids import TaskId, new_task_id, task_id
from gitbaton.store.model import ABSENT, Actor, Committed, Conflict, Transaction
from gitbaton.tasks import subjects
from gitbaton.tasks.drafts import Draft, check_needs, compose
from gitbaton.tasks.ledger import TRIES, Ledger, failure
from gitbaton.tasks.model import Task, encode_task
from gitbaton.tasks.validation import title
from gitbaton.tasks.view import View


def add(ledger: Ledger, drafts: Sequence[Draft], actor: Actor) -> list[Task]:
    """Add all drafts, in their order. Raises InvalidInput, TaskExists; then nothing is added."""
    if not drafts:
        return []
    _refuse_twins(drafts)
    for attempt in range(TRIES):
        view = ledger.view()
        tasks = list(_compose_all(ledger, drafts, view, actor))
        check_new(view, tasks)
        change = Transaction(
            expect={task.key: ABSENT for task in tasks},
            write={task.key: encode_task(task) for task in tasks},
            subject=subjects.added(tasks),
            actor=actor,
        )
        [outcome] = ledger.store.commit([change])
        if isinstance(outcome, Committed):
            return tasks
        if not isinstance(outcome, Conflict):
            raise failure(outcome)
        ledger.pause(attempt)
    raise Refused("others kept adding tasks; nothing was added", code="busy", next="baton add")


def check_new(view: View, tasks: Sequence[Task]) -> None:
    """Raise InvalidInput when the needs of ``tasks`` do not fit what is there."""
    damaged = [need for task in tasks for need in task.needs if view.damage(need) is not None]
    check_needs(view.tasks, {task.id: task for task in tasks}, damaged=frozenset(damaged))


def free_id(view: View, wanted: str | None, words: str) -> TaskId:
    """Return ``wanted`` as the id of a new task, or a new one made from a title."""
    if wanted is None:
        title(words)
        return new_task_id(words)
    id = task_id(wanted)
    if id in view.tasks or view.damage(id) is not None:
        raise TaskExists(id)
    return id


def _compose_all(
    ledger: Ledger, drafts: Sequence[Draft], view: View, actor: Actor
) -> Iterator[Task]:
    now = ledger.now()
    for draft in drafts:
        id = free_id(view, draft.id, draft.title)
        yield compose(draft, id, settings=ledger.settings, by=actor.name, now=now)


def _refuse_twins(drafts: Sequence[Draft]) -> None:
    times = Counter(draft.id for draft in drafts if draft.id is not None)
    for id, count in times.items():
        if count > 1:
            raise InvalidInput("id", f"{id!r} is given to {count} of the new tasks")
