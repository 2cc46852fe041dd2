"""The graph of needs: hand-made cases. Against brute force: tests/property/test_plan_graphs.py."""

from __future__ import annotations

import time

import pytest

from gitbaton.plans.graph import Graph

DIAMOND = {"d": ["b", "c"], "a": [], "b": ["a"], "c": ["a"], "e": ["d", "a"]}


def test_a_diamond() -> None:
    graph = Graph(DIAMOND)
    assert graph.order == ["a", "b", "c", "d", "e"]
    assert graph.before("d") == {"a", "b", "c"}
    assert graph.after("b") == {"d", "e"}
    assert graph.levels() == {"d": 2, "a": 0, "b": 1, "c": 1, "e": 3}
    assert graph.reduced()["e"] == ("d",)
    assert graph.reduced()["d"] == ("b", "c")
    assert set(graph.named(graph.beside(graph.number["b"]))) == {"c"}


def test_what_is_ready() -> None:
    graph = Graph(DIAMOND)
    assert graph.ready([]) == ["a"]
    assert graph.ready(["a"]) == ["b", "c"]
    assert graph.ready(["a", "b", "unknown"]) == ["c"]
    assert graph.ready(["a", "b", "c", "d", "e"]) == []


def test_the_longest_chain() -> None:
    graph = Graph(DIAMOND)
    assert graph.critical_path() == ["a", "b", "d", "e"]
    assert graph.tails() == {"d": 2, "a": 4, "b": 3, "c": 3, "e": 1}
    weights = {"a": 1.0, "b": 1.0, "c": 5.0, "d": 1.0, "e": 1.0}
    assert graph.critical_path(weights) == ["a", "c", "d", "e"]
    assert graph.tails(weights)["a"] == 8


def test_nothing() -> None:
    graph = Graph({})
    assert (graph.order, graph.critical_path(), graph.levels()) == ([], [], {})


def test_a_circle_is_no_graph() -> None:
    with pytest.raises(ValueError, match="circle"):
        Graph({"a": ["b"], "b": ["a"]})


def test_a_chain_of_thousands() -> None:
    """Neither recursion nor anything that grows with the square of the length in Python."""
    ids = [f"n{number}" for number in range(5000)]
    begun = time.process_time()
    graph = Graph({id: ids[number - 1 : number] if number else [] for number, id in enumerate(ids)})
    assert graph.critical_path() == ids
    assert graph.levels()[ids[-1]] == 4999
    assert time.process_time() - begun < 5
