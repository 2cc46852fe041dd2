"""Which of the commits that an agent left behind is the result (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitbaton.core.ids import Oid


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A commit that may be the result.

    ``expected``: it is where the agent was told to work (HEAD, the claim's branch). ``descends``:
    it contains the commit the agent began from. ``ahead``: that commit does not contain it.
    """

    oid: Oid
    expected: bool
    descends: bool
    ahead: bool


def choose_result(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the result, None where nothing was done or nobody can tell which it is.

    In this order: work at HEAD, on the claim's branch, on the only other branch that has any; then
    the same two expected places with a rewritten history. ``candidates`` come in order of trust.
    """
    ahead = [c for c in candidates if c.ahead]
    built = [c for c in ahead if c.descends]
    expected = [c for c in built if c.expected]
    if expected:
        return expected[0]
    if len({c.oid for c in built}) == 1:
        return built[0]
    return next((c for c in ahead if c.expected and not c.descends), None)
