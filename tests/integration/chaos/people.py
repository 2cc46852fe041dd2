"""Players of a race who have nothing but the command line: claim, commit, done."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tests.functional.baton import Baton
from tests.integration.chaos.fleet import Fleet
from tests.integration.chaos.verdict import Score, Win

PATIENCE = 250.0  # seconds until a player gives up


def race_by_hand(fleet: Fleet, *, players: int) -> Score:
    """Let the players empty the queue, spread over the clones; return what they say."""
    with ThreadPoolExecutor(players) as pool:
        games = [
            pool.submit(_drain, fleet.clones[n % len(fleet.clones)], n) for n in range(players)
        ]
        wins = [win for game in games for win in game.result()]
    return Score([(win.task, win.epoch) for win in wins], wins)


def _drain(clone: Baton, number: int) -> list[Win]:
    me = clone.acting(BATON_AGENT=f"person-{number}")
    wins: list[Win] = []
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = me("claim", "--json")
        if answer.status == 75:
            if all(task["status"] == "done" for task in me.ok("list")["tasks"]):
                return wins
            time.sleep(0.3)  # others hold what the rest waits for
            continue
        assert answer.status == 0, answer
        [claim] = answer.json["claims"]
        wins.append(_finish(me, claim["task"]["id"], claim["epoch"], claim["token"]))
    raise TimeoutError(f"person {number} gave up; they landed {len(wins)} tasks")


def _finish(me: Baton, task: str, epoch: int, token: str) -> Win:
    """Commit without a working tree, which others in the clone use, and publish with the record."""
    branch = f"by-hand/{task}"
    message = f"{task} in epoch {epoch}\n\nBaton-Task: {task}\nBaton-Epoch: {epoch}"
    tree = me.git("rev-parse", "main^{tree}")
    commit = me.git("commit-tree", "-p", "main", "-m", message, tree)
    me.git("update-ref", f"refs/heads/{branch}", commit)
    done = me.ok("done", task, "--branch", branch, "--token", token)
    assert done["result"] == {"branch": branch, "commit": commit, "text": None}
    return Win(task, epoch, branch, commit)
