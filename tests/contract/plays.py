"""What the players of a race do. Each play reads, decides and commits, as a client does."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

from gitbaton.store.model import ABSENT, Committed, Key, Snapshot, Value, make_key
from gitbaton.store.protocol import Store

from .changes import change, put
from .crew import PATIENCE, Player

PRIZE = make_key("locks", "prize")
COUNTER = make_key("workers", "counter")
LEFT, RIGHT = make_key("locks", "left"), make_key("workers", "right")
ACCOUNTS = [make_key("workers", f"account {number}") for number in range(5)]
WRITERS = 4


def new_key(number: int) -> Key:
    """Return the key that is created in this round."""
    return make_key("workers", f"new {number}")


def claim_epochs(store: Store, player: Player) -> list[int]:
    """Claim one record anew in each round; return the epochs that this player won."""
    won = []
    for _ in range(player.rounds):
        record = store.read("locks/").records[PRIZE]
        epoch = record.value["epoch"] + 1
        player.meet()
        wish = {"epoch": epoch, "holder": player.number}
        if isinstance(put(store, PRIZE, wish, record.version), Committed):
            won.append(epoch)
        player.meet()
    return won


def create_same(store: Store, player: Player) -> list[int]:
    """Create the same record with the same value in each round; return the rounds won."""
    won = []
    for number in range(player.rounds):
        player.meet()
        if isinstance(put(store, new_key(number), {"same": "for all"}), Committed):
            won.append(number)
    return won


def count_up(store: Store, player: Player) -> int:
    """Add 1 to the counter in each round, however often that is lost; return the tries."""
    tries = 0
    snapshot = store.read("workers/")
    player.meet()  # all have seen the same count: an engine that forgets to compare will lose some
    for _ in range(player.rounds):
        while True:
            tries += 1
            record = snapshot.records[COUNTER]
            added = {"count": record.value["count"] + 1}
            outcome = put(store, COUNTER, added, record.version)
            snapshot = store.read("workers/")
            if isinstance(outcome, Committed):
                break
    return tries


def transfer(store: Store, player: Player) -> list[int]:
    """Move money between random accounts; return the sums that were seen on the way."""
    chance = random.Random(player.number)
    sums = []
    for _ in range(player.rounds):
        giver, taker = chance.sample(ACCOUNTS, 2)
        amount = chance.randint(1, 50)

        def pay(
            seen: Snapshot, giver: Key = giver, taker: Key = taker, amount: int = amount
        ) -> Mapping[Key, Value]:
            return {
                giver: {"money": seen.records[giver].value["money"] - amount},
                taker: {"money": seen.records[taker].value["money"] + amount},
            }

        snapshot = _insist(store, pay)
        sums.append(sum(snapshot.records[key].value["money"] for key in ACCOUNTS))
    return sums


def move_or_watch(store: Store, player: Player) -> list[tuple[int, int]]:
    """Step two records together, or (most players) watch; return the pairs that were seen."""
    if player.number < WRITERS:
        return _move_pair(store, player)
    seen: list[tuple[int, int]] = []
    give_up = time.monotonic() + PATIENCE
    while (not seen or max(seen[-1]) < WRITERS * player.rounds) and time.monotonic() < give_up:
        seen.append(_pair(store.read()))
    return seen


def _move_pair(store: Store, player: Player) -> list[tuple[int, int]]:
    def step(seen: Snapshot) -> Mapping[Key, Value]:
        left, right = _pair(seen)
        return {LEFT: {"step": left + 1}, RIGHT: {"step": right + 1}}

    return [_pair(_insist(store, step)) for _ in range(player.rounds)]


def _pair(snapshot: Snapshot) -> tuple[int, int]:
    left, right = (snapshot.records[key].value["step"] for key in (LEFT, RIGHT))
    return left, right


def _insist(store: Store, decide: Callable[[Snapshot], Mapping[Key, Value]]) -> Snapshot:
    """Read, decide and commit until it is done; return the snapshot that led to it."""
    while True:
        snapshot = store.read()
        writes = decide(snapshot)
        expect = {
            k: snapshot.records[k].version if k in snapshot.records else ABSENT for k in writes
        }
        (outcome,) = store.commit([change(expect, writes)])
        if isinstance(outcome, Committed):
            return snapshot
