"""Slices: which worker runs which agents in a frame, and in which of its streams (pure).

Rendezvous hashing (Thaler and Ravishankar 1998): every agent prefers the workers in an order of
its own, so whoever knows the workers of a frame and the agents of its world finds the same answer,
and a worker that joins or leaves moves little more than its share. Hashing alone would give some
stream three times the mean, and the frame lasts as long as its longest stream. So no stream gets
more agents than it must (agents / streams, rounded up); of those that prefer a full worker, the
ones that prefer it most stay (deferred acceptance, Gale and Shapley 1962: the order does not
matter). A worker's number of streams is thereby its weight.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping
from hashlib import blake2b
from typing import Final, TypeAlias

Slice: TypeAlias = tuple[tuple[str, ...], ...]
"""The agents of each of a worker's streams."""

_MASK: Final = 2**64 - 1
_MIX: Final = 0xFF51AFD7ED558CCD  # of MurmurHash3's 64-bit finalizer


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


def _accept(agents: Iterable[str], room: Mapping[str, int]) -> Iterable[tuple[str, str]]:
    """Give each agent the worker it prefers most among those that keep it."""
    doors = [(_hash(worker), worker) for worker in room]
    kept: dict[str, list[tuple[int, str]]] = {worker: [] for worker in room}
    refused: dict[str, set[str]] = {}
    for newcomer in agents:
        agent = newcomer
        while True:
            name, closed = _hash(agent), refused.get(agent, ())
            score, worker = max(
                (_mix(name ^ door), worker) for door, worker in doors if worker not in closed
            )
            heapq.heappush(kept[worker], (score, agent))
            if len(kept[worker]) <= room[worker]:
                break
            agent = heapq.heappop(kept[worker])[1]
            refused.setdefault(agent, set()).add(worker)
    return ((agent, worker) for worker, names in kept.items() for _, agent in names)


def _spread(agents: Iterable[str], streams: int) -> Slice:
    names = sorted(agents)
    return tuple(tuple(names[at::streams]) for at in range(streams))


def _hash(name: str) -> int:
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _mix(number: int) -> int:
    number ^= number >> 33
    number = number * _MIX & _MASK
    return number ^ number >> 33
