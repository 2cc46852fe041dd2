"""Claims: who wants one, what proves one, what is told to those whose claim has ended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gitbaton.core.errors import ClaimLost, InvalidInput
from gitbaton.core.ids import Nonce, TaskId, agent_name, task_id
from gitbaton.store.model import Version
from gitbaton.tasks.model import Claim, Task
from gitbaton.tasks.text import clean_line
from gitbaton.tasks.validation import capability

MOST_AT_ONCE: Final = 100
_TOKEN: Final = re.compile(r"([^:]+):([1-9][0-9]{0,9}):([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Token:
    """The proof of a claim. Text form ``<task>:<epoch>:<nonce>``."""

    task: TaskId
    epoch: int
    nonce: Nonce

    def __str__(self) -> str:
        return f"{self.task}:{self.epoch}:{self.nonce}"

    @staticmethod
    def parse(text: str) -> Token:
        """Return the token that ``str`` wrote; raise InvalidInput for anything else."""
        match = _TOKEN.fullmatch(text.strip())
        if not match:
            raise InvalidInput("token", "that is no token; write <task>:<epoch>:<nonce>")
        return Token(task_id(match[1], field="token"), int(match[2]), Nonce(match[3]))


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims: agent name, worker (one `baton work` process), machine, and what it can do."""

    agent: str
    worker: str
    machine: str
    capabilities: frozenset[str] = frozenset()

    def check(self) -> None:
        """Raise InvalidInput when a name or a capability is not allowed."""
        for field in ("agent", "worker", "machine"):
            agent_name(getattr(self, field), field=field)
        for word in self.capabilities:
            capability(word)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim just won."""

    task: Task
    token: Token
    version: Version


@dataclass(frozen=True, slots=True)
class Reaped:
    """A claim taken back: the task as it was and as it is now (or would be: dry run)."""

    before: Task
    after: Task
    reason: str


def seats_for(who: Claimant | Sequence[Claimant], count: int) -> Sequence[Claimant]:
    """Return who gets the claims: ``count`` times the one, or each of several once."""
    wanted = count if isinstance(who, Claimant) else len(who)
    if not 1 <= wanted <= MOST_AT_ONCE:
        raise InvalidInput("count", f"{wanted} is not between 1 and {MOST_AT_ONCE}")
    if not isinstance(who, Claimant) and count != 1:
        raise InvalidInput("count", "each of several claimants gets one")
    seats = [who] * count if isinstance(who, Claimant) else list(who)
    for claimant in set(seats):
        claimant.check()
    if len({claimant.capabilities for claimant in seats}) > 1:
        raise InvalidInput("capabilities", "claimants of one claim can all do the same")
    return seats


def token_of(task: Task, claim: Claim) -> Token:
    """Return the token that proves ``claim``."""
    return Token(task.id, claim.epoch, Nonce(claim.nonce))


def require_claim(task: Task, token: Token) -> Claim:
    """Return the claim that ``token`` proves; raise ClaimLost when it is not the current one."""
    claim = task.claim
    if claim is not None and (claim.epoch, claim.nonce) == (token.epoch, token.nonce):
        return claim
    raise ClaimLost(task.id, _fate(task, token))


def ended_by(task: Task, token: Token, *words: str) -> bool:
    """Tell whether this very claim was the last one, and ended by one of ``words``.

    So a call whose acknowledgement was lost can be repeated (I4).
    """
    ended = task.ended
    return (
        ended is not None
        and (ended.epoch, ended.nonce) == (token.epoch, token.nonce)
        and ended.word in words
    )


def _fate(task: Task, token: Token) -> str:
    """Return who holds the task now, or what became of it."""
    yours = f"your claim was of epoch {token.epoch}"
    if task.claim is not None:
        holder = task.claim
        return (
            f"task {task.id!r} is held by {holder.agent} (epoch {holder.epoch}) since "
            f"{holder.claimed_at}; {yours}"
        )
    if token.epoch > task.epoch:
        return f"task {task.id!r} has only been claimed {task.epoch} times; {yours}"
    why = ""
    if task.ended is not None:
        why = f" (epoch {task.ended.epoch} ended with {task.ended.word}"
        why += f": {clean_line(task.reason)})" if task.reason else ")"
    return f"task {task.id!r} is {task.status} since {task.updated_at}{why}; {yours}"
