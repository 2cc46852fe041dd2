"""Slices: which worker runs which agents in a frame, and in which of its streams (pure).

Rendezvous hashing (Thaler and Ravishankar 1998) weighted by streams: whoever knows the workers of
a frame and the agents of its world finds the same answer, and a worker that joins or leaves moves
only its share.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias

Slice: TypeAlias = tuple[tuple[str, ...], ...]
"""The agents of each of a worker's streams."""


def deal(
    agents: Collection[str],
    workers: Mapping[str, int],
    assigned: Mapping[str, str] | None = None,
) -> dict[str, Slice]:
    """Return the slice of every worker; each agent is in exactly one stream of one worker.

    ``workers`` has the number of streams of each live worker. ``assigned`` says which worker runs
    an agent, explicitly; while that worker is not there the agent is dealt like the others.
    Without workers nobody gets anything.
    """
    raise NotImplementedError
