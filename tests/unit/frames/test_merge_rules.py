"""The merge rules by path, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from gitbaton.core.errors import InvalidInput
from gitbaton.frames.op import Append, Delete, Incr, Set
from gitbaton.frames.rules import Rule, RuleTable, Use
from tests.unit.frames.worlds import DOC, FRAME, delta, play, told


def under(use: Use, before: Any, *values: Any, **marks: Any) -> tuple[Any, list[Any]]:
    """Return what sets of ``/x`` to each of ``values``, by a worker each, come to."""
    deltas = [delta(f"w{at}", Set(DOC, "/x", v, **marks)) for at, v in enumerate(values)]
    value, result = play({"x": before}, *deltas, rules=[Rule("**", "/x", use)])
    return value["x"], [one.kind for one in result.conflicts]


def test_max_and_min_never_go_back() -> None:
    assert under("max", 5, 3, 9, 7) == (9, [])
    assert under("max", 5, 3) == (5, [])
    assert under("min", 5, 3, 9) == (3, [])
    assert under("max", "2026-01", "2026-03", "2025-12") == ("2026-03", [])
    assert under("max", 5, "text", 8) == (8, ["type"])


def test_sum_adds_what_each_stream_added() -> None:
    assert under("sum", 10, 12, 15) == (17, [])
    assert under("sum", 10, 12, 15, base=11) == (10 + 1 + 4, [])
    assert under("sum", None, 2, 3) == (5, [])
    assert under("sum", 10, 12, "many") == (12, ["type"])
    assert under("sum", 0.5, 0.75, 1.5) == (1.75, [])


def test_union_joins_and_takes_away_what_a_base_proves_removed() -> None:
    value, kinds = under("union", ["a", "b"], ["a", "c"], ["b", "d"])
    assert (sorted(value), kinds) == (["a", "b", "c", "d"], [])
    value, kinds = under("union", ["a", "b"], ["a", "c"], ["a", "b", "d"], base=["a", "b"])
    assert (sorted(value), kinds) == (["a", "c", "d"], [])


def test_append_adds_new_elements_once_by_key() -> None:
    old = {"id": 1, "t": "old"}
    new, more = {"id": 2, "t": "new"}, {"id": 3, "t": "more"}
    value, kinds = under("append", [old], [old, new], [old, new, more])
    assert (value[0], sorted(one["id"] for one in value), kinds) == (old, [1, 2, 3], [])
    _, kinds = under("append", [old], [old, new], [old, {**new, "t": "other"}])
    assert kinds == ["duplicate"]
    value, kinds = under("append", [old], [new])
    assert (value, kinds) == ([old, new], ["kept"])


def test_append_ops_use_the_key_of_the_rule() -> None:
    post = {"slug": "hello", "t": 1}
    rules = [Rule(DOC, "/posts", "append", key="slug")]
    deltas = [delta(f"w{n}", Append(DOC, "/posts", post)) for n in range(3)]
    value, result = play({}, *deltas, rules=rules)
    assert value == {"posts": [post]}
    assert result.conflicts == ()


def test_reject_applies_none_of_several_values() -> None:
    assert under("reject", 1, 2, 3) == (1, ["values"])
    assert under("reject", 1, 2, 2) == (2, [])
    assert under("reject", 1, 2) == (2, [])
    value, result = play(
        {"x": 1},
        delta("w1", Incr(DOC, "/x", 1, base=0)),
        delta("w2", Incr(DOC, "/x", 1, base=1)),
        rules=[Rule("**", "/x", "reject")],
    )
    assert value == {"x": 2}
    assert told(result) == [("stale", "/x", [("w1", 1, False)])]


def test_a_value_wins_over_a_deletion_under_every_rule() -> None:
    uses: list[tuple[Use, Any, Any]] = [
        ("last", 2, 2),
        ("max", 9, 9),
        ("sum", 9, 9),
        ("union", ["b"], ["a", "b"]),
        ("append", ["a", "b"], ["a", "b"]),
    ]
    for use, value, expected in uses:
        before = ["a"] if isinstance(value, list) else 5
        merged, result = play(
            {"x": before},
            delta("w1", Delete(DOC, "/x")),
            delta("w2", Set(DOC, "/x", value)),
            rules=[Rule("**", "/x", use)],
        )
        assert merged == {"x": expected}, use
        assert [one.kind for one in result.conflicts] == ["kept"], use


def test_what_a_stream_leaves_at_the_place_is_its_value() -> None:
    rules = [Rule("**", "/x", "max")]
    value, result = play(
        {"x": 1},
        delta("w1", Set(DOC, "/x", 3), Incr(DOC, "/x", 4)),
        delta("w2", Set(DOC, "/x", 5)),
        rules=rules,
    )
    assert value == {"x": 7}
    assert result.conflicts == ()


def test_a_late_set_under_sum_is_told_where_it_names_no_base() -> None:
    rules = [Rule("**", "/x", "sum")]
    _, result = play({"x": 1}, delta("w1", Set(DOC, "/x", 3), frame=FRAME - 1), rules=rules)
    assert [one.kind for one in result.conflicts] == ["stale"]


@pytest.mark.parametrize(
    ("doc", "path", "at", "fits"),
    [
        ("a.json", "/x", ("a.json", ("x",)), True),
        ("a.json", "/x", ("b.json", ("x",)), False),
        ("a.json", "/x", ("a.json", ("x", "y")), False),
        ("*.json", "/*/n", ("a.json", ("x", "n")), True),
        ("*.json", "/*/n", ("town/a.json", ("x", "n")), False),
        ("**/*.json", "/**/n", ("town/a.json", ("n",)), True),
        ("**", "/**/n", ("town/a.json", ("p", "q", "n")), True),
        ("**", "/**", ("a.json", ()), True),
        ("**", "", ("a.json", ()), True),
        ("**", "/a~1b/*", ("a.json", ("a/b", "x/y")), True),
        ("**", "/a.b", ("a.json", ("axb",)), False),
    ],
)
def test_patterns(doc: str, path: str, at: tuple[str, tuple[str, ...]], fits: bool) -> None:
    table = RuleTable([Rule(doc, path, "max")])
    assert (table.find(*at).use == "max") == fits


def test_the_first_rule_that_fits_decides() -> None:
    table = RuleTable([Rule("a.json", "/x", "sum"), Rule("**", "/**", "reject")])
    assert [table.find(doc, ("x",)).use for doc in ("a.json", "b.json")] == ["sum", "reject"]


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (Rule("", "/x", "max"), "rules[0].doc"),
        (Rule("a.json", "x", "max"), "rules[0].path"),
        (Rule("a.json", "/**/**/**/**", "max"), "rules[0].path"),
        (Rule("a.json", "/x", "append", key=""), "rules[0].key"),
    ],
)
def test_bad_rules_are_named(rule: Rule, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        RuleTable([rule])
    assert caught.value.field == field
