"""A real ``baton work`` with agents that sleep and then edit a file."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer

from benchmarks.document import WorkResult
from benchmarks.lab.lab import Way
from benchmarks.lab.workplace import Workplace, baton_command, numbered
from benchmarks.push_counter import PushCounter
from tests.checker import check

_PATIENCE = 900.0
_AGENT = """\
#!/bin/sh
# Sleeps from $1 to $2 seconds, as the task's name has it, and writes a file.
number=$(printf %s "$BATON_TASK" | cksum | cut -d ' ' -f 1)
sleep $(($1 + number % ($2 - $1 + 1)))
echo "done by $BATON_AGENT" > "$BATON_TASK.txt"
"""


class WorkFailed(RuntimeError):
    """The worker did not land every task."""


@dataclass
class _Watched:
    """What a worker said: when it claimed first, when it landed last."""

    landed: int = 0
    first: float = 0.0
    last: float = 0.0
    others: list[str] = field(default_factory=list)

    def note(self, event: Mapping[str, object], now: float) -> None:
        kind = event.get("event")
        if kind == "claimed" and not self.first:
            self.first = now
        elif kind == "landed":
            self.landed, self.last = self.landed + 1, now
        elif kind in ("failed", "notice", "lost", "queued"):
            self.others.append(f"{kind}: {event.get('text', '')}")


def work(
    place: Workplace, way: Way, name: str, *, slots: int, tasks: int, thinking: tuple[int, int]
) -> WorkResult:
    """Let one worker do all tasks of a fresh remote. Raises WorkFailed, BatonFailed."""
    remote = place.remote(name)
    clone = place.clone(remote, f"{name}-worker", url=way.url(remote))
    place.baton(clone, "init")
    place.baton(clone, "add", "--from", str(place.write_tasks(numbered(tasks))))
    agent = _write_agent(place)
    counter = PushCounter(place.root / f"{name}.trace")
    words = [*baton_command(), "work", "--jobs", str(slots), "--drain", "--json"]
    words += ["--agent", f"{agent} {thinking[0]} {thinking[1]}"]
    watched, cpu = _watch(words, clone, counter.watched(way.env), place.root / f"{name}.log")
    branches = place.git(remote, "for-each-ref", "--format=%(refname)", "refs/heads/task/")
    if watched.landed != tasks or len(branches.split()) != tasks:
        told = "; ".join(watched.others[-3:]) or "it did not say why"
        raise WorkFailed(f"{watched.landed} of {tasks} tasks landed: {told}")
    seconds, pushes = watched.last - watched.first, counter.count([clone])
    own = cpu - tasks * _cost_of(agent)
    return WorkResult(
        slots=slots,
        tasks=tasks,
        landed=watched.landed,
        thinking=thinking,
        seconds=round(seconds, 2),
        per_minute=round(tasks / seconds * 60, 2),
        pushes=pushes,
        pushes_per_task=round(pushes / tasks, 3),
        cpu_per_task=round(own / tasks, 3),
        findings=len(check(remote)),
    )


def _watch(
    words: list[str], clone: Path, env: Mapping[str, str], log: Path
) -> tuple[_Watched, float]:
    """Run the worker to its end; return what it said and its processor seconds, children's too."""
    watched = _Watched()
    with log.open("wb") as errors:
        process = subprocess.Popen(
            words,
            cwd=clone,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    limit = Timer(_PATIENCE, process.terminate)
    limit.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            watched.note(json.loads(line), time.monotonic())
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        limit.cancel()
        if process.returncode is None:
            process.terminate()
            process.wait()
    if process.returncode != 0:
        said = log.read_text(errors="replace").strip().splitlines() or watched.others
        raise WorkFailed(f"`baton work` ended with {process.returncode}: {' '.join(said[-2:])}")
    return watched, usage.ru_utime + usage.ru_stime


def _write_agent(place: Workplace) -> Path:
    path = place.root / "agent.sh"
    path.write_text(_AGENT)
    path.chmod(0o755)
    return path


def _cost_of(agent: Path) -> float:
    """Return the processor seconds of one agent, by running it once, alone, without the sleep."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    env = {**os.environ, "BATON_TASK": "alone", "BATON_AGENT": "agent"}
    subprocess.run([str(agent), "0", "0"], cwd=agent.parent, env=env, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
