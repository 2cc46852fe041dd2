"""Whatever threads do through one grouping store, it is as if they had come one after the other."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from gitbaton.core.clock import SystemClock
from gitbaton.core.ids import Oid
from gitbaton.store.grouping import GroupingStore
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import (
    ABSENT,
    Actor,
    Branch,
    Committed,
    Conflict,
    Key,
    Move,
    Outcome,
    Spared,
    Target,
    Transaction,
    Version,
    make_key,
)

KEYS = [make_key("tasks", f"t{n}") for n in range(3)]
KINDS = ("end", "renew", "land", "choose")
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(KEYS)), max_size=6)


class AnyMover:
    """Moves whatever it is told to."""

    def move(self, moves: Sequence[Move]) -> Mapping[Target, Oid | None]:
        return {}


def step(kind: str, key: Key, version: Version, who: str) -> Transaction:
    return Transaction(
        expect={key: version},
        write={key: {"who": who, "after": version}},
        moves=(Move(Branch(who), None, Oid("1" * 40)),) if kind == "land" else (),
        subject=f"{kind}: {who}",
        actor=Actor(who),
        heartbeat=kind == "renew",
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, min_size=2, max_size=5), st.integers(0, 2**32))
def test_the_outcomes_are_those_of_some_serial_order(
    plans: list[list[tuple[str, Key]]], seed: int
) -> None:
    """I1: what was committed forms one chain for each record; whoever is not in it was told so."""
    rng = random.Random(seed)
    clock = SystemClock()
    inner = MemoryStore(clock=clock, mover=AnyMover())
    store = GroupingStore(
        inner, clock=clock, window=lambda waiting, waited: rng.choice([0.0, 0.0, 0.001])
    )
    made = inner.commit([_creation(key) for key in KEYS])
    first = {k: v for o in made if isinstance(o, Committed) for k, v in o.versions.items()}
    done: list[tuple[Transaction, Outcome]] = []
    start = threading.Barrier(len(plans))

    def run(number: int) -> None:
        start.wait()
        for count, (kind, key) in enumerate(plans[number]):
            records = store.read().records
            who = f"thread-{number}-{count}"
            if kind == "choose":
                offers = [step(kind, other, records[other].version, who) for other in KEYS]
                chosen = store.commit_first(offers, 2)
                pairs = zip(offers, chosen, strict=True)
                done.extend((tx, c) for tx, c in pairs if not isinstance(c, Spared))
                assert sum(isinstance(c, Committed) for c in chosen) <= 2
            else:
                tx = step(kind, key, records[key].version, who)
                [outcome] = store.commit([tx])
                done.append((tx, outcome))

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(plans))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all(isinstance(outcome, Committed | Conflict) for _, outcome in done)
    assert store._pending == []
    for key in KEYS:
        after = {
            tx.expect[key]: outcome.versions[key]
            for tx, outcome in done
            if isinstance(outcome, Committed) and key in tx.write
        }
        won = sum(isinstance(o, Committed) and key in tx.write for tx, o in done)
        assert len(after) == won, "nobody shares a predecessor"
        version, length = first[key], 0
        while version in after:
            version, length = after[version], length + 1
        assert length == won
        assert inner.read().records[key].version == version


def _creation(key: Key) -> Transaction:
    return Transaction(
        expect={key: ABSENT}, write={key: {}}, subject="add: it", actor=Actor("somebody")
    )
