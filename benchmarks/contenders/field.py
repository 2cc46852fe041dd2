"""A field to play on: a fresh remote with tasks for one contender, and clones of it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contenders import tags, tasks_json
from benchmarks.contenders.roster import Name, Seat
from benchmarks.lab.daemons import ROOT
from benchmarks.lab.lab import Way
from benchmarks.lab.workplace import Workplace, numbered

_LIVE_AT_ONCE = 90  # an addition of more goes to the board, to be given refs when it is their turn


@dataclass(frozen=True)
class Field:
    """``count`` free tasks for ``contender``, at a remote that is reached by ``way``."""

    place: Workplace
    way: Way
    contender: Name
    name: str
    remote: Path | None  # None: it needs no repository

    def seat(self, number: int, *, batch: int = 1) -> Seat:
        """Return a place for one claimant, with a clone of its own."""
        agent = f"agent-{number}"
        if self.remote is None:
            return Seat(contender="redis", agent=agent, redis=self.way.redis, key=self.name)
        url = self.way.url(self.remote)
        clone = self.place.clone(self.remote, f"{self.name}-{number}", url=url)
        return Seat(contender=self.contender, agent=agent, clone=str(clone), batch=batch)


def make_field(place: Workplace, way: Way, contender: Name, name: str, count: int) -> Field:
    """Make the remote and put the tasks there, by path: what it takes is not measured here."""
    if contender == "redis":
        _fill_redis(way, name, count)
        return Field(place, way, contender, name, None)
    remote = place.remote(name)
    first = place.root / f"{name}-first"
    ids = [str(task["id"]) for task in numbered(count)]
    if contender in ("tasks.json", "tasks.json+"):
        tasks = [{"id": id, "status": "pending", "claimedBy": None} for id in ids]
        (first / tasks_json.FILE).write_text(tasks_json.render(tasks))
        place.commit(first, "tasks")
    elif contender == "tags":
        (first / tags.FILE).write_text("".join(f"{id}\n" for id in ids))
        place.commit(first, "tasks")
    else:
        _fill_ours(place, first, count)
    return Field(place, way, contender, name, remote)


def _fill_ours(place: Workplace, first: Path, count: int) -> None:
    """Add the tasks, all with a ref of their own: the window of live tasks is made to fit."""
    (first / "baton.toml").write_text(f"[store]\nlive_window = {max(256, count)}\n")
    place.commit(first, "settings")
    place.baton(first, "init")
    tasks = list(numbered(count))
    for start in range(0, count, _LIVE_AT_ONCE):
        some = place.write_tasks(tasks[start : start + _LIVE_AT_ONCE])
        place.baton(first, "add", "--from", str(some))


def _fill_redis(way: Way, name: str, count: int) -> None:
    """Fill the list from the client's side of the link."""
    assert way.redis is not None, "no Redis server was started"
    host, port = way.redis
    ids = [str(task["id"]) for task in numbered(count)]
    words = [*way.side, sys.executable, "-m", "benchmarks.lab.redis", host, str(port)]
    words += ["RPUSH", f"{name}:free", *ids]
    subprocess.run(words, check=True, cwd=ROOT, env=dict(way.env), stdout=subprocess.DEVNULL)
