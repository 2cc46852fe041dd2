"""From what one observer sees to what people should hear of (pure).

Durations are on the observer's own clock (I5). Only how long a task waits for a person is by wall
clocks: it may be wrong. No alert acts on anything: claims run out by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, TypeAlias

from gitbaton.core.durations import format_duration
from gitbaton.core.ids import TaskId
from gitbaton.plans.registry.presence import Presence, Sighted
from gitbaton.tasks.machine import next_command
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.overdue import find_overdue
from gitbaton.tasks.readiness import is_met
from gitbaton.tasks.text import clean_line

AlertKind: TypeAlias = Literal[
    "worker-gone",  # it went without a word
    "worker-refuses",  # its runtime will not do
    "message-pending",  # nobody has answered it for long
    "agent-stalled",  # no output, and no file changed, for long
    "task-waits",  # for a person, for long
    "gate",  # a task waits for an approval
    "no-worker",  # a phase that no worker could take
]
EVERY: Final[frozenset[AlertKind]] = frozenset(
    {
        *("worker-gone", "worker-refuses", "message-pending", "agent-stalled"),
        *("task-waits", "gate", "no-worker"),
    }
)


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that people should hear of. ``key`` is the same as long as it is the same thing."""

    kind: AlertKind
    about: str
    text: str
    key: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A message without a response. ``age``: seconds since this observer first saw it."""

    handle: str
    worker: str
    age: float
    sender: str = ""
    task: str | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """An agent at work, and for how many seconds it has neither printed nor changed anything."""

    task: str
    epoch: int
    quiet: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From when on it is long. Seconds."""

    message_age: float = 600.0
    stall: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What one observer sees. None: it has not looked, and nothing can be said of that.

    ``lacking``: phases that no known worker could take, with the reason.
    """

    workers: Iterable[Sighted] | None = None
    messages: Iterable[Pending] | None = None
    agents: Iterable[Activity] | None = None
    tasks: Mapping[TaskId, Task] | None = None
    lacking: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """All alerts there are now, of the kinds that could be judged."""

    alerts: tuple[Alert, ...]
    judged: frozenset[AlertKind] = field(default_factory=frozenset)


def judge(outlook: Outlook, limits: Limits, now: datetime) -> Judgement:
    """Return what people should hear of. ``now``: by the wall clock, for what is told to them."""
    alerts: list[Alert] = []
    judged: set[AlertKind] = set()
    if outlook.workers is not None:
        alerts += _workers(outlook.workers)
        judged |= {"worker-gone", "worker-refuses"}
    if outlook.messages is not None:
        alerts += _messages(outlook.messages, limits.message_age)
        judged |= {"message-pending"}
    if outlook.agents is not None:
        alerts += _stalls(outlook.agents, limits.stall)
        judged |= {"agent-stalled"}
    if outlook.tasks is not None:
        alerts += [*_overdue(outlook.tasks, now), *_gates(outlook.tasks)]
        judged |= {"task-waits", "gate"}
    if outlook.lacking is not None:
        alerts += [_alert("no-worker", id, why) for id, why in sorted(outlook.lacking.items())]
        judged |= {"no-worker"}
    return Judgement(tuple(alerts), frozenset(judged))


def _workers(workers: Iterable[Sighted]) -> Iterator[Alert]:
    for seen in workers:
        worker = seen.worker
        if seen.presence is Presence.LOST:
            busy = f", while it had {', '.join(worker.busy[:5])}" if worker.busy else ""
            text = f"worker {worker.name} on {worker.machine} went without a word{busy}"
            yield _alert("worker-gone", worker.name, text, worker.session or "")
        elif seen.presence is Presence.REFUSING:
            text = f"worker {worker.name} takes no tasks: {worker.reason or 'it says not why'}"
            yield _alert("worker-refuses", worker.name, text, worker.session or "")


def _messages(messages: Iterable[Pending], limit: float) -> Iterator[Alert]:
    for message in messages:
        if message.age >= limit:
            task = f" about {message.task}" if message.task else ""
            sender = f" from {message.sender}" if message.sender else ""
            text = (
                f"a message{sender} to {message.worker}{task} has had no response for "
                f"{format_duration(limit)}"
            )
            yield _alert("message-pending", message.worker, text, message.handle)


def _stalls(agents: Iterable[Activity], limit: float) -> Iterator[Alert]:
    for agent in agents:
        if agent.quiet >= limit:
            text = (
                f"the agent of {agent.task} has printed nothing and changed no file for "
                f"{format_duration(limit)}; it may wait for input: baton logs {agent.task}"
            )
            yield _alert("agent-stalled", agent.task, text, str(agent.epoch))


def _overdue(tasks: Mapping[TaskId, Task], now: datetime) -> Iterator[Alert]:
    for task in find_overdue(tasks.values(), now):
        text = f"{task.id} is {task.status} since {task.updated_at}; next: {next_command(task)}"
        yield _alert("task-waits", task.id, text, task.updated_at)


def _gates(tasks: Mapping[TaskId, Task]) -> Iterator[Alert]:
    for task in sorted(tasks.values(), key=lambda task: task.id):
        waits = task.status is Status.PENDING and task.gate and task.approval is None
        if waits and all(need in tasks and is_met(tasks[need]) for need in task.needs):
            text = f"{task.id} waits at gate {task.gate}; next: baton approve {task.id}"
            yield _alert("gate", task.id, text, str(task.gate), str(task.gate_round))


def _alert(kind: AlertKind, about: str, text: str, *more: str) -> Alert:
    return Alert(kind, about, clean_line(text, 500), "\0".join((kind, about, *more)))
