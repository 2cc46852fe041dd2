"""Which ready phase goes to which worker, in which order, and why the others wait (pure).

The rules, in docs/design/plans.md too:

1. A phase is ready when it is pending, its needs are met, nothing else holds it, and its paths
   meet no reservation that stands.
2. Ready ones are taken by priority, then the heaviest chain that begins with them, then age, then
   their order in the plan.
3. Each goes to the least loaded of the workers that are here, have every word that it requires
   and a free place. It takes that place, and reserves its paths against those after it.

The result is advice: whoever claims first has the phase.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gitbaton.core.ids import TaskId
from gitbaton.plans.pathtree import PathTree
from gitbaton.plans.words import describe, pin_of
from gitbaton.tasks.globs import common_file
from gitbaton.tasks.machine import next_command
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.readiness import is_met
from gitbaton.tasks.text import clean_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """A worker as the schedule sees it. ``words``: see ``ability.words_of``.

    ``busy``: places taken. ``load``: by processors. ``away``: why it takes nothing now, else None.
    """

    name: str
    words: frozenset[str]
    slots: int = 1
    busy: int = 0
    load: float = 0.0
    away: str | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """This phase should go to this worker."""

    task: TaskId
    worker: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """What to do now, in this order, and for each other open phase what it waits for."""

    assignments: Sequence[Assignment]
    waiting: Mapping[TaskId, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that a schedule depends on.

    ``tasks``: every task, of the plan or not. ``phases``: those of the plan, in its order.
    ``tails``: the weight of the heaviest chain that begins with a phase (``Graph.tails``), 1 where
    nothing is said. ``held``: what keeps a phase from starting besides its needs and paths (a
    closed gate, a back-off), as a sentence. ``reserved``: globs of tasks in progress, by task.
    ``declined``: workers that are not to be offered a phase again for now.
    """

    tasks: Mapping[TaskId, Task]
    phases: Sequence[TaskId]
    hands: Sequence[Hand]
    tails: Mapping[TaskId, float] = field(default_factory=dict)
    held: Mapping[TaskId, str] = field(default_factory=dict)
    reserved: Mapping[TaskId, Sequence[str]] = field(default_factory=dict)
    declined: Mapping[TaskId, Collection[str]] = field(default_factory=dict)


def schedule(scene: Scene) -> Schedule:
    """Return who should take what now."""
    waiting: dict[TaskId, str] = {}
    ready: list[Task] = []
    for id in scene.phases:
        task = scene.tasks.get(id)
        if task is None or task.status is not Status.PENDING:
            continue
        why = _unmet_need(task, scene.tasks) or scene.held.get(id)
        if why is None:
            ready.append(task)
        else:
            waiting[id] = why
    crew = _Crew(scene.hands, scene.declined)
    paths = _Reservations(scene.reserved)
    assignments: list[Assignment] = []
    for task in _in_order(ready, scene.tails):
        why = crew.missing(task) or crew.unwilling(task) or crew.full(task) or paths.taken(task)
        if why is not None:
            waiting[task.id] = why
            continue
        assignments.append(Assignment(task.id, crew.take(task)))
        paths.add(task.id, task.paths)
    return Schedule(assignments, waiting)


def _in_order(ready: Sequence[Task], tails: Mapping[TaskId, float]) -> list[Task]:
    """Return ``ready`` by priority, heaviest chain, age; equals stay in their order."""
    return sorted(ready, key=lambda task: (task.priority, -tails.get(task.id, 1), task.created_at))


def _unmet_need(task: Task, tasks: Mapping[TaskId, Task]) -> str | None:
    for need in task.needs:
        other = tasks.get(need)
        if other is None:
            return f"it needs {need}, which does not exist; next: baton edit {task.id}"
        if not is_met(other):
            stuck = other.status in (Status.FAILED, Status.CANCELLED, Status.BLOCKED)
            because = f": {clean_line(other.reason, 80)}" if stuck and other.reason else ""
            then = f"; next: {next_command(other)}" if stuck else ""
            return f"it needs {need}, which is {other.status}{because}{then}"
    return None


