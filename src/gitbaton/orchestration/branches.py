"""The branches of a plan's phases: what has become part of the target, and what may go.

A branch is deleted only while it still is where it was seen, and only when all of it is in the
target there: a server believes any old value of a ref that it does not know, so nothing else is
ever named (docs/design/protocol.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitbaton.core.ids import Oid, TaskId
from gitbaton.git.remote import PushState, RefUpdate, Remote
from gitbaton.git.repository import CoordinationRepository
from gitbaton.tasks.machine import FINISHED
from gitbaton.tasks.model import Task
from gitbaton.work.upstream import Upstream

_BATCH = 50  # refs in a push


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseBranch:
    """The branch of one phase. ``tip`` None: there is none on the remote.

    ``merged``: all of it is in ``target``. ``author``: of its last commit. ``landed``: the commit
    that the phase's result is. ``kept``: why it may not be deleted, None if it may.
    """

    task: TaskId
    branch: str
    target: str
    tip: Oid | None
    merged: bool
    author: str | None
    landed: str | None
    kept: str | None


class Branches:
    """The branches on one remote. ``target``: where results land unless a task says otherwise."""

    def __init__(
        self,
        repository: CoordinationRepository,
        upstream: Upstream,
        remote: Remote,
        *,
        prefix: str,
        target: str,
    ) -> None:
        self._repository, self._upstream, self._remote = repository, upstream, remote
        self._prefix, self._target = prefix, target

    def list(self, tasks: Sequence[Task], others: Iterable[Task] = ()) -> Sequence[PhaseBranch]:
        """Return the branch of each of ``tasks``, in their order.

        ``others``: all tasks; a branch that any of them lands on is nobody's own. Raises
        RemoteUnreachable, HostRefused.
        """
        targets = {self._target, *(t.target for t in (*tasks, *others) if t.target is not None)}
        names = {task.id: task.branch or f"{self._prefix}{task.id}" for task in tasks}
        tips = self._upstream.tips({*names.values(), *targets})
        authors = self._authors([tips[name] for name in names.values() if name in tips])
        found = []
        for task in tasks:
            name, target = names[task.id], task.target or self._target
            tip, end = tips.get(name), tips.get(target)
            merged = tip is not None and end is not None and self._upstream.contains(end, tip)
            found.append(
                PhaseBranch(
                    task=task.id,
                    branch=name,
                    target=target,
                    tip=tip,
                    merged=merged,
                    author=authors.get(tip) if tip is not None else None,
                    landed=task.result.commit if task.result else None,
                    kept=_kept(task, name, target, tip, targets, merged=merged),
                )
            )
        return found

    def prune(self, branches: Iterable[PhaseBranch]) -> Mapping[str, str | None]:
        """Delete those of ``branches`` that may go; return for each None, or why it is still there.

        Raises RemoteUnreachable when surely nothing was sent.
        """
        updates = {
            each.branch: RefUpdate(f"refs/heads/{each.branch}", each.tip, None)
            for each in branches
            if each.kept is None
        }
        fates: dict[str, str | None] = {}
        names = list(updates)
        for start in range(0, len(names), _BATCH):
            batch = names[start : start + _BATCH]
            results = self._remote.push([updates[name] for name in batch], atomic=False)
            for name in batch:
                result = results[updates[name].ref]
                gone = result.state is PushState.DONE
                fates[name] = (
                    None if gone else result.reason or f"the push was {result.state.value}"
                )
        return fates

    def _authors(self, tips: Sequence[Oid]) -> dict[Oid, str]:
        if not tips:
            return {}
        form = "--format=%H%x00%an"
        told = self._repository.git.run("log", "--no-walk=unsorted", form, *dict.fromkeys(tips))
        text = told.stdout.decode("utf-8", "replace")  # people may be called anything
        pairs = (line.partition("\0") for line in text.splitlines())
        return {Oid(oid): name for oid, _, name in pairs}


def _kept(
    task: Task, name: str, target: str, tip: Oid | None, targets: set[str], *, merged: bool
) -> str | None:
    if tip is None:
        return "there is no such branch"
    if name in targets:
        return "results land on it"
    if task.status not in FINISHED:
        return f"the phase is {task.status}"
    return None if merged else f"it is not in {target}"
