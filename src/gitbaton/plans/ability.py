"""What a worker can do for a plan: its words, its places, whether it is there (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitbaton.plans.registry.presence import Presence, Sighted
from gitbaton.plans.registry.record import WorkerRecord
from gitbaton.plans.scheduling import Hand
from gitbaton.plans.toolchain.requirements import unmet
from gitbaton.plans.words import is_kept, pin_word, toolchain_word
from gitbaton.tasks.model import Task
from gitbaton.tasks.text import clean_line


def words_of(worker: WorkerRecord, plans: Mapping[str, Mapping[str, str]]) -> frozenset[str]:
    """Return all words that ``worker`` has. ``plans``: the toolchain of each plan that is known.

    Kept words that it claims by itself count for nothing. Raises InvalidInput when a toolchain
    is none.
    """
    own = {word for word in worker.capabilities if not is_kept(word)}
    able = {toolchain_word(p) for p, tools in plans.items() if not unmet(tools, worker.toolchain)}
    return frozenset(own | able | {pin_word(worker.name)})


def hand_of(
    sighted: Sighted, plans: Mapping[str, Mapping[str, str]], tasks: Iterable[Task]
) -> Hand:
    """Return a worker as the schedule sees it. ``tasks``: all in progress, of any plan.

    What its record says of its places may be old: the tasks that name it count as well.
    """
    worker = sighted.worker
    held = {
        task.id for task in tasks if task.claim is not None and task.claim.worker == worker.name
    }
    return Hand(
        name=worker.name,
        words=words_of(worker, plans),
        slots=worker.slots,
        busy=max(len(held), len(worker.busy)),
        load=worker.load or 0.0,
        away=_away(sighted),
    )


def _away(sighted: Sighted) -> str | None:
    """Return why a worker takes nothing now, None if it does."""
    if sighted.presence is Presence.SERVING:
        return None
    if sighted.presence is Presence.LOST:
        return f"not heard of for {sighted.watched:.0f}s"
    reason = sighted.worker.reason
    return sighted.presence.value + (f": {clean_line(reason, 80)}" if reason else "")
