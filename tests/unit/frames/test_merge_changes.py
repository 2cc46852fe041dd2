"""Changes that add up: arrays, sets, numbers, and indexes under concurrency."""

from __future__ import annotations

from gitbaton.frames.op import Add, Append, Delete, Incr, Max, Min, Remove, Set
from tests.unit.frames.worlds import DOC, FRAME, delta, play, told


def test_numbers_add_up_and_floats_in_any_order_to_the_same_bits() -> None:
    amounts = [0.1, 0.2, 0.3, 1e16, -1e16, 1]
    value, _ = play({}, *(delta(f"w{n}", Incr(DOC, "/x", one)) for n, one in enumerate(amounts)))
    assert value == {"x": 1.6}
    value, _ = play(
        {"x": 2**60}, delta("w1", Incr(DOC, "/x", 2**60)), delta("w2", Incr(DOC, "/x", -1))
    )
    assert value == {"x": 2**61 - 1}


def test_a_sum_beyond_all_numbers_is_refused() -> None:
    value, result = play({"x": 1.5e308}, delta("w1", Incr(DOC, "/x", 1.5e308)))
    assert value == {"x": 1.5e308}
    assert told(result) == [("number", "/x", [("w1", 1.5e308, False)])]


def test_max_and_min() -> None:
    value, result = play(
        {"h": 3, "t": "b"},
        delta("w1", Max(DOC, "/h", 9), Min(DOC, "/l", 4), Max(DOC, "/t", "a")),
        delta("w2", Max(DOC, "/h", 5), Min(DOC, "/l", 2), Max(DOC, "/t", 3)),
    )
    assert value == {"h": 9, "l": 2, "t": "b"}
    assert told(result) == [("type", "/t", [("w2", 3, False)])]


def test_appends_all_stay_and_each_streams_own_in_its_order() -> None:
    deltas = [delta(f"w{n}", *(Append(DOC, "/l", [n, i]) for i in range(3))) for n in range(4)]
    value, _ = play({"l": ["old"]}, *deltas)
    assert value["l"][0] == "old"
    assert len(value["l"]) == 13
    for n in range(4):
        assert [one for one in value["l"][1:] if one[0] == n] == [[n, i] for i in range(3)]


def test_a_dedup_key_keeps_the_first_in_this_frame_and_later() -> None:
    posts = {"posts": [{"id": "p1", "t": "old"}]}
    value, result = play(
        posts,
        delta("w1", Append(DOC, "/posts", {"t": "old"}, key="p1")),
        delta(
            "w2",
            Append(DOC, "/posts", {"t": "new"}, key="p2"),
            Append(DOC, "/posts", {"t": "new"}, key="p2"),
        ),
    )
    assert value == {"posts": [{"id": "p1", "t": "old"}, {"id": "p2", "t": "new"}]}
    assert result.conflicts == ()
    value, result = play(posts, delta("w1", Append(DOC, "/posts", {"t": "changed"}, key="p1")))
    assert value == posts
    assert told(result) == [("duplicate", "/posts", [("w1", {"t": "changed"}, False)])]


def test_a_dedup_key_and_the_elements_own_id_must_agree() -> None:
    value, result = play({}, delta("w1", Append(DOC, "/l", {"id": "a"}, key="b")))
    assert value == {"l": []}
    assert [one.kind for one in result.conflicts] == ["type"]


def test_a_dedup_key_of_what_is_no_object_holds_in_the_frame() -> None:
    value, result = play(
        {},
        delta("w1", Append(DOC, "/l", "x", key="k")),
        delta("w2", Append(DOC, "/l", "x", key="k")),
    )
    assert value == {"l": ["x"]}
    assert result.conflicts == ()
    _, result = play(
        {},
        delta("w1", Append(DOC, "/l", "x", key="k")),
        delta("w2", Append(DOC, "/l", "y", key="k")),
    )
    assert [one.kind for one in result.conflicts] == ["duplicate"]


def test_sets_have_no_equal_elements_and_tell_values_apart() -> None:
    value, _ = play(
        {"s": [1]},
        delta("w1", Add(DOC, "/s", 1), Add(DOC, "/s", True), Add(DOC, "/s", {"a": 1})),
        delta("w2", Add(DOC, "/s", {"a": 1}), Add(DOC, "/s", 1.0)),
    )
    assert len(value["s"]) == 4
    assert sum(one == {"a": 1} for one in value["s"]) == 1


