"""I7: merging deltas is commutative, associative and idempotent, and drops nothing in silence."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.frame_fleets import make_fleet, make_rules, make_world, play, split

seeds = st.integers(0, 2**32)


@settings(max_examples=400, deadline=None)
@given(seeds)
def test_any_order_partition_and_repetition_gives_the_same_bytes(seed: int) -> None:
    check_order(seed)


@settings(max_examples=400, deadline=None)
@given(seeds)
def test_every_op_is_counted_once_and_every_loss_is_in_a_conflict(seed: int) -> None:
    check_counts(seed)


@pytest.mark.soak
@settings(max_examples=5_000, deadline=None)
@given(seeds)
def test_many_more_fleets(seed: int) -> None:
    check_order(seed)
    check_counts(seed)


def check_order(seed: int) -> None:
    chance = Random(seed)
    fleet, world, rules = make_fleet(chance), make_world(chance), make_rules(chance)
    whole = play(fleet, world, rules)
    parts = [part for _ in range(chance.randint(1, 2)) for part in split(fleet, chance)]
    chance.shuffle(parts)
    again = play(parts, world, rules)
    assert list(again.changed.items()) == list(whole.changed.items())
    assert again == whole


def check_counts(seed: int) -> None:
    chance = Random(seed)
    fleet, world, rules = make_fleet(chance), make_world(chance), make_rules(chance)
    result = play(fleet, world, rules)
    counts = result.counts
    assert counts.ops == sum(len(ops.good) for d in fleet for ops in d.streams.values())
    assert counts.applied + counts.superseded + counts.overruled == counts.ops
    assert min(counts.applied, counts.superseded, counts.overruled) >= 0
    lost = {
        (claim.frame, claim.worker, claim.stream, claim.sequence)
        for conflict in result.conflicts
        for claim in conflict.claims
        if not claim.won
    }
    more = sum(conflict.more for conflict in result.conflicts)
    assert len(lost) + more >= counts.overruled
