"""What a look at a plan says about the health of things (pure)."""

from __future__ import annotations

from gitbaton.orchestration.look import Look
from gitbaton.plans.health.notable import notable_tasks
from gitbaton.plans.health.rules import Outlook
from gitbaton.tasks.model import Status


def shared_outlook(look: Look) -> Outlook:
    """Return what everybody in a clone judges alike: all workers, all tasks that are open."""
    return Outlook(workers=look.workers.found.values(), tasks=notable_tasks(look.view))


def own_outlook(look: Look) -> Outlook:
    """Return what only an orchestrator of this plan sees: phases that nobody known could take.

    Where no worker is known, nothing is said: whoever runs ``baton work`` may take them, and is
    not in the registry.
    """
    return Outlook(lacking=_lacking(look) if look.hands else None)


def _lacking(look: Look) -> dict[str, str]:
    """Return the pending phases whose words no known worker has, with the reason."""
    return {
        task.id: look.schedule.waiting.get(task.id) or f"it requires {', '.join(task.requires)}"
        for task in look.phases
        if task.status is Status.PENDING
        and not any(hand.words.issuperset(task.requires) for hand in look.hands)
    }