def test_adding_wins_over_anothers_removal_and_is_told() -> None:
    for one, other in (("w1", "w2"), ("w2", "w1")):
        value, result = play(
            {"s": [1, 2]},
            delta(one, Add(DOC, "/s", 1)),
            delta(other, Remove(DOC, "/s", 1), Remove(DOC, "/s", 2)),
        )
        assert value == {"s": [1]}
        assert told(result) == [("kept", "/s", [(one, 1, True), (other, 1, False)])]


def test_a_stream_may_take_back_its_own() -> None:
    value, result = play({}, delta("w1", Add(DOC, "/s", 1), Remove(DOC, "/s", 1)))
    assert value == {"s": []}
    assert result.conflicts == ()


def test_an_index_names_the_element_that_was_there_when_the_frame_began() -> None:
    posts = {"posts": [{"v": 0}, {"v": 0}, {"v": 5}]}
    value, result = play(
        posts,
        delta("w1", Remove(DOC, "/posts", {"v": 5}), Append(DOC, "/posts", {"v": 9})),
        delta("w2", Incr(DOC, "/posts/1/v"), Set(DOC, "/posts/0/v", 7)),
    )
    assert value == {"posts": [{"v": 7}, {"v": 1}, {"v": 9}]}
    assert result.conflicts == ()


def test_an_index_that_may_name_another_element_is_refused() -> None:
    posts = {"posts": [{"v": 0}]}
    for bad in (
        delta("w1", Incr(DOC, "/posts/1/v")),
        delta("w1", Incr(DOC, "/posts/-/v")),
        delta("w1", Incr(DOC, "/posts/00/v")),
        delta("w1", Append(DOC, "/posts", {"v": 1}), Incr(DOC, "/posts/1/v")),
        delta("w1", Delete(DOC, "/posts/0")),
        delta("w1", Incr(DOC, "/posts/0/v"), frame=FRAME - 1),
    ):
        value, result = play(posts, bad)
        assert value["posts"][0] == {"v": 0}
        assert [one.kind for one in result.conflicts] == ["index"]


def test_an_index_into_an_array_that_another_stream_replaced_is_refused() -> None:
    value, result = play(
        {"l": [1, 2]},
        delta("w1", Set(DOC, "/l", [7, 8]), Set(DOC, "/l/0", 9)),
        delta("w2", Set(DOC, "/l/1", 5)),
    )
    assert value == {"l": [9, 8]}
    assert told(result) == [("index", "/l/1", [("w2", 5, False)])]


def test_a_removal_of_an_element_that_another_stream_changed_is_told() -> None:
    value, result = play(
        {"l": [{"v": 1}]},
        delta("w1", Remove(DOC, "/l", {"v": 1})),
        delta("w2", Incr(DOC, "/l/0/v")),
    )
    assert value == {"l": [{"v": 2}]}
    assert told(result) == [("kept", "/l", [("w1", {"v": 1}, False)])]


def test_what_does_not_fit_is_refused_op_by_op() -> None:
    value, result = play(
        {"n": "text", "l": {}},
        delta("w1", Incr(DOC, "/n"), Append(DOC, "/l", 1), Add(DOC, "/fine", 1)),
    )
    assert value == {"fine": [1], "l": {}, "n": "text"}
    assert sorted(one.path for one in result.conflicts) == ["/l", "/n"]
    assert result.counts.overruled == 2


def test_documents_that_no_op_touches_are_not_asked_for_and_unchanged_ones_not_written() -> None:
    value, result = play(
        {"h": 9},
        delta("w1", Max(DOC, "/h", 1), Set("new.json", "", [1])),
        delta("w2", Remove("none.json", "/l", 1)),
    )
    assert value == {"h": 9}
    assert list(result.changed) == ["new.json", DOC]
    assert result.changed["new.json"] == b"[\n 1\n]\n"
    again, result = play({"h": 9}, delta("w1", Max("other.json", "/h", 1)))
    assert again == {"h": 9}
    assert list(result.changed) == ["other.json"]


def test_a_frame_that_touches_3_of_1000_documents_reads_and_writes_3() -> None:
    from gitbaton.frames.merge import merge
    from gitbaton.frames.rules import RuleTable

    world = {f"p{n}.json": b'{"n": 1}' for n in range(1000)}
    asked: list[str] = []

    def read(doc: str) -> bytes | None:
        asked.append(doc)
        return world.get(doc)

    touched = ["p007.json", "p7.json", "p500.json"]
    deltas = [delta(f"w{n}", *(Incr(doc, "/n") for doc in touched)) for n in range(10)]
    result = merge(FRAME, deltas, RuleTable(), read)
    assert sorted(asked) == list(result.changed) == sorted(touched)
    assert result.changed["p7.json"] == b'{\n "n": 11\n}\n'
