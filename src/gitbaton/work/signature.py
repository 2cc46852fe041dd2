"""Who signs what gitbaton commits: an actor at a moment, for our objects and for git itself."""

from __future__ import annotations

from gitbaton.core.clock import Clock
from gitbaton.git.objects import Person
from gitbaton.store.model import Actor


def person(actor: Actor, clock: Clock) -> Person:
    """Return ``actor`` now, as a commit names its author."""
    return Person(actor.name, actor.email, int(clock.now().timestamp()))


def identity(actor: Actor, clock: Clock) -> dict[str, str]:
    """Return the environment in which git commits as ``actor`` now."""
    date = f"@{int(clock.now().timestamp())} +0000"
    return {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", actor.name), ("EMAIL", actor.email), ("DATE", date))
    }
