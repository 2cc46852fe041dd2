"""When a frame closes: one table (pure)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet. ``for_``: live workers whose delta is missing; ``seconds``: until the deadline.

    ``seconds`` is None where no deadline runs: nobody is there, the clock stands still.
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
    delta of this frame is there; ``late``: a delta of an earlier frame waits; ``elapsed`` and
    ``deadline``: seconds since this observer first saw the frame, on its own clock (I5).

    | a live one of the roster has not delivered | elapsed | else                | then            |
    |---|---|---|---|
    | yes | < deadline  |                                                    | wait for them   |
    | yes | >= deadline |                                                    | close: deadline |
    | no  |             | somebody delivered, or something late waits        | close: delivered|
    | no  | >= settle   | a live worker that is not in the roster            | close: roster   |
    | no  |             | nobody                                             | wait            |
    """
    raise NotImplementedError
