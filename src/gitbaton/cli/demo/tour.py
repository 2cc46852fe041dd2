"""The tour itself: eleven acts, each a method, played in order."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitbaton.cli.demo import script
from gitbaton.cli.demo.fleet import Fleet
from gitbaton.cli.demo.narrator import Narrator
from gitbaton.cli.demo.race import run_race
from gitbaton.cli.demo.snapshot import take_snapshot
from gitbaton.cli.demo.stage import DESK, MACHINES, Stage, TourFailed
from gitbaton.cli.demo.verdict import Verdict
from gitbaton.cli.demo.verify import Evidence, verify

LEASE: Final = "4s"
_WORKERS: Final = {f"{machine}/w1": machine for machine in MACHINES}
_SOON: Final = 60.0  # seconds that anything may take on a slow machine
_LATE_REF: Final = f"refs/baton/tasks/{script.LATE}"


@dataclass(frozen=True, slots=True)
class Lost:
    """A claim that was taken away: who had it, in which epoch, with which token if known."""

    worker: str
    epoch: int
    token: str = ""


class Tour:
    """Plays the acts on ``stage`` and tells them to ``narrator``."""

    def __init__(self, stage: Stage, narrator: Narrator) -> None:
        self.stage = stage
        self.tell = narrator
        self.fleet = Fleet(stage, narrator.hear)
        self.before: dict[str, Mapping[str, str]] = {}
        self.race: Sequence[int] = ()
        self.doomed: Lost | None = None
        self.late: Lost | None = None
        self.late_push: Mapping[str, tuple[str, str]] = {}

    def play(self) -> None:
        """Play everything up to the verification. Raises TourFailed naming what went wrong."""
        self.set_up()
        self.add_tasks()
        self.race_for_one()
        self.start_fleet()
        self.kill_worker()
        self.decide()
        self.redo()
        self.freeze_worker()
        self.finish()

    # --- the acts

    def set_up(self) -> None:
        """Act 1: the remote and the clones."""
        self.tell.act(
            "Three machines and a bare remote",
            "Everything happens in one directory. The remote is a bare repository and knows "
            "nothing of baton; each clone stands for a machine of its own.",
        )
        self.stage.build()
        for name in (*MACHINES, DESK):
            place = self.stage.place(name)
            if name in MACHINES:
                self.before[name] = take_snapshot(self.stage, place)
            self.stage.baton(name, "init")
        self.tell.line(f"hub.git, and the clones {', '.join(MACHINES)} and {DESK} (yours)")

    def add_tasks(self) -> None:
        """Act 2: the tasks."""
        self.tell.act(
            "Tasks that need each other",
            "The agents will write a small text adventure. A room can only be added behind one "
            "that is there already. One room has a gate: a person must approve it.",
        )
        self._add("tasks.jsonl", script.FIRST)
        self.tell.command("baton graph")
        self.tell.block(self.stage.baton(DESK, "graph").out, lines=30)

    def race_for_one(self) -> None:
        """Act 3: six claims at the same moment."""
        self.tell.act(
            "Six agents want the same task",
            "Six `baton claim` at once, two from each machine. The remote moves the task's ref "
            "for one of them only: exit status 0. The others learn who has it: 75.",
        )
        self.race = run_race(self.stage, self.tell)

    def start_fleet(self) -> None:
        """Act 4: three workers with two agents each, until one is in the middle of a task."""
        self.tell.act(
            "Six agents on three machines",
            "Three `baton work --jobs 2`. Every task gets a worktree of its own; a result is "
            "checked and lands on main in the same push that finishes the task.",
        )
        self._hesitation(script.DOOMED).touch()
        for name in _WORKERS:
            self._start_worker(name)
        begun = self._hesitation(script.DOOMED).with_suffix(".begun")
        self._until(begun.exists, f"an agent in the middle of {script.DOOMED}")
        told = json.loads(begun.read_text(encoding="utf-8"))
        worker = told["agent"].partition("#")[0]
        self.doomed = Lost(worker, int(told["epoch"]), told["token"])
        self.tell.line(f"{told['agent']} is in the middle of {script.DOOMED}")

    def kill_worker(self) -> None:
        """Act 5: SIGKILL."""
        doomed = _known(self.doomed)
        self.tell.act(
            f"{doomed.worker} is killed in the middle of a task",
            f"SIGKILL, no farewell. Nobody renews its claims any more: {LEASE} later, by their "
            "own clocks, the others may take its tasks back.",
        )
        self.tell.command(f"kill -9 {self.fleet.members[doomed.worker].process.pid}")
        self.fleet.kill(doomed.worker)
        self.tell.command("baton reap --watch --every 1s   (any machine may)")
        self.fleet.start("reaper", DESK, "reap", "--watch", "--every", "1s")

    def decide(self) -> None:
        """Act 6: a person opens the gate, and wants more."""
        self.tell.act(
            "Meanwhile, a person decides",
            "Agents cannot approve. The approval holds for exactly what the task says now.",
        )
        self.tell.command(f"baton why {script.GATED}")
        self.tell.block(self.stage.baton(DESK, "why", script.GATED).out, lines=6)
        self.tell.command(f"baton approve {script.GATED}")
        self.tell.line(self.stage.baton(DESK, "approve", script.GATED).out.splitlines()[0])
        self.tell.aside("And more is wanted: a chapel, a graveyard, and a map of everything.")
        self._hesitation(script.LATE).touch()
        self._add("more.jsonl", script.LATER)

    def redo(self) -> None:
        """Act 7: the dead worker's task is taken back, redone and landed; its file is rescued."""
        doomed = _known(self.doomed)
        self.tell.act(
            "Its task is taken back and done again",
            "Its machine starts again, and saves the half-written file to a rescue ref.",
        )
        self._until(
            lambda: any(self.fleet.said("reaped", script.DOOMED, epoch=doomed.epoch)),
            f"{script.DOOMED} to be taken back",
        )
        self._hesitation(script.DOOMED).unlink()
        self._start_worker(doomed.worker)
        self._until(
            lambda: (
                any(self.fleet.said("landed", script.DOOMED))
                and any(self.fleet.said("rescued", script.DOOMED))
            ),
            f"{script.DOOMED} to be redone, and the dead worker's file to be rescued",
        )
        self.tell.aside("A ghost with the dead worker's token says that the task is done:")
        self.tell.command(f"baton done {script.DOOMED} --token {doomed.token[:18]}…")
        ghost = ("done", script.DOOMED, "--token", doomed.token)
        answer = self.stage.baton(DESK, *ghost, expect=76)
        self.tell.aside(f"exit 76: {answer.err.splitlines()[0]}", style="red")

    def freeze_worker(self) -> None:
        """Act 8: a worker falls asleep while its landing is on its way."""
        self.tell.act(
            "A zombie: its push arrives too late",
            f"The landing of the {script.LATE} reaches the remote, and there a slow link holds it "
            f"up. Its worker falls asleep. {LEASE} later the task is taken back, and done by "
            "another. Then the old push goes on.",
        )
        tour = self.stage.hub / "tour"
        (tour / "hold").write_text(f"{_LATE_REF}\n", encoding="utf-8")
        self._hesitation(script.LATE).unlink()
        self._until((tour / "arrived").exists, f"the landing of {script.LATE} to arrive")
        self.late_push = _pushed((tour / "arrived").read_text(encoding="utf-8"))
        sleeper = list(self.fleet.said("claimed", script.LATE))[-1]
        self.late = Lost(sleeper.who, sleeper.epoch or 0)
        self.fleet.freeze(sleeper.who)
        self.tell.line(f"{sleeper.who} sleeps; its landing waits at the remote", style="red")
        self._until(
            lambda: any(h.who != sleeper.who for h in self.fleet.said("landed", script.LATE)),
            f"{script.LATE} to be taken back and redone",
        )
        self._release_push(sleeper.who)

    def finish(self) -> None:
        """Act 9: the fleet works everything off, and goes home by itself."""
        self.tell.act("The fleet finishes", "`--drain`: a worker ends when nothing is left to do.")
        self._until(
            lambda: all(self.fleet.members[name].process.poll() is not None for name in _WORKERS),
            "the workers to end",
            seconds=2 * _SOON,
        )
        self.fleet.kill("reaper")
        self.tell.command("baton fold")
        self.stage.baton(DESK, "fold")
        self.tell.line("every finished task is on the board, the branch `baton`")

    def check(self) -> list[Verdict]:
        """Act 10: verify everything that was promised."""
        self.tell.act("Is it true?", "Read back from the remote, with plain git and --json.")
        evidence = Evidence(
            self.stage,
            before=self.before,
            race=self.race,
            lost={
                script.DOOMED: _known(self.doomed).epoch,
                script.LATE: _known(self.late).epoch,
            },
            late_commit=self.late_push["refs/heads/main"][1],
        )
        verdicts = verify(evidence)
        for each in verdicts:
            self.tell.verdict(each.name, each.detail, ok=each.ok)
        return verdicts

    def look_around(self) -> None:
        """Act 11: the board, the log, the product."""
        stage = self.stage
        self.tell.act("What is there now")
        self.tell.command("git show origin/baton:README.md")
        self.tell.block(stage.git(stage.hub, "show", "baton:README.md"), lines=14)
        for task in (script.DOOMED, script.LATE):
            self.tell.command(f"baton log {task}")
            self.tell.block(stage.baton(DESK, "log", task).out, lines=14)
        self.tell.command("baton rescue list")
        self.tell.block(stage.baton(DESK, "rescue", "list").out, lines=9)
        stage.git(stage.place(DESK), "pull", "-q", "--ff-only")
        self.tell.command("python3 play.py --map")
        self.tell.block(stage.python(stage.place(DESK), "play.py", "--map"), lines=24)

    def sabotage(self) -> None:
        """Take the last commit off main, behind everybody's back: the verification must notice."""
        self.stage.git(self.stage.hub, "update-ref", "refs/heads/main", "main~1")

    def farewell(self, kept: Path | None) -> None:
        """Say where everything is, and what to do next."""
        out = self.tell.out
        if kept is not None:
            out.say(f"kept: {kept}")
            for name, words in _PLACES.items():
                self.tell.line(f"{name:<30}{words}")
        else:
            out.hint("The directory is removed; to look around: baton demo --keep")
        out.hint('Next: in a clone of yours, baton init, and baton add "What is to be done"')

    # --- parts of acts

    def _add(self, file: str, errands: tuple[script.Errand, ...]) -> None:
        path = self.stage.root / file
        path.write_text(script.write_script(errands), encoding="utf-8")
        self.tell.command(f"baton add --from {file}")
        self.stage.baton(DESK, "add", "--from", str(path))
        self.tell.line(f"added {len(errands)}: {', '.join(errand.id for errand in errands)}")

    def _start_worker(self, name: str) -> None:
        python = (sys.executable, "-B")
        agent = shlex.join((*python, "-I", str(self.stage.root / "agent.py")))
        words = ["work", "--name", name, "--jobs", "2", "--agent", agent, "--land", "merge"]
        words += ["--lease", LEASE, "--check", shlex.join((*python, "play.py", "--check"))]
        self.fleet.start(name, _WORKERS[name], *words, "--drain")

    def _release_push(self, sleeper: str) -> None:
        """Let the late push through, wake its worker, and hear what it makes of the answer."""
        stage = self.stage
        expected, wanted = self.late_push[_LATE_REF]
        there = stage.git(stage.hub, "for-each-ref", "--format=%(objectname)", _LATE_REF)
        self.tell.line(f"the late push expects {_LATE_REF} at {expected[:8]}")
        self.tell.line(f"the remote has it at {there[:8] or 'nothing'}: it refuses the whole push")
        (stage.hub / "tour" / "held").unlink()
        self.fleet.thaw(sleeper)
        late = _known(self.late)
        self._until(
            lambda: (
                any(self.fleet.said("lost", script.LATE, epoch=late.epoch))
                and any(self.fleet.said("rescued", script.LATE, epoch=late.epoch))
            ),
            "the zombie to learn that it lost, and to save its work",
        )
        now = stage.git(stage.hub, "for-each-ref", "--format=%(objectname)", _LATE_REF)
        if now == wanted:
            raise TourFailed("the remote took the zombie's push")

    def _hesitation(self, task: str) -> Path:
        """Return the note that makes the agent of ``task`` stop halfway."""
        return self.stage.root / "hesitate" / task

    def _until(self, happened: Callable[[], bool], what: str, *, seconds: float = _SOON) -> None:
        self.fleet.until(happened, what, seconds=seconds, wanted=list(self.fleet.members))


def open_tour(root: Path, env: Mapping[str, str], narrator: Narrator) -> Tour:
    """Return the tour in the empty directory ``root``."""
    return Tour(Stage(root, env), narrator)


_PLACES: Final = {
    "hub.git": "the remote: branches main, task/poster and baton",
    "desk": "your clone: try baton -C desk log, status, graph",
    ", ".join(MACHINES): "as they were before",
    "product": "what came of it: python3 play.py",
    "logs": "what the workers said on standard error",
}
_PUSHED: Final = re.compile(r"([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (\S+)")


def _pushed(lines: str) -> dict[str, tuple[str, str]]:
    """Return a push as the server's hook saw it: ref -> (expected, new)."""
    return {ref: (old, new) for old, new, ref in _PUSHED.findall(lines)}


def _known(lost: Lost | None) -> Lost:
    assert lost is not None, "the acts are played in order"
    return lost
