"""What a run of an agent and what it left behind amount to (pure)."""

from __future__ import annotations

from gitbaton.core.ids import Oid
from gitbaton.work.ending import AttemptFailed
from gitbaton.work.leftovers import Leftovers
from gitbaton.work.outcome import AgentOutcome


def judge_work(outcome: AgentOutcome, left: Leftovers) -> Oid | None:
    """Return the commit to land, None for a task done without a change. Raises AttemptFailed."""
    if not outcome.succeeded:
        raise AttemptFailed(f"the agent failed: {outcome.summary}\n{outcome.tail}".rstrip())
    if outcome.left:
        raise AttemptFailed(f"{outcome.left} process(es) of the agent could not be ended")
    if left.unfinished:
        raise AttemptFailed(f"the agent left {_unfinished(left.unfinished)} in its worktree")
    if left.rewritten:
        raise AttemptFailed("the agent rewrote commits that were there before it")
    if left.unsaved:
        raise AttemptFailed(f"files that cannot be read: {', '.join(left.unsaved[:5])}")
    if left.result is None and left.others:
        where = ", ".join(dict.fromkeys(tip.what for tip in left.others))
        raise AttemptFailed(f"the agent left its work where no result is looked for: {where}")
    if left.result is None and left.gone:
        raise AttemptFailed("the agent removed its worktree and committed nothing")
    return left.result


def _unfinished(operation: str) -> str:
    return "conflicts" if operation == "unmerged" else f"an unfinished {operation}"
