"""The race: six claims of one task at the same moment, and what the winner makes of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Final

from gitbaton.cli.demo.narrator import Narrator
from gitbaton.cli.demo.script import RACE
from gitbaton.cli.demo.stage import DESK, MACHINES, PATIENCE, Stage, TourFailed

ONE_WINNER: Final = (0, 75, 75, 75, 75, 75)


def run_race(stage: Stage, tell: Narrator) -> Sequence[int]:
    """Let six agents on three machines claim one task, and the winner finish it.

    Returns the six exit statuses. Raises TourFailed unless exactly one of them won.
    """
    names = [f"{machine}/r{number}" for machine in MACHINES for number in (1, 2)]
    runs = {name: _start(stage, name) for name in names}
    said = {name: _finish(run) for name, run in runs.items()}
    statuses = {name: run.returncode for name, run in runs.items()}
    if tuple(sorted(statuses.values())) != ONE_WINNER:
        raise TourFailed(f"not one winner and five losers: {statuses}")
    winner = names[list(statuses.values()).index(0)]
    for name, status in statuses.items():
        words = "got it" if name == winner else _refusal(said[name])
        tell.line(f"{name}  exit {status:<4}{words}", style="green" if name == winner else None)
    _publish(stage, tell, winner, json.loads(said[winner])["claims"][0]["token"])
    return list(statuses.values())


def _start(stage: Stage, name: str) -> subprocess.Popen[str]:
    machine, _, number = name.partition("/")
    log = stage.root / "logs" / f"{machine}-{number}.log"
    return stage.start(machine, "claim", RACE, "--agent", name, "--json", log=log)


def _finish(run: subprocess.Popen[str]) -> str:
    try:
        return run.communicate(timeout=PATIENCE)[0]
    except subprocess.TimeoutExpired as error:
        raise TourFailed(f"a claim took longer than {PATIENCE:g} s") from error


def _refusal(said: str) -> str:
    return str(json.loads(said)["error"]["message"]).partition(" since")[0]


def _publish(stage: Stage, tell: Narrator, winner: str, token: str) -> None:
    """Land the result as a branch, as somebody without a worker would."""
    desk, branch = stage.place(DESK), f"task/{RACE}"
    stage.git(desk, "switch", "-q", "-c", branch)
    text = f"# The great boat race\n\nWon by {winner}.\n"
    (desk / "POSTER.md").write_text(text, encoding="utf-8")
    stage.git(desk, "add", "POSTER.md")
    stage.git(desk, "commit", "-q", "-m", "Write the poster")
    stage.git(desk, "switch", "-q", "main")
    tell.command(f"baton done {RACE} --branch {branch}")
    tell.block(stage.baton(DESK, "done", RACE, "--token", token, "--branch", branch).out, lines=1)
