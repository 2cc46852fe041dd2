"""Where the boxes and lines of a plan's drawing go (pure): layers from left to right.

Each phase stands one column after the last of its needs. Within a column phases stand near what
they are joined to: a few sweeps to the mean place of the neighbours (Sugiyama, Tagawa and Toda,
1981). A line over several columns gets a place in each, so that it runs between the boxes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from gitbaton.plans.graph import Graph

SWEEPS: Final = 4

Spot: TypeAlias = tuple[int, float]
"""A column, and a row in it; columns with fewer boxes are centred, so rows may be halves."""

_Node: TypeAlias = str | tuple[str, str, int]  # a phase, or a line where it passes a column


@dataclass(frozen=True, slots=True)
class Layout:
    """``boxes``: the phases' spots. ``lines``: need, phase, and the spots that it passes."""

    boxes: Mapping[str, Spot]
    lines: Sequence[tuple[str, str, Sequence[Spot]]]
    columns: int
    rows: int


def lay_out(graph: Graph) -> Layout:
    """Return the places of all phases of ``graph`` and of the needs that say anything new."""
    levels = graph.levels()
    reduced = graph.reduced()
    columns: list[list[_Node]] = [[] for _ in range(max(levels.values(), default=-1) + 1)]
    for id in graph.ids:
        columns[levels[id]].append(id)
    chains: list[tuple[str, str, list[_Node]]] = []
    for id in graph.ids:
        for need in reduced[id]:
            between = range(levels[need] + 1, levels[id])
            passing: list[_Node] = [(need, id, column) for column in between]
            for column, node in zip(between, passing, strict=True):
                columns[column].append(node)
            chains.append((need, id, passing))
    _sweep(columns, chains)
    rows = max(map(len, columns), default=0)
    spots: dict[_Node, Spot] = {
        node: (number, row + (rows - len(column)) / 2)
        for number, column in enumerate(columns)
        for row, node in enumerate(column)
    }
    boxes = {id: spots[id] for id in graph.ids}
    lines = [(need, id, [spots[node] for node in passing]) for need, id, passing in chains]
    return Layout(boxes, lines, len(columns), rows)


def _sweep(columns: list[list[_Node]], chains: Sequence[tuple[str, str, Sequence[_Node]]]) -> None:
    """Order each column by the mean place of its neighbours, to the right and back."""
    left: dict[_Node, list[_Node]] = {}
    right: dict[_Node, list[_Node]] = {}
    for need, id, passing in chains:
        path: list[_Node] = [need, *passing, id]
        for near, far in pairwise(path):
            right.setdefault(near, []).append(far)
            left.setdefault(far, []).append(near)
    for _ in range(SWEEPS):
        for numbers, neighbours in (
            (range(1, len(columns)), left),
            (range(len(columns) - 2, -1, -1), right),
        ):
            step = -1 if neighbours is left else 1
            for number in numbers:
                columns[number] = _ordered(columns[number], columns[number + step], neighbours)


def _ordered(
    column: Sequence[_Node], beside: Sequence[_Node], neighbours: Mapping[_Node, Sequence[_Node]]
) -> list[_Node]:
    place = {node: row / max(len(beside), 1) for row, node in enumerate(beside)}
    own = {node: row / max(len(column), 1) for row, node in enumerate(column)}

    def mean(node: _Node) -> tuple[float, float]:
        known = [place[other] for other in neighbours.get(node, ()) if other in place]
        return (sum(known) / len(known) if known else own[node]), own[node]

    return sorted(column, key=mean)
