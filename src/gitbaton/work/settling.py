"""Finishes what others left half way: landings that were announced, reviews that were merged."""

from __future__ import annotations

from gitbaton.core.errors import BatonError, RemoteUnreachable
from gitbaton.core.ids import Oid
from gitbaton.store.model import Actor
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.queue import Queue
from gitbaton.work.upstream import Upstream

_ACTOR = Actor("gitbaton")


def settle(queue: Queue, upstream: Upstream, *, default_target: str) -> list[str]:
    """Move on every task whose branch shows that it is further than its record says.

    In review, and the target contains its commit: done. A landing in two steps whose branch has
    the commit: done as well, whoever was to say so. Returns a sentence for each. What cannot be
    settled (a gate, a lost race) is left as it is. Raises RemoteUnreachable.
    """
    view = queue.view()
    wanted: dict[str, tuple[str, Oid]] = {}
    for task in view.tasks.values():
        found = _expected(task, default_target)
        if found is not None:
            wanted[task.id] = found
    if not wanted:
        return []
    tips = upstream.tips({branch for branch, _ in wanted.values()})
    report: list[str] = []
    for id, (branch, commit) in wanted.items():
        tip = tips.get(branch)
        if tip is None or not upstream.has(commit) or not upstream.contains(tip, commit):
            continue
        try:
            if view.find(id).status is Status.REVIEW:
                queue.accept(id, actor=_ACTOR)
                report.append(f"{id}: {branch} contains its commit, so it is done")
            else:
                queue.confirm(id, commit=commit, actor=_ACTOR)
                report.append(f"{id}: its landing on {branch} was completed")
        except RemoteUnreachable:
            raise
        except BatonError:
            continue  # somebody was faster, or a person must decide
    return report


def _expected(task: Task, default_target: str) -> tuple[str, Oid] | None:
    """Return (branch, commit) that would show the task to be done, None if nothing would."""
    if task.status is Status.REVIEW and task.result is not None and task.result.commit:
        return task.target or default_target, Oid(task.result.commit)
    if task.status is Status.IN_PROGRESS and task.landing is not None:
        return task.landing.branch, Oid(task.landing.commit)
    return None
