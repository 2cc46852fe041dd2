"""Slices: which worker runs which agents in a frame, and in which of its streams (pure).

Consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam 2018): every worker stands
at many places of a ring, every agent at one, and each goes on along the ring until a worker takes
it. So whoever knows the workers of a frame and the agents of its world finds the same answer, and a
worker that joins or leaves moves little more than its share. Hashing alone would give some stream
three times the mean, and the frame lasts as long as its longest stream. So no stream gets more
agents than it must (agents / streams, rounded up); of those that come to a full worker, the ones
with the shortest way stay (deferred acceptance, Gale and Shapley 1962: the order does not matter).
A worker's number of streams is thereby its weight.
"""

from __future__ import annotations

import heapq
import struct
from bisect import bisect
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import shake_128
from typing import Final, TypeAlias

Slice: TypeAlias = tuple[tuple[str, ...], ...]
"""The agents of each of a worker's streams."""

_PLACES: Final = 128  # of a worker on the ring: of more, fewer agents move, and it costs more
_TURN: Final = 2**64  # the length of the ring


def deal(
    agents: Collection[str],
    workers: Mapping[str, int],
    assigned: Mapping[str, str] | None = None,
) -> dict[str, Slice]:
    """Return the slice of every worker; each agent is in exactly one stream of one worker.

    ``workers`` has the number of streams (at least 1) of each live worker. ``assigned`` says which
    worker runs an agent, explicitly; while that worker is not there the agent is dealt like the
    others. Without workers nobody gets anything.
    """
    if not workers:
        return {}
    held: dict[str, list[str]] = {worker: [] for worker in sorted(workers)}
    free: list[str] = []
    for agent in sorted(set(agents)):
        held.get((assigned or {}).get(agent, ""), free).append(agent)
    room = _room(len(free), workers, {worker: len(names) for worker, names in held.items()})
    for agent, worker in _accept(free, room):
        held[worker].append(agent)
    return {worker: _spread(names, workers[worker]) for worker, names in held.items()}


def _room(count: int, workers: Mapping[str, int], held: Mapping[str, int]) -> dict[str, int]:
    """Return how many of ``count`` more agents each worker takes, for the shortest frame."""
    each = -(-(count + sum(held.values())) // sum(workers.values()))
    while True:
        room = {worker: max(0, each * workers[worker] - held[worker]) for worker in held}
        if sum(room.values()) >= count:
            return room
        each += 1


def _accept(agents: Iterable[str], room: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Let each agent go along the ring to the first worker that keeps it.

    Who was refused at one place of a worker is refused at its later ones, which are further away:
    a worker's longest way only gets shorter. There is room for all, so one turn is enough.
    """
    owner = {place: w for w, most in room.items() if most for place in _places(w, _PLACES)}
    ring = sorted(owner)
    doors = [owner[place] for place in ring]
    kept: dict[str, list[tuple[int, str, int, int]]] = {worker: [] for worker in room}
    for agent in agents:
        (home,) = _places(agent, 1)
        name, at = agent, bisect(ring, home)
        while True:
            at %= len(ring)
            guests, most = kept[doors[at]], room[doors[at]]
            way = (ring[at] - home) % _TURN
            coming = (-way, name, home, at)  # a heap gives up its least: who came from furthest
            if len(guests) < most:
                heapq.heappush(guests, coming)
                break
            _, name, home, at = heapq.heappushpop(guests, coming)
            at += 1
    return ((guest[1], worker) for worker, guests in kept.items() for guest in guests)


def _spread(agents: Iterable[str], streams: int) -> Slice:
    names = sorted(agents)
    return tuple(tuple(names[at::streams]) for at in range(streams))


def _places(name: str, count: int) -> tuple[int, ...]:
    """Return where ``name`` stands on the ring."""
    digest = shake_128(name.encode("utf-8", "surrogatepass")).digest(8 * count)
    return struct.unpack(f">{count}Q", digest)
