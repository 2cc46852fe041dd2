"""Graphs, places of paths and meetings of plans, each against a plain statement of what it is."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gitbaton.plans.graph import Graph
from gitbaton.plans.layout import lay_out
from gitbaton.plans.meeting import find_meetings
from gitbaton.plans.pathtree import PathTree, beginning, ending
from gitbaton.plans.positions import find_places
from gitbaton.plans.problem import Path
from gitbaton.tasks.globs import common_file, match

Needs = Mapping[str, Sequence[str]]


@st.composite
def graphs(draw: st.DrawFn, most: int = 7) -> Needs:
    """Return needs without a circle, the phases in any order."""
    size = draw(st.integers(0, most))
    ids = draw(st.permutations([f"n{number}" for number in range(size)]))
    needs = {
        id: draw(st.lists(st.sampled_from(ids[:at]), unique=True)) if at else []
        for at, id in enumerate(ids)
    }
    return {id: needs[id] for id in draw(st.permutations(ids))}


def chains(needs: Needs) -> Iterator[tuple[str, ...]]:
    """Yield every chain of needs, from anywhere to anywhere."""
    todo: list[tuple[str, ...]] = [(id,) for id in needs]
    while todo:
        chain = todo.pop()
        yield chain
        todo += [(*chain, id) for id, wanted in needs.items() if chain[-1] in wanted]


@given(graphs(), st.lists(st.integers(1, 9), min_size=7, max_size=7))
@settings(max_examples=150, deadline=None)
def test_a_graph_is_what_its_chains_say(needs: Needs, numbers: list[int]) -> None:
    graph = Graph(needs)
    every = list(chains(needs))
    weights = {id: float(number) for id, number in zip(needs, numbers, strict=False)}
    heavy = {chain: sum(weights[id] for id in chain) for chain in every}
    for id in needs:
        assert graph.before(id) == {c[0] for c in every if c[-1] == id and len(c) > 1}
        assert graph.after(id) == {c[-1] for c in every if c[0] == id and len(c) > 1}
        assert graph.levels()[id] == max(len(c) - 1 for c in every if c[-1] == id)
        assert graph.tails(weights)[id] == max(heavy[c] for c in every if c[0] == id)
        apart = set(needs) - graph.before(id) - graph.after(id) - {id}
        assert set(graph.named(graph.beside(graph.number[id]))) == apart
    path = tuple(graph.critical_path(weights))
    assert heavy.get(path, 0.0) == max(heavy.values(), default=0.0)
    assert sorted(graph.order) == sorted(needs)
    place = {id: at for at, id in enumerate(graph.order)}
    assert all(place[need] < place[id] for id in needs for need in needs[id])


@given(graphs())
@settings(max_examples=100, deadline=None)
def test_reduced_needs_say_the_same_and_nothing_twice(needs: Needs) -> None:
    graph = Graph(needs)
    reduced = graph.reduced()
    again = Graph(reduced)
    assert all(again.before(id) == graph.before(id) for id in needs)
    for id, wanted in reduced.items():
        for need in wanted:
            fewer = {**reduced, id: [other for other in wanted if other != need]}
            assert Graph(fewer).before(id) != graph.before(id)


@given(graphs(), st.sets(st.integers(0, 6)))
@settings(max_examples=100, deadline=None)
def test_what_is_ready(needs: Needs, numbers: set[int]) -> None:
    done = {f"n{number}" for number in numbers}
    ready = [id for id in needs if id not in done and set(needs[id]) <= done]
    assert Graph(needs).ready(done) == ready


@given(graphs())
@settings(max_examples=100, deadline=None)
def test_a_drawing_goes_from_left_to_right_and_nothing_stands_on_another(needs: Needs) -> None:
    graph = Graph(needs)
    layout = lay_out(graph)
    spots = [*layout.boxes.values(), *(spot for line in layout.lines for spot in line[2])]
    assert len(set(spots)) == len(spots)
    assert set(layout.boxes) == set(needs)
    drawn = {(need, id) for need, id, _ in layout.lines}
    assert drawn == {(need, id) for id, wanted in graph.reduced().items() for need in wanted}
    for need, id, passing in layout.lines:
        columns = [layout.boxes[need][0], *(spot[0] for spot in passing), layout.boxes[id][0]]
        assert columns == list(range(columns[0], columns[-1] + 1))
    assert all(0 <= column < layout.columns and 0 <= row < layout.rows for column, row in spots)


# --- globs

parts = st.sampled_from(["a", "b", "*", "**", "?", "*.b", "a*", "[ab]", "*a.b", "a.b", "[!a]b"])
globs = st.builds(
    lambda names, end: "/".join(names) + end,
    st.lists(parts, min_size=1, max_size=3),
    st.sampled_from(["", "", "/"]),
)
FILES = ["/".join(p) for n in (1, 2, 3) for p in itertools.product(["a", "b", "a.b"], repeat=n)]


@given(st.lists(globs, max_size=8), globs)
@settings(max_examples=200, deadline=None)
def test_a_tree_of_paths_leaves_out_no_glob_that_meets(stored: list[str], glob: str) -> None:
    tree = PathTree()
    for other in stored:
        tree.add(other)
    near = list(tree.near(glob))
    assert len(near) <= len(stored)
    assert {other for other in stored if common_file(glob, other) is not None} <= set(near)


@given(globs)
@settings(max_examples=200, deadline=None)
def test_what_a_glob_matches_begins_and_ends_as_it_does(glob: str) -> None:
    for file in FILES:
        if match(glob, file):
            assert file.split("/")[: len(beginning(glob))] == list(beginning(glob))
            assert file.endswith(ending(glob))


@given(graphs(5), st.lists(st.lists(globs, max_size=2), min_size=5, max_size=5))
@settings(max_examples=100, deadline=None)
def test_meetings_are_the_pairs_that_may_run_together_and_touch_one_file(
    needs: Needs, wanted: list[list[str]]
) -> None:
    graph = Graph(needs)
    paths = dict(zip(needs, wanted, strict=False))
    expected = {
        frozenset(pair)
        for pair in itertools.combinations(needs, 2)
        if pair[0] not in graph.before(pair[1]) | graph.after(pair[1])
        and any(common_file(g, h) for g in paths[pair[0]] for h in paths[pair[1]])
    }
    found = find_meetings(paths, graph)
    assert {frozenset((m.one, m.other)) for m in found.shown} == expected
    assert (found.count, found.unsure) == (len(expected), 0)
    for meeting in found.shown:
        assert match(meeting.glob, meeting.file) and match(meeting.other_glob, meeting.file)
    few = find_meetings(paths, graph, most=1)
    assert (len(few.shown), few.count) == (min(1, len(expected)), len(expected))


# --- places

keys = st.sampled_from(["a", "b", "c-d", '"x y"', "'q.r'", '"\\u0041"', '"]"'])
scalars = st.sampled_from(
    ["1", "true", "1979-05-27 07:32:00Z", '"]\\""', "'#'", '"""\na\\"""\n""b"""', "'''\n]\n'''"]
)


def render(value: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> str:
    """Return ``value`` as TOML, with line ends and comments wherever they may be."""
    if isinstance(value, str):
        return value
    gap = st.sampled_from(["", " ", "\n", "\n# ] , [\n"])
    if isinstance(value, list):
        inner = ",".join(draw(gap) + render(item, draw) + draw(gap) for item in value)
        return f"[{inner}{',' if value and draw(st.booleans()) else ''}{draw(gap)}]"
    pairs = ", ".join(f"{key} = {render(item, draw)}" for key, item in value.items())
    return f"{{ {pairs} }}"


values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=2),
    max_leaves=6,
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Return a valid TOML document."""
    lines = []
    for number in range(draw(st.integers(0, 3))):
        head = draw(st.sampled_from(["[t{}]", "[[p]]", "[t{}.'u v']", "[[q.r]]", ""]))
        lines.append(head.format(number))
        table = draw(st.dictionaries(keys, values, max_size=3))
        # Without a header the keys belong to the table before: give them a name of their own.
        lines += [f"k{number}.{key} = {render(v, draw)}  # =" for key, v in table.items()]
        lines += draw(st.sampled_from([[""], ["", "# [x]"]]))
    return "\n".join(lines)


def every_path(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the paths of all keys and list items in ``value``."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from every_path(inner, (*path, key))


@given(documents())
@settings(max_examples=200, deadline=None)
def test_everything_in_a_document_has_a_line_and_nothing_else_has(text: str) -> None:
    document = tomllib.loads(text)
    places = find_places(text).lines
    assert set(places) == set(every_path(document))
    lines = text.split("\n")
    for path, line in places.items():
        if isinstance(path[-1], str) and path[-1].isalpha() and path[-1] != "A":
            assert path[-1] in lines[line - 1]
    order = [places[path] for path in every_path(document) if len(path) == 1]
    assert order == sorted(order)
