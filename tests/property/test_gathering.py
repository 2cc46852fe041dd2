"""Which deltas go into a frame: every one exactly once, whatever the order of what happens."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from gitbaton.core.ids import Oid
from gitbaton.frames.chronicle import Entry
from gitbaton.frames.gathering import Found, gather
from gitbaton.frames.refs import Pair


def oid(*parts: object) -> Oid:
    return Oid(" ".join(map(str, parts)))


class Branch:
    """A world branch: frames, and commits made by hand between them."""

    def __init__(self) -> None:
        self.entries = [Entry(oid("world", 0), 0, (), frozenset(), frozenset())]
        self.refs: dict[Pair, Found] = {}

    @property
    def number(self) -> int:
        number = self.entries[0].number
        assert number is not None
        return number

    def commit_by_hand(self) -> None:
        tip = self.entries[0]
        made = Entry(
            oid("hand", len(self.entries)), tip.number, (tip.commit,), frozenset(), frozenset()
        )
        self.entries.insert(0, made)

    def deliver(self, pair: Pair, nonce: int, *, foreign: bool) -> None:
        """Create a delta's ref, if there is none: as often as the network likes."""
        at = [entry.commit for entry in self.entries if entry.number == pair.frame]
        parent = oid("elsewhere") if foreign or not at else at[nonce % len(at)]
        found = Found(pair, oid("delta", *pair, nonce, parent), (parent,))
        self.refs.setdefault(pair, found)

    def publish(self, *, deletes: bool) -> None:
        tip = self.entries[0]
        done = gather(self.refs.values(), self.number, self.entries)
        merged = frozenset(one.pair for one in done.merge)
        taken = frozenset([*(m.commit for m in done.merge), *(a.commit for a in done.aside)])
        name = oid("world", len(self.entries))
        entry = Entry(name, self.number + 1, (tip.commit,), taken, merged)
        self.entries.insert(0, entry)
        if deletes:
            for pair in [*merged, *(a.pair for a in done.aside), *(d.pair for d in done.done)]:
                del self.refs[pair]


pairs = st.builds(Pair, st.integers(0, 5), st.sampled_from(["ada", "bob"]))
acts = st.lists(
    st.one_of(
        st.tuples(st.just("deliver"), pairs, st.integers(0, 2), st.integers(0, 9)),
        st.tuples(st.just("publish"), st.booleans()),
        st.tuples(st.just("hand")),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(acts)
def test_every_delta_is_consumed_once_and_every_pair_merged_once(script: list[tuple]) -> None:  # type: ignore[type-arg]
    """I7: late, repeated, doubled and foreign deltas; deletions that were lost."""
    branch = Branch()
    delivered: set[Oid] = set()
    for act in script:
        match act:
            case ("deliver", pair, nonce, luck):
                branch.deliver(pair, nonce, foreign=luck == 0)
                delivered |= {found.commit for found in branch.refs.values()}
            case ("publish", deletes):
                branch.publish(deletes=deletes)
            case _:
                branch.commit_by_hand()
    for _ in range(7):  # until every frame that was named has passed
        branch.publish(deletes=True)
    astray = {found.commit for found in branch.refs.values()}
    assert all(found.parents == (oid("elsewhere"),) for found in branch.refs.values())
    delivered -= {found for found in delivered if found.endswith("elsewhere")}
    assert not astray & delivered
    taken = Counter(commit for entry in branch.entries for commit in entry.taken)
    assert taken == Counter(dict.fromkeys(delivered, 1)), "each is consumed by one frame"
    merged = Counter(pair for entry in branch.entries for pair in entry.merged)
    assert set(merged.values()) <= {1}
    assert all(pair.frame < (e.number or 0) for e in branch.entries for pair in e.merged)


def test_what_belongs_to_the_present_frame_is_merged_in_order() -> None:
    """The order is that of the pairs, whatever the order of the listing."""
    branch = Branch()
    for worker in ("zoe", "ada", "mia"):
        branch.deliver(Pair(0, worker), 1, foreign=False)
    done = gather(reversed(list(branch.refs.values())), 0, branch.entries)
    assert [one.pair.worker for one in done.merge] == ["ada", "mia", "zoe"]
    assert (done.aside, done.done) == ((), ())
