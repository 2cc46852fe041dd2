"""When a frame closes: one table (pure)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet. ``for_``: live workers whose delta is missing; ``seconds``: how long at most.

    ``seconds`` is None where no time runs: nobody is there, the clock of the world stands still.
    """

    for_: tuple[str, ...]
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Close:
    """Merge what is there and publish the next frame. ``missing``: who was not waited for."""

    why: Literal["delivered", "deadline", "roster"]
    missing: tuple[str, ...]


Decision: TypeAlias = Wait | Close


def decide(
    *,
    roster: AbstractSet[str],
    live: AbstractSet[str],
    delivered: AbstractSet[str],
    late: bool,
    elapsed: float,
    deadline: float,
    settle: float = 0.0,
) -> Decision:
    """Say whether the frame closes now.

    ``roster``: the workers that got agents in this frame (its record has them); ``live``: those of
    any whose lease is current for this observer, so newcomers too; ``delivered``: workers whose
    delta of this frame is there; ``late``: a delta of an earlier frame waits; ``elapsed``: seconds
    since this observer first saw the frame, on its own clock (I5); ``settle``: seconds that
    newcomers are given to gather before they get the first frame of their own.

    | awaited | elapsed     | besides                         | then             |
    |---------|-------------|---------------------------------|------------------|
    | some    | < deadline  |                                 | wait for them    |
    | some    | >= deadline |                                 | close: deadline  |
    | none    |             | a delta is there, or a late one | close: delivered |
    | none    | < settle    | no delta, live newcomers        | wait             |
    | none    | >= settle   | no delta, live newcomers        | close: roster    |
    | none    |             | no delta, nobody new            | wait             |

    Awaited are those of the roster that live and have not delivered.
    ``missing`` of a close names all of the roster without a delta, dead ones too.
    """
    awaited = tuple(sorted((roster & live) - delivered))
    missing = tuple(sorted(roster - delivered))
    if awaited:
        if elapsed < deadline:
            return Wait(awaited, deadline - elapsed)
        return Close("deadline", missing)
    if delivered or late:
        return Close("delivered", missing)
    if live - roster:
        return Wait((), settle - elapsed) if elapsed < settle else Close("roster", missing)
    return Wait((), None)
