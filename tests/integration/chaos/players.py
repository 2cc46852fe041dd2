"""Players of a race: processes of their own that claim, commit and finish through the library."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path

from gitbaton.app import App, open_app
from gitbaton.core.errors import ClaimLost, NothingToClaim, Refused
from gitbaton.core.ids import Oid
from gitbaton.git.objects import Commit, Person, encode_commit, make_object
from gitbaton.store.model import Branch, Move
from gitbaton.tasks.claims import Claimant, Claimed
from gitbaton.tasks.ledger import LandingStale
from gitbaton.tasks.model import Status
from tests.contract.gitsite import CarelessRemote
from tests.integration.chaos.fleet import Fleet
from tests.integration.chaos.verdict import Score, Win

_START = 100.0  # seconds until the last player is ready


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How a race is played. ``careless``: pushes are forced, the mutant that must be noticed."""

    players: int
    batch: int = 8
    tidy_every: int = 12  # finished tasks between a player's rounds of upkeep
    patience: float = 400.0  # seconds until a player gives up
    careless: bool = False


def race(fleet: Fleet, rules: Rules) -> Score:
    """Let the players empty the queue, all starting at once; return what they say together."""
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(rules.players, timeout=_START)
    clones = [str(clone.directory) for clone in fleet.clones]
    environment = {**os.environ, **fleet.clones[0].env}
    with ProcessPoolExecutor(
        rules.players, mp_context=spawn, initializer=_take_seat, initargs=(barrier,)
    ) as pool:
        games = [
            pool.submit(_play, clones[n % len(clones)], n, rules, environment)
            for n in range(rules.players)
        ]
        scores = [game.result() for game in games]
    return Score(
        [claim for score in scores for claim in score.given],
        [win for score in scores for win in score.wins],
        [claim for score in scores for claim in score.robbed],
    )


_seat: Barrier | None = None


def _take_seat(barrier: Barrier) -> None:
    global _seat
    _seat = barrier


def _play(clone: str, number: int, rules: Rules, environment: Mapping[str, str]) -> Score:
    os.environ.clear()
    os.environ.update(environment)
    assert _seat is not None
    app = open_app(Path(clone), environment)
    try:
        if rules.careless:
            assert app.remote is not None
            app.__dict__["remote"] = CarelessRemote(app.repository.git, app.remote.url)
        _seat.wait()
        score = Score()
        try:
            _drain(app, number, rules, score)
        except Refused as error:  # forced pushes set the board back, which ends an honest player
            if not rules.careless or error.code != "board_rewound":
                raise
        return score
    finally:
        app.close()


def _drain(app: App, number: int, rules: Rules, score: Score) -> None:
    """Play until all is done; write down in ``score`` what comes of it."""
    who = Claimant(f"player-{number}", f"worker-{number}", "here")
    rng = random.Random(number)
    tidied = 0
    app.store.tidy()  # as a worker does when it starts: the next of the backlog become live
    deadline = time.monotonic() + rules.patience
    while time.monotonic() < deadline:
        try:
            won = app.queue.claim(who, count=rules.batch)
        except NothingToClaim:
            if _is_over(app):
                return
            time.sleep(rng.uniform(0.5, 1.5))  # others hold what the rest waits for
            continue
        for claimed in won:
            claim = (claimed.token.task, claimed.token.epoch)
            score.given.append(claim)
            try:
                score.wins.append(_finish(app, claimed, number))
            except ClaimLost:
                score.robbed.append(claim)
            except LandingStale:  # the branch has moved below the claim
                if not rules.careless:
                    raise
                score.robbed.append(claim)
        if len(score.wins) - tidied >= rules.tidy_every:
            tidied = len(score.wins)
            app.store.tidy()
    if rules.careless:
        return  # what was overwritten is waited for in vain
    raise TimeoutError(f"player {number} gave up; it landed {len(score.wins)} tasks")


def _is_over(app: App) -> bool:
    view = app.queue.view()
    return all(task.status is Status.DONE for task in view.tasks.values())


def _finish(app: App, claimed: Claimed, number: int) -> Win:
    """Land an empty commit of our own, which says for which claim it was made."""
    token = claimed.token
    branch = f"task/{token.task}"
    commit = _commit(app, claimed, number)
    app.queue.done(token, branch=branch, commit=commit, moves=[Move(Branch(branch), None, commit)])
    return Win(token.task, token.epoch, branch, commit)


def _commit(app: App, claimed: Claimed, number: int) -> Oid:
    objects = app.repository.objects
    tree = make_object("tree", b"", objects.format)
    token = claimed.token
    message = f"{token.task} by player {number}\n\nBaton-Task: {token.task}\n"
    message += f"Baton-Epoch: {token.epoch}\n"
    author = Person(f"player-{number}", "player@gitbaton.invalid", int(time.time()))
    body = encode_commit(Commit(tree.oid, (), author, message))
    commit = make_object("commit", body, objects.format)
    objects.write([tree, commit])
    return commit.oid
