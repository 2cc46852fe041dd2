"""Pushes a finished task, of a worker with several slots."""

from __future__ import annotations

from benchmarks.lab.links import LOCAL
from benchmarks.parts.fleet import work
from benchmarks.parts.session import Session


def run(session: Session) -> None:
    """Let one worker finish the tasks, and count."""
    scale = session.scale
    with session.attempt(f"pushes: {scale.slots} slots, {scale.slot_tasks} tasks"):
        result = work(
            session.lab.workplace,
            session.lab.open(LOCAL),
            "pushes",
            slots=scale.slots,
            tasks=scale.slot_tasks,
            thinking=scale.thinking,
        )
        session.document.pushes.append(result)
        session.say(f"  {result.pushes_per_task} pushes a task")
