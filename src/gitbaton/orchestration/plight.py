"""What a look at a plan says about the health of things (pure)."""

from __future__ import annotations

from gitbaton.orchestration.look import Look
from gitbaton.plans.health.rules import Outlook
from gitbaton.tasks.model import Status


def outlook(look: Look) -> Outlook:
    """Return what the plan's own alarms are judged by: its phases, and all workers.

    Where no worker is known, nothing is said of phases that nobody could take: whoever runs
    ``baton work`` may take them, and is not in the registry.
    """
    return Outlook(
        workers=look.workers.found.values(),
        tasks={task.id: task for task in look.phases},
        lacking=_lacking(look) if look.hands else None,
    )


def _lacking(look: Look) -> dict[str, str]:
    """Return the pending phases whose words no known worker has, with the reason."""
    return {
        task.id: look.schedule.waiting.get(task.id) or f"it requires {', '.join(task.requires)}"
        for task in look.phases
        if task.status is Status.PENDING
        and not any(hand.words.issuperset(task.requires) for hand in look.hands)
    }
