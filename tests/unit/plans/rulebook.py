"""The rules of scheduling, stated a second time and as plainly as can be: slow, for small plans."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from gitbaton.plans.scheduling import Hand, Scene
from gitbaton.tasks.globs import common_file
from gitbaton.tasks.model import Task


def best(scene: Scene) -> list[tuple[str, str]]:
    """Return what should happen, by a statement of the rules that shares nothing with the code.

    Among all ways to give ready phases to workers that break no rule, the best one serves the
    first phase if any way does, then the second, and so on; and each by the emptiest worker.
    """
    tasks = scene.tasks
    ready = [
        tasks[id]
        for id in scene.phases
        if tasks[id].status == "pending"
        and id not in scene.held
        and all(tasks[n].status == "done" for n in tasks[id].needs)
    ]
    ready.sort(key=lambda t: scene.phases.index(t.id))
    ready.sort(key=lambda t: t.created_at)
    ready.sort(key=lambda t: scene.tails[t.id], reverse=True)
    ready.sort(key=lambda t: t.priority)
    ways = itertools.product([*scene.hands, None], repeat=len(ready))
    valid = [way for way in ways if breaks_nothing(ready, way, scene)]
    winner = max(valid, key=lambda way: merit(way, scene), default=())
    return [(t.id, w.name) for t, w in zip(ready, winner, strict=True) if w is not None]


def breaks_nothing(ready: Sequence[Task], way: Sequence[Hand | None], scene: Scene) -> bool:
    """Tell whether giving ``ready`` out in this way breaks no rule."""
    given = [(t, w) for t, w in zip(ready, way, strict=True) if w is not None]
    globs = [t.paths for t, _ in given]
    globs += [t.paths for t in scene.tasks.values() if t.status == "in-progress"]
    return (
        all(w.away is None and set(t.requires) <= w.words for t, w in given)
        and all(way.count(h) <= max(h.slots - h.busy, 0) for h in scene.hands)
        and not any(meet(one, other) for one, other in itertools.combinations(globs, 2))
    )


def meet(one: Sequence[str], other: Sequence[str]) -> bool:
    """Tell whether two lists of globs can match one file."""
    return any(common_file(g, h) for g in one for h in other)


def merit(way: Sequence[Hand | None], scene: Scene) -> list[tuple[float, ...]]:
    """Return what to compare ways by: phase by phase, served or not, and how empty the worker."""
    steps: list[tuple[float, ...]] = []
    for at, chosen in enumerate(way):
        if chosen is None:
            steps.append((0.0,))
        else:
            share = (chosen.busy + way[:at].count(chosen)) / chosen.slots
            steps.append((1.0, -share, -chosen.load, -float(scene.hands.index(chosen))))
    return steps


def meets_itself(phases: Sequence[Task]) -> bool:
    """Tell whether two phases in progress touch one file, which claims do not let happen."""
    running = [t.paths for t in phases if t.status == "in-progress"]
    return any(meet(one, other) for one, other in itertools.combinations(running, 2))
