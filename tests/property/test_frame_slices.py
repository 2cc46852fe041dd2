"""Slices: every agent once, even streams; who joins or leaves moves little more than a share."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from gitbaton.frames.slices import deal

agents = st.integers(0, 300).map(lambda n: [f"agent-{i}" for i in range(n)])
workers = st.dictionaries(
    st.integers(0, 10**6).map(lambda n: f"w{n}"), st.integers(1, 12), min_size=1, max_size=12
)


def owners(names: list[str], fleet: dict[str, int]) -> dict[str, str]:
    return {
        agent: worker
        for worker, slice_ in deal(names, fleet).items()
        for stream in slice_
        for agent in stream
    }


@settings(max_examples=100, deadline=None)
@given(agents, workers)
def test_every_agent_runs_in_exactly_one_stream_and_no_stream_is_overfull(
    names: list[str], fleet: dict[str, int]
) -> None:
    dealt = deal(names, fleet)
    assert {worker: len(slice_) for worker, slice_ in dealt.items()} == fleet
    streams = [stream for slice_ in dealt.values() for stream in slice_]
    assert sorted(agent for stream in streams for agent in stream) == sorted(names)
    assert max(map(len, streams)) <= math.ceil(len(names) / len(streams))


@settings(max_examples=50, deadline=None)
@given(agents, workers)
def test_whoever_computes_it_finds_the_same(names: list[str], fleet: dict[str, int]) -> None:
    shuffled = dict(sorted(fleet.items(), key=lambda item: item[0][::-1]))
    assert deal(names[::-1], shuffled) == deal(names, fleet)


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 10), st.integers(0, 10**9))
def test_a_worker_that_leaves_or_joins_moves_little_more_than_its_share(
    count: int, salt: int
) -> None:
    names = [f"{salt}-{i}" for i in range(200)]
    fleet = {f"w{salt}-{i}": 10 for i in range(count)}
    before = owners(names, fleet)
    for changed in ({**fleet, "new": 10}, dict(list(fleet.items())[1:])):
        after = owners(names, changed)
        moved = sum(before[agent] != after[agent] for agent in names)
        share = len(names) / max(len(changed), len(fleet))
        assert moved <= 2.5 * share + 5


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 10), st.integers(0, 10**9))
def test_with_room_for_all_only_the_leavers_agents_move(count: int, salt: int) -> None:
    names = [f"{salt}-{i}" for i in range(20)]
    fleet = {f"w{salt}-{i}": 20 for i in range(count)}
    before = owners(names, fleet)
    gone = next(iter(fleet))
    after = owners(names, {worker: n for worker, n in fleet.items() if worker != gone})
    assert {agent for agent in names if before[agent] != after[agent]} == {
        agent for agent in names if before[agent] == gone
    }


def test_an_agent_may_be_assigned_and_is_dealt_while_its_worker_is_away() -> None:
    names = [f"a{i}" for i in range(10)]
    assigned = {"a0": "w2", "a1": "w2", "a2": "elsewhere"}
    dealt = deal(names, {"w1": 2, "w2": 2}, assigned)
    assert {"a0", "a1"} <= {agent for stream in dealt["w2"] for agent in stream}
    assert sorted(a for s in dealt.values() for stream in s for a in stream) == sorted(names)
    everything = deal(names, {"w1": 2, "w2": 2}, dict.fromkeys(names, "w1"))
    assert everything["w2"] == ((), ())
    assert deal(names, {}) == {}


def test_it_is_the_same_on_every_machine_and_in_every_version() -> None:
    """Workers of one fleet may run on any Python: what is computed here must never change."""
    names = ["ann", "bob", "cid", "dörte", "eve", "\udcff"]
    assert deal(names, {"w1": 2, "w2": 1, "w3": 1}) == {
        "w1": (("ann",), ("eve",)),
        "w2": (("bob", "cid"),),
        "w3": (("dörte", "\udcff"),),
    }