class _Crew:
    """The workers, and how many of their places are taken."""

    def __init__(self, hands: Sequence[Hand], declined: Mapping[TaskId, Collection[str]]) -> None:
        self._hands = hands
        self._declined = declined
        self._busy = {hand.name: hand.busy for hand in hands}
        self._by_words: dict[frozenset[str], list[Hand]] = {}

    def missing(self, task: Task) -> str | None:
        """Return why nobody could take ``task`` even with all places free; None: somebody could."""
        able = self._able(task)
        here = [hand for hand in able if hand.away is None]
        if here:
            return None
        if able:
            names = ", ".join(f"{hand.name} ({hand.away})" for hand in able[:3])
            return f"those who could do it are not taking work: {names}"
        if not self._hands:
            return "there is no worker; next: baton worker serve"
        return self._lacking(task)

    def unwilling(self, task: Task) -> str | None:
        """Return who declined ``task``, if all who could take it did; they may claim it yet."""
        if self._willing(task):
            return None
        names = ", ".join(hand.name for hand in self._able(task)[:3] if hand.away is None)
        return f"it was offered to {names}, and not taken"

    def full(self, task: Task) -> str | None:
        """Return why none of those who could take ``task`` has a place; None: one has."""
        able = self._willing(task)
        if any(self._is_free(hand) for hand in able):
            return None
        more = f" and {len(able) - 3} more" if len(able) > 3 else ""
        return f"no free place on {', '.join(hand.name for hand in able[:3])}{more}"

    def take(self, task: Task) -> str:
        """Take a place of the least loaded worker that can do ``task``, of which there is one."""
        free = [hand for hand in self._willing(task) if self._is_free(hand)]
        chosen = min(free, key=self._rank)
        self._busy[chosen.name] += 1
        return chosen.name

    def _is_free(self, hand: Hand) -> bool:
        return self._busy[hand.name] < hand.slots

    def _rank(self, hand: Hand) -> tuple[float, float, str]:
        return self._busy[hand.name] / hand.slots, hand.load, hand.name

    def _willing(self, task: Task) -> Sequence[Hand]:
        declined = self._declined.get(task.id, ())
        return [h for h in self._able(task) if h.away is None and h.name not in declined]

    def _able(self, task: Task) -> Sequence[Hand]:
        words = frozenset(task.requires)
        if words not in self._by_words:
            self._by_words[words] = [hand for hand in self._hands if words <= hand.words]
        return self._by_words[words]

    def _lacking(self, task: Task) -> str:
        pin = pin_of(task.requires)
        pinned = next((hand for hand in self._hands if hand.name == pin), None)
        if pin is not None and pinned is None:
            return f"it is pinned to {pin!r}, which is not registered; next: baton worker list"
        for hand in (pinned,) if pinned else ():
            words = [describe(word) for word in task.requires if word not in hand.words]
            return f"it is pinned to {hand.name!r}, but {' and '.join(words)}"
        had = frozenset().union(*(hand.words for hand in self._hands))
        absent = [describe(word) for word in task.requires if word not in had]
        if absent:
            return f"{' and '.join(absent)}, which no worker has; next: baton worker list"
        words = [describe(word) for word in task.requires]
        return f"{' and '.join(words)}, and no one worker has all of it; next: baton worker list"


class _Reservations:
    """The globs that are taken, and by whom."""

    def __init__(self, reserved: Mapping[TaskId, Iterable[str]]) -> None:
        self._tree = PathTree()
        self._owner: dict[str, TaskId] = {}
        for id, globs in reserved.items():
            self.add(id, globs)

    def add(self, id: TaskId, globs: Iterable[str]) -> None:
        """Reserve ``globs`` for a task."""
        for glob in globs:
            if self._owner.setdefault(glob, id) == id:
                self._tree.add(glob)

    def taken(self, task: Task) -> str | None:
        """Return why the paths of ``task`` are not free, None if they are."""
        for glob in task.paths:
            for other in self._tree.near(glob):
                file = common_file(glob, other)
                if file is not None and self._owner[other] != task.id:
                    owner = self._owner[other]
                    return f"{owner} may touch the same files: {clean_line(file)}"
        return None
