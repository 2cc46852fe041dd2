"""A storm: workers, commands and the server are killed at random moments; then all goes on.

fleet at work -> kills for some seconds -> no more kills -> everybody finishes -> the verdict
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.checker import Report
from tests.functional.baton import COMMAND, Baton
from tests.guards import left_behind
from tests.hermetic import MARK
from tests.integration.chaos.administrator import Administrator
from tests.integration.chaos.assassin import Assassin, stale_locks
from tests.integration.chaos.fleet import Fleet
from tests.integration.chaos.person import Person
from tests.integration.chaos.verdict import assert_sound, read_reports

LEASES = {"file": "3s", "ssh": "6s", "http": "6s"}  # a renewal is due in a third of it
LENGTH = 3.5  # seconds in which things are killed
PATIENCE = 150.0  # seconds in which everybody must have finished afterwards
AGENT = Path(__file__).with_name("agent.py")

TASKS: Sequence[dict[str, object]] = (
    {"id": "plain-1", "title": "Plain", "priority": 1},
    {"id": "plain-2", "title": "Plain"},
    {"id": "needing", "title": "Needs another", "needs": ["plain-1"]},
    {"id": "narrow-1", "title": "Reserves paths", "paths": ["narrow-*"]},
    {"id": "narrow-2", "title": "Reserves the same", "paths": ["narrow-2*"]},
    {"id": "gated", "title": "Behind a gate", "gate": "prod"},
    {"id": "person-1", "title": "For people", "requires": ["person"]},
    {"id": "person-2", "title": "For people", "requires": ["person"], "needs": ["person-1"]},
)


@dataclass
class Storm:
    """One storm over ``fleet``: the last of its clones is a person's, the others have workers.

    ``story`` tells what was done to whom; it is printed, so a failed test shows it.
    """

    fleet: Fleet
    rng: random.Random
    story: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reports = self.fleet.root / "reports"
        self.logs = self.fleet.root / "logs"
        self.logs.mkdir()
        self.land = self.rng.choice(["merge", "branch"])
        self.lease = LEASES[self.fleet.remote.site.kind]
        mood = random.Random(self.rng.random())
        self.person = Person(self.fleet.clones[-1], mood, self.lease)
        self._began = time.monotonic()
        self._workers: list[Worker] = []

    def run(self) -> None:
        """Let it pass over, and judge. Raises AssertionError."""
        self.fleet.add(TASKS)
        assassin = Assassin(self.fleet.remote)
        with Administrator(self.fleet.remote.path) as administrator, self._bystander():
            try:
                self._rage(assassin)
                assassin.unload()
                self._tell(f"calm: {assassin.fired} pushes were cut off")
                self._calm()
            finally:
                for worker in self._workers:
                    worker.kill(tree=True)
                self._tell(f"the administrator removed {administrator.removed or 'nothing'}")
        self._judge()

    # --- the kills

    def _rage(self, assassin: Assassin) -> None:
        for _ in range(self.rng.randrange(4)):
            self._tell(f"loaded: {assassin.load_at_random(self.rng)}")
        for clone in self.fleet.clones[:-1]:
            self._start(clone)
        strikes = [self._kill_a_worker] * self.rng.randint(1, 3)
        strikes += [lambda: self._tell(assassin.load_at_random(self.rng))] * self.rng.randrange(3)
        moments = sorted(self.rng.uniform(0.3, LENGTH) for _ in strikes)
        self.rng.shuffle(strikes)
        with ThreadPoolExecutor(1) as pool:
            errands = pool.submit(self.person.hurry, LENGTH)
            begun = time.monotonic()
            for moment, strike in zip(moments, strikes, strict=True):
                time.sleep(max(0.0, begun + moment - time.monotonic()))
                strike()
            errands.result()
        self.story += self.person.story

    def _kill_a_worker(self) -> None:
        victim = self.rng.choice([w for w in self._workers if not w.replaced])
        tree = self.rng.random() < 0.4
        self._tell(f"killed {victim.name}{' and all its children' if tree else ''}")
        victim.kill(tree=tree)
        victim.replaced = True
        self._start(victim.clone)

    # --- the calm after

    def _calm(self) -> None:
        self.person.finish(PATIENCE)
        for worker in self._workers:
            status = worker.wait(PATIENCE)
            assert status in (0, 1) or worker.replaced, f"{worker.name}: {status}\n{worker.said()}"
        last = [self._start(clone) for clone in self.fleet.clones]
        for worker in last:
            status = worker.wait(PATIENCE)
            assert status in (0, 1), f"{worker.name}: {status}\n{worker.said()}"
        for clone in self.fleet.clones:
            clone.ok("sync")
        self.fleet.clones[0].ok("fold")

    def _judge(self) -> None:
        states = {id: task["status"] for id, task in self.fleet.tasks().items()}
        assert set(states.values()) == {"done"}, states
        assert stale_locks(self.fleet.remote.path) == []
        reported = read_reports(self.reports) + [Report(oid) for oid in self.person.commits]
        assert_sound(self.fleet, reported=reported)
        crashes = [log.name for log in self.logs.iterdir() if "Traceback" in log.read_text()]
        assert crashes == [], "\n".join((self.logs / name).read_text() for name in crashes)
        assert left_behind(os.environ[MARK]) == []

    # --- who takes part

    def _start(self, clone: Baton) -> Worker:
        number = len(self._workers)
        agent = f"{sys.executable} -I -S {AGENT} {self.reports} 0.3"
        words = [
            *("work", "--drain", "--name", f"worker-{number}", "--agent", agent),
            *("--land", self.land, "--lease", self.lease, "--jobs", str(self.rng.randint(1, 2))),
        ]
        worker = Worker(f"worker-{number}", clone, self.logs / f"worker-{number}", words)
        self._workers.append(worker)
        return worker

    @contextmanager
    def _bystander(self) -> Iterator[None]:
        """Somebody who looks often, so that short leases are seen to expire soon."""
        clone = self.fleet.clones[-1]
        with (self.logs / "reaper").open("wb") as log:
            reaper = subprocess.Popen(
                [*COMMAND, "reap", "--watch", "--every", "0.8s"],
                cwd=clone.directory,
                env=clone.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield
        finally:
            reaper.terminate()
            reaper.wait()

    def _tell(self, text: str) -> None:
        self.story.append(f"{time.monotonic() - self._began:5.2f}s {text}")


class Worker:
    """One ``baton work`` process."""

    def __init__(self, name: str, clone: Baton, log: Path, words: Sequence[str]) -> None:
        self.name, self.clone, self.replaced = name, clone, False
        self._log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [*COMMAND, *words],
                cwd=clone.directory,
                env=clone.environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def kill(self, *, tree: bool) -> None:
        """SIGKILL; ``tree``: everything that it has started too, as when a machine goes down."""
        try:
            children = psutil.Process(self._process.pid).children(recursive=True) if tree else []
        except psutil.NoSuchProcess:
            children = []
        self._process.kill()
        for child in children:
            try:
                child.kill()
            except psutil.NoSuchProcess:
                continue
        self._process.wait()

    def wait(self, patience: float) -> int:
        """Return the exit status."""
        return self._process.wait(timeout=patience)

    def said(self) -> str:
        """Return what it printed."""
        return self._log.read_text(errors="replace")
