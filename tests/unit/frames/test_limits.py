"""What a frame takes in: bounded, shared out fairly, and told (I7, I8)."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.errors import InvalidInput
from gitbaton.frames import Append, Delete, Incr, Op, Remove, Set
from gitbaton.frames.canonical import encode_document
from gitbaton.frames.codec import LISTED, read_ops, write_op
from gitbaton.frames.delta import Delta
from gitbaton.frames.frame import World, decode_world, encode_world
from gitbaton.frames.limits import FILE_LIMIT, Limits, share_out
from gitbaton.frames.merge import MergeResult, merge
from gitbaton.frames.rules import RuleTable
from tests.unit.frames.worlds import DOC, FRAME, delta


def fill(before: object, room: int, *deltas: Delta) -> tuple[bytes | None, MergeResult]:
    """Return the document that ``deltas`` make of ``before``, and all that merging found."""
    data = None if before is None else encode_document(before)
    result = merge(FRAME, deltas, RuleTable(), lambda doc: data if doc == DOC else None, room=room)
    return result.changed.get(DOC, data), result


@given(st.lists(st.integers(0, 100)), st.integers(-5, 500))
def test_nobody_is_cut_while_another_has_more(wants: list[int], room: int) -> None:
    shares = share_out(wants, room)
    assert all(0 <= share <= want for share, want in zip(shares, wants, strict=True))
    assert sum(shares) <= max(room, 0)
    cut = [share for share, want in zip(shares, wants, strict=True) if share < want]
    if cut:
        assert max(shares) <= min(cut) + 1 and sum(shares) > room - len(wants)


def test_the_good_lines_before_the_bound_count() -> None:
    line = write_op(Incr(DOC, "/x"))
    data = line * 10
    ops = read_ops(data, limit=len(line) * 4 + 3)
    assert list(ops.good) == [1, 2, 3, 4]
    (bad,) = ops.bad
    assert bad.line == 0 and "the rest is not read" in bad.reason and bad.excerpt
    assert len(read_ops(data, limit=len(data)).good) == 10 and not read_ops(data, len(data)).bad
    assert len(read_ops(data, limit=len(data) - 1).good) == 9
    assert read_ops(data, limit=5).good == {}


def test_a_full_document_takes_what_there_is_room_for() -> None:
    """Who writes little is heard beside who writes much; each op is applied or told of."""
    hog = delta("hog", *(Append(DOC, "/all", "x" * 500) for _ in range(100)))
    small = [delta(f"w{n}", Append(DOC, "/all", f"small {n}")) for n in range(5)]
    data, result = fill({"all": []}, 8_000, hog, *small)
    assert data is not None and 4_000 < len(data) <= 8_000
    there = json.loads(data)["all"]
    assert sorted(word for word in there if word.startswith("small")) == [
        f"small {n}" for n in range(5)
    ]
    taken = len(there) - 5
    assert 0 < taken < 100
    assert {(q.worker, q.stream) for q in result.quarantined} == {("hog", "s0")}
    lines = [q.line for q in result.quarantined if q.line]
    assert lines == list(range(taken + 1, taken + 1 + LISTED)), "the first ones count"
    assert sum(q.more for q in result.quarantined) == 100 - taken - LISTED
    assert f"{DOC} would have more than 8000 bytes" in result.quarantined[0].reason
    assert result.counts.ops == result.counts.applied == taken + 5
    again, other = fill({"all": []}, 8_000, *reversed(small), hog, hog)
    assert (again, other) == (data, result), "in any order, and more than once (I7)"


def test_a_document_with_room_is_not_touched_by_the_bound() -> None:
    full = {"all": ["x" * 90]}
    size = len(encode_document({"all": ["x" * 90, "y"]}))
    for room, fits in ((size, True), (size - 1, False)):
        data, result = fill(full, room, delta("w", Append(DOC, "/all", "y")))
        assert data is not None and (b'"y"' in data) is fits
        assert bool(result.quarantined) is not fits


@pytest.mark.parametrize(
    ("op", "after"),
    [
        (Remove(DOC, "/all", "x" * 90), {"all": [], "n": 1}),
        (Delete(DOC, "/all"), {"n": 1}),
        (Set(DOC, "/all", []), {"all": [], "n": 1}),
    ],
)
def test_what_makes_a_full_document_smaller_is_done(op: Op, after: object) -> None:
    data, result = fill({"all": ["x" * 90], "n": 1}, 10, delta("w", op))
    assert data == encode_document(after) and not result.quarantined


def test_a_full_document_can_be_emptied_while_others_fill_it() -> None:
    """What takes away is done whatever else is refused; conflicts are of what was merged."""
    hog = delta("hog", *(Append(DOC, "/all", "z" * 500) for _ in range(3)), Set(DOC, "/n", "z"))
    data, result = fill({"all": ["x" * 90], "n": 1}, 100, hog, delta("w", Delete(DOC, "/n")))
    assert data == encode_document({"all": ["x" * 90]})
    assert result.conflicts == ()
    assert Counter(q.worker for q in result.quarantined) == {"hog": 4}
    assert result.counts.ops == 1


def test_what_takes_away_is_done_after_what_there_was_no_room_for() -> None:
    ops = (Append(DOC, "/all", "z" * 500), Delete(DOC, "/n"), Append(DOC, "/all", "z"))
    data, result = fill({"all": [], "n": 1}, 300, delta("w", *ops))
    assert data == encode_document({"all": []})
    assert [q.line for q in result.quarantined] == [1, 3], "what came later counted on it"


def test_a_value_that_unfolds_when_it_is_written_down_is_reckoned_so() -> None:
    """An array of digits takes a line for each, as deep as it is."""
    wide = delta("w", Set(DOC, "/a/b/c/d/e/f", [0] * 2_000), Set(DOC, "/tiny", 1))
    data, result = fill(None, 9_000, wide)
    assert data is None and len(result.quarantined) == 2
    data, result = fill(None, 40_000, wide)
    assert data is not None and len(data) <= 40_000 and not result.quarantined


def test_a_world_says_its_limits() -> None:
    world = World(limits=Limits(stream=10, document=20))
    assert decode_world(encode_world(world)) == world
    assert decode_world(b"{}").limits == Limits()
    for wrong in (
        {"stream": 0},
        {"stream": FILE_LIMIT + 1},
        {"document": -1},
        {"frame": "much"},
        {"other": 1},
    ):
        with pytest.raises(InvalidInput):
            decode_world(json.dumps({"limits": wrong}).encode())
