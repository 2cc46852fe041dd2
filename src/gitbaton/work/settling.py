"""Finishes what others left half way: landings that were announced, reviews that were merged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from gitbaton.core.errors import BatonError, RemoteUnreachable
from gitbaton.core.ids import Oid, TaskId
from gitbaton.store.model import Actor, Branch, Move
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.queue import Queue
from gitbaton.tasks.view import View
from gitbaton.work.upstream import Upstream

_ACTOR = Actor("gitbaton")

Follow: TypeAlias = Callable[[Move, Actor], None]
"""Moves a branch that was left behind its record (``Lander.move``)."""


class Settler:
    """Looks for such tasks, again and again, for one worker."""

    def __init__(
        self, queue: Queue, upstream: Upstream, follow: Follow, *, default_target: str
    ) -> None:
        self._queue = queue
        self._upstream = upstream
        self._follow = follow
        self._default_target = default_target
        self._followed: set[Move] = set()

    def run(self) -> list[str]:
        """Move on every task whose branch and record show that they are not in step.

        In review, and the target contains its commit: done. A landing in two steps whose branch
        has the commit: done as well, whoever was to say so. A record that says what it moved, and
        a branch that is still where it was: the branch follows. Returns a sentence for each. What
        cannot be settled (a gate, a lost race) is left as it is. Raises RemoteUnreachable.
        """
        view = self._queue.view()
        wanted = {
            task.id: found
            for task in view.live.values()
            if (found := _expected(task, self._default_target)) is not None
        }
        behind = [(id, move) for id, moves in view.moves.items() for move in moves]
        if not wanted and not behind:
            return []
        branches = {branch for branch, _ in wanted.values()}
        for id, move in behind:
            if isinstance(move.target, Branch):
                branches |= {move.target.name, view.find(id).target or self._default_target}
        tips = self._upstream.tips(branches)
        report = [self._settle(view, id, tips, *found) for id, found in wanted.items()]
        report += [self._catch_up(view, id, tips, move) for id, move in behind]
        return [text for text in report if text]

    def _settle(
        self, view: View, id: TaskId, tips: Mapping[str, Oid], branch: str, commit: Oid
    ) -> str:
        if not self._contains(tips.get(branch), commit):
            return ""
        try:
            if view.find(id).status is Status.REVIEW:
                self._queue.accept(id, actor=_ACTOR)
                return f"{id}: {branch} contains its commit, so it is done"
            self._queue.confirm(id, commit=commit, actor=_ACTOR)
        except RemoteUnreachable:
            raise
        except BatonError:
            return ""  # somebody was faster, or a person must decide
        return f"{id}: its landing on {branch} was completed"

    def _catch_up(self, view: View, id: TaskId, tips: Mapping[str, Oid], move: Move) -> str:
        """Roll a landing forward that a dying server left with its record only.

        Once for each: a branch that is gone again was deleted by somebody who meant it, as one
        is whose commit the target has.
        """
        task = view.find(id)
        if not isinstance(move.target, Branch) or move in self._followed:
            return ""
        branch = move.target.name
        merged = self._contains(tips.get(task.target or self._default_target), move.new)
        if tips.get(branch) != move.old or merged or id in view.provisional:
            return ""
        if task.status not in (Status.DONE, Status.REVIEW):
            return ""
        if not self._upstream.has(move.new):
            return f"{id} is {task.status}, but {branch} lacks its commit {move.new[:10]}"
        self._followed.add(move)
        try:
            self._follow(move, _ACTOR)
        except RemoteUnreachable:
            raise
        except BatonError:
            return ""
        return f"{id}: {branch} had not followed its record, and does now"

    def _contains(self, tip: Oid | None, commit: Oid) -> bool:
        upstream = self._upstream
        return tip is not None and upstream.has(commit) and upstream.contains(tip, commit)


def _expected(task: Task, default_target: str) -> tuple[str, Oid] | None:
    """Return (branch, commit) that would show the task to be done, None if nothing would."""
    if task.status is Status.REVIEW and task.result is not None and task.result.commit:
        return task.target or default_target, Oid(task.result.commit)
    if task.status is Status.IN_PROGRESS and task.landing is not None:
        return task.landing.branch, Oid(task.landing.commit)
    return None
