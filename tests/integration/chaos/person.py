"""A person at a command line that is killed again and again, who repeats what did not succeed."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from tests.functional.baton import Answer, Baton


@dataclass
class Person:
    """Adds a task, opens a gate, does two tasks by hand, and does upkeep."""

    clone: Baton
    rng: random.Random
    lease: str
    story: list[str] = field(default_factory=list)
    commits: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clone = self.clone.acting(BATON_AGENT="person", BATON_SESSION="person")
        self._tokens: dict[str, str] = {}
        self._hurried = True

    def hurry(self, seconds: float) -> None:
        """Run errands for some time; many commands are killed."""
        end = time.monotonic() + seconds
        errands: list[Callable[[], object]] = [self._add, self._open, self._work_on_both]
        errands += [partial(self._run, verb) for verb in ("reap", "fold", "sync")]
        errands += [self._work_on_both]
        self.rng.shuffle(errands)
        for errand in errands:
            if time.monotonic() > end:
                return
            errand()

    def finish(self, patience: float) -> None:
        """Do everything again, undisturbed, until it is done."""
        self._hurried = False
        end = time.monotonic() + patience
        added, opened = self._add(), self._open()
        # It may have been done before its command was killed.
        assert added is not None and (added.status == 0 or "exists" in added.out), added
        assert opened is not None and (opened.status == 0 or "is done" in opened.out), opened
        while any(self._status(task) != "done" for task in ("person-1", "person-2")):
            assert time.monotonic() < end, "the person's tasks are not done"
            self._work_on_both()
            time.sleep(0.2)  # a claim of a killed command has to run out

    def _add(self) -> Answer | None:
        return self._run("add", "Added late", "--id", "late", "--priority", "3")

    def _open(self) -> Answer | None:
        return self._run("approve", "gated")

    def _work_on_both(self) -> None:
        for task in ("person-1", "person-2"):
            self._work_on(task)

    def _work_on(self, task: str) -> None:
        branch = self._branch(f"by-hand/{task}")
        token = self._tokens.get(task) or self._claim(task)
        if token is None:
            return
        done = self._run("done", task, "--branch", branch, "--token", token)
        if done is not None and done.status == 76:
            del self._tokens[task]  # it ran out; a later claim has to be made

    def _claim(self, task: str) -> str | None:
        won = self._run("claim", task, "--cap", "person", "--lease", self.lease)
        if won is None or won.status != 0:
            return None
        token: str = won.json["claims"][0]["token"]
        self._tokens[task] = token
        return token

    def _branch(self, name: str) -> str:
        """Make the branch with its commit, once."""
        if not self.clone.git("branch", "--list", name):
            tree = self.clone.git("rev-parse", "main^{tree}")
            commit = self.clone.git("commit-tree", "-p", "main", "-m", f"work on {name}", tree)
            self.clone.git("update-ref", f"refs/heads/{name}", commit)
            self.commits.append(commit)
        return name

    def _status(self, task: str) -> str:
        return str(self.clone.ok("show", task)["status"])

    def _run(self, *words: str) -> Answer | None:
        """Run a command; None if it was killed."""
        if not self._hurried or self.rng.random() >= 0.6:
            return self.clone(*words, "--json")
        patience = self.rng.uniform(0.05, 0.7)
        process = self.clone.start(*words, "--json")
        try:
            out, err = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.story.append(f"killed after {patience:.2f}s: baton {' '.join(words)}")
            return None
        return Answer(process.returncode, out, err)
