"""Sets, deletes and merges: who stands, and what the frame's record says about it."""

from __future__ import annotations

from msgspec import UNSET

from gitbaton.frames.merging.ledger import ROOM
from gitbaton.frames.op import Append, Delete, Incr, Merge, Set
from gitbaton.frames.rules import Rule
from tests.unit.frames.worlds import DOC, FRAME, delta, last_of, play, told

ALL_REJECT = [Rule("**", "/**", "reject")]


def test_missing_documents_and_paths_are_created() -> None:
    value, result = play(None, delta("w1", Set(DOC, "/a/b/c", 1)))
    assert value == {"a": {"b": {"c": 1}}}
    assert not result.conflicts


def test_equal_sets_are_no_conflict() -> None:
    value, result = play(
        {}, delta("w1", Set(DOC, "/x", {"a": 1})), delta("w2", Set(DOC, "/x", {"a": 1}))
    )
    assert value == {"x": {"a": 1}}
    assert result.conflicts == ()
    assert result.counts.applied == 2


def test_different_sets_are_told_with_who_and_what_and_which_won() -> None:
    last = last_of("w1", "w2")
    first = "w1" if last == "w2" else "w2"
    value, result = play(
        {"x": 0}, delta("w1", Set(DOC, "/x", "w1")), delta("w2", Set(DOC, "/x", "w2"))
    )
    assert value == {"x": last}
    assert told(result) == [("values", "/x", [(last, last, True), (first, first, False)])]
    assert result.conflicts[0].found == 0
    assert result.conflicts[0].rule == "last"
    assert result.counts.overruled == 1


def test_a_stream_does_not_contradict_itself() -> None:
    value, result = play(
        {}, delta("w1", Set(DOC, "/x", 1), Incr(DOC, "/x"), Set(DOC, "/x", 5), Incr(DOC, "/x"))
    )
    assert value == {"x": 6}
    assert result.conflicts == ()
    assert (result.counts.applied, result.counts.superseded) == (2, 2)


def test_a_change_by_another_stream_comes_on_top_of_a_set() -> None:
    value, result = play({"x": 1}, delta("w1", Set(DOC, "/x", 10)), delta("w2", Incr(DOC, "/x", 3)))
    assert value == {"x": 13}
    assert result.conflicts == ()


def test_a_set_that_loses_takes_its_own_changes_along_and_says_so() -> None:
    last = last_of("w1", "w2")
    lost = "w1" if last == "w2" else "w2"
    _, result = play(
        {},
        delta(last, Set(DOC, "/x", 1)),
        delta(lost, Set(DOC, "/x", 2), Incr(DOC, "/x", 7)),
    )
    assert told(result) == [("values", "/x", [(last, 1, True), (lost, 2, False), (lost, 7, False)])]
    assert result.counts.overruled == 2


def test_streams_that_start_a_place_alike_all_fill_it() -> None:
    value, result = play(
        {},
        delta("w1", Set(DOC, "/cafe", {"guests": 0}), Incr(DOC, "/cafe/guests")),
        delta("w2", Set(DOC, "/cafe", {"guests": 0}), Incr(DOC, "/cafe/guests")),
    )
    assert value == {"cafe": {"guests": 2}}
    assert result.conflicts == ()


def test_what_a_stream_does_below_its_own_set_competes_there_as_a_whole() -> None:
    for opener, other in (("w1", "w2"), ("w2", "w1")):
        value, _ = play(
            {},
            delta(opener, Set(DOC, "/a", {}), Set(DOC, "/a/b", 1), Incr(DOC, "/a/b")),
            delta(other, Set(DOC, "/a/b", 9)),
        )
        assert value == {"a": {"b": 2 if last_of("w1", "w2") == opener else 9}}


def test_what_comes_after_a_set_keeps_its_turn() -> None:
    last = last_of("w1", "w2")
    first = "w1" if last == "w2" else "w2"
    value, _ = play(
        {},
        delta(first, Set(DOC, "/a", {}), Append(DOC, "/a/l", first)),
        delta(last, Append(DOC, "/a/l", last)),
    )
    assert value == {"a": {"l": [first, last]}}


def test_of_two_ops_under_one_id_one_stands_and_the_other_is_told() -> None:
    one, other = delta("w1", Incr(DOC, "/x", 2)), delta("w1", Incr(DOC, "/x", 3))
    outcomes = [play({}, one, other), play({}, other, one), play({}, one, other, one)]
    for value, result in outcomes:
        assert value == {"x": 2}
        assert result.counts.ops == 1
        assert [(bad.worker, bad.line) for bad in result.quarantined] == [("w1", 1)]
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_the_more_specific_set_stands_inside_the_other_one() -> None:
    value, result = play(
        {"a": {"b": 0, "c": 0}},
        delta("w1", Set(DOC, "/a", {"b": 1, "d": 1})),
        delta("w2", Set(DOC, "/a/b", 2)),
    )
    assert value == {"a": {"b": 2, "d": 1}}
    assert told(result) == [("overlap", "/a/b", [("w2", 2, True), ("w1", {"b": 1, "d": 1}, False)])]
    assert result.conflicts[0].found == 1


def test_nothing_is_put_into_what_is_no_object() -> None:
    value, result = play({"a": 5}, delta("w1", Set(DOC, "/a/b", 1)))
    assert value == {"a": 5}
    assert told(result) == [("type", "/a/b", [("w1", 1, False)])]


