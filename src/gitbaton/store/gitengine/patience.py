"""How long one transaction is tried, and what is said of it when it is given up (pure)."""

from __future__ import annotations

from gitbaton.store.gitengine.attempts import Attempts
from gitbaton.store.gitengine.plan import Plan
from gitbaton.store.model import Rejected, Unknown

_PATIENCE = 60.0  # seconds of lost races, though every expectation held, before we give up
_LOCKED = 8.0  # the same where the board, which all move, is not in it: only a lock explains that
_LOCKED_TURNS = 6  # ... and how often it was tried at least, however slow the remote is
_REFUSALS = 2  # answers of the host that make a refusal its last word
_UNSENT = 3  # pushes that git would not even send


def lost_patience(
    tried: Attempts, plan: Plan, waited: float, turn: int
) -> Rejected | Unknown | None:
    """Return why ``tried`` is given up although nothing it expects has changed, None to go on.

    If ever an answer was lost, nobody can say that it was not done: the server, or a gateway before
    it, may still be at it, and what it expects is as it was.
    """
    why = _too_much(tried, plan, waited, turn)
    if why is None or not tried.in_doubt:
        return why
    return Unknown(f"the answer to a push was lost, and it was not carried out yet ({why.reason})")


def _too_much(tried: Attempts, plan: Plan, waited: float, turn: int) -> Rejected | None:
    if tried.refusals >= _REFUSALS or tried.unsent > _UNSENT:
        return Rejected(tried.last.reason, tried.ref)
    if waited > _PATIENCE and tried.plans:  # planning a long add may take long itself
        why = f"others were faster for {waited:.0f} seconds ({tried.last.reason})"
        return Rejected(why, tried.ref, "contention")
    if waited > _LOCKED and turn > _LOCKED_TURNS and plan.board_commit is None:
        why = f"locked for {waited:.0f} seconds ({tried.last.reason})"
        return Rejected(why, tried.ref, "contention")
    return None