def test_null_counts_as_nothing() -> None:
    value, result = play({"a": None, "n": None}, delta("w1", Set(DOC, "/a/b", 1), Incr(DOC, "/n")))
    assert value == {"a": {"b": 1}, "n": 1}
    assert result.conflicts == ()


def test_keeping_wins_over_deleting_in_every_order() -> None:
    for deleter, writer in (("w1", "w2"), ("w2", "w1")):
        value, result = play(
            {"a": {"n": 1}, "b": 1},
            delta(deleter, Delete(DOC, "/a"), Delete(DOC, "/b")),
            delta(writer, Incr(DOC, "/a/n"), Set(DOC, "/b", 2)),
        )
        assert value == {"a": {"n": 2}, "b": 2}
        assert told(result) == [
            ("kept", "/a", [(writer, 1, True), (deleter, UNSET, False)]),
            ("kept", "/b", [(writer, 2, True), (deleter, UNSET, False)]),
        ]


def test_undisputed_deletes_take_members_and_documents_away() -> None:
    value, result = play(
        {"a": 1, "b": 1}, delta("w1", Delete(DOC, "/a")), delta("w2", Delete(DOC, "/a"))
    )
    assert value == {"b": 1}
    assert result.conflicts == ()
    gone, result = play({"a": 1}, delta("w1", Delete(DOC, "")))
    assert gone is None
    assert result.changed == {DOC: None}


def test_merges_of_different_members_do_not_meet() -> None:
    value, result = play(
        {"a": {"old": 1, "k": 1}},
        delta("w1", Merge(DOC, "/a", {"x": {"y": 1}, "old": None})),
        delta("w2", Merge(DOC, "/a", {"x": {"z": 2}})),
    )
    assert value == {"a": {"k": 1, "x": {"y": 1, "z": 2}}}
    assert result.conflicts == ()


def test_merges_of_one_member_meet_there_only() -> None:
    last = last_of("w1", "w2")
    value, result = play(
        {},
        delta("w1", Merge(DOC, "", {"x": "w1", "p": 1})),
        delta("w2", Merge(DOC, "", {"x": "w2", "q": 1})),
    )
    assert value == {"p": 1, "q": 1, "x": last}
    assert [(one.kind, one.path) for one in result.conflicts] == [("values", "/x")]
    assert result.counts.applied == 2


def test_a_base_that_no_longer_holds_is_told() -> None:
    value, result = play({"x": 2}, delta("w1", Set(DOC, "/x", 9, base=1)))
    assert value == {"x": 9}
    assert told(result) == [("stale", "/x", [("w1", 9, True)])]
    assert (result.conflicts[0].found, result.conflicts[0].claims[0].base) == (2, 1)
    value, result = play({"x": 2}, delta("w1", Set(DOC, "/x", 9, new=True)), rules=ALL_REJECT)
    assert value == {"x": 2}
    assert told(result) == [("stale", "/x", [("w1", 9, False)])]


def test_a_base_that_holds_is_no_conflict_even_if_the_stream_wrote_twice() -> None:
    ops = Set(DOC, "/x", 2, base=1), Set(DOC, "/x", 3, base=2), Set(DOC, "/y", 1, new=True)
    value, result = play({"x": 1}, delta("w1", *ops), rules=ALL_REJECT)
    assert value == {"x": 3, "y": 1}
    assert result.conflicts == ()


def test_a_late_set_that_replaces_what_it_has_not_seen_is_told() -> None:
    late = delta("w1", Set(DOC, "/x", 5), Set(DOC, "/fresh", 1), frame=FRAME - 1)
    value, result = play({"x": 7}, late)
    assert value == {"fresh": 1, "x": 5}
    assert told(result) == [("stale", "/x", [("w1", 5, True)])]


def test_this_frame_has_the_last_word_over_a_late_delta() -> None:
    for late, now in (("w1", "w2"), ("w2", "w1")):
        value, _ = play(
            {},
            delta(now, Set(DOC, "/x", "now")),
            delta(late, Set(DOC, "/x", "late"), frame=FRAME - 1),
        )
        assert value == {"x": "now"}


def test_a_damaged_document_is_left_alone_and_told() -> None:
    from gitbaton.frames.merge import merge
    from gitbaton.frames.rules import RuleTable

    result = merge(FRAME, [delta("w1", Incr(DOC, "/x"))], RuleTable(), lambda doc: b"{broken")
    assert result.changed == {}
    assert told(result) == [("document", "", [("w1", 1, False)])]
    assert result.counts.overruled == 1


def test_long_values_are_left_out_of_conflicts_with_their_size() -> None:
    deltas = [
        delta(f"w{n}", *(Set(DOC, f"/{i}", str(n) * 1000) for i in range(6000))) for n in (1, 2)
    ]
    deltas.append(delta("w3", Set(DOC, "/long", "x" * 2000)))
    deltas.append(delta("w4", Set(DOC, "/long", "y" * 2000)))
    _, result = play({}, *deltas)
    [long] = [one for one in result.conflicts if one.path == "/long"]
    assert [(claim.value, claim.size) for claim in long.claims] == [(UNSET, 2002)] * 2
    kept = [claim for one in result.conflicts for claim in one.claims if claim.value is not UNSET]
    left_out = [claim for one in result.conflicts for claim in one.claims if claim.size]
    assert len(kept) + len(left_out) == 2 * 6001
    assert len(kept) * 1002 <= ROOM < (len(kept) + 1) * 1002
