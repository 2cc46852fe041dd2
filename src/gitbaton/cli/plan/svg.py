"""Draws a plan as an SVG picture. What a plan says is text in it and nothing else (I8)."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from gitbaton.cli.plan.showing import plan_graph
from gitbaton.plans.layout import Spot, lay_out
from gitbaton.plans.model import Phase, Plan
from gitbaton.plans.weights import weigh
from gitbaton.tasks.text import clean_line

WIDTH: Final = 190  # of a box; all in pixels
HEIGHT: Final = 46
_COLUMN: Final = WIDTH + 60
_ROW: Final = HEIGHT + 18
_EDGE: Final = 20
_LETTERS: Final = 27  # of the small type that fit into a box

_STYLE: Final = (
    "text{font-family:system-ui,sans-serif;fill:#222}"
    ".id{font-size:13px;font-weight:600}.title{font-size:11px;fill:#555}"
    ".box{fill:#f6f8fa;stroke:#8a939c}.chain .box{fill:#fff4d6;stroke:#b7791f;stroke-width:2}"
    ".gate{stroke-dasharray:5 3}"
    ".line{fill:none;stroke:#8a939c}.line.chain{stroke:#b7791f;stroke-width:2}"
)


def draw_svg(plan: Plan) -> str:
    """Return the picture: needs to the left, the longest chain in colour, gated phases dashed."""
    graph = plan_graph(plan)
    layout = lay_out(graph)
    chain = graph.critical_path(weigh(plan))
    links = set(pairwise(chain))
    width = max(layout.columns, 1) * _COLUMN - (_COLUMN - WIDTH) + 2 * _EDGE
    height = max(layout.rows, 1) * _ROW - (_ROW - HEIGHT) + 2 * _EDGE
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img">',
        f"<title>{_text(plan.name, 100)}</title>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#8a939c"/></marker></defs>',
    ]
    for need, id, passing in layout.lines:
        style = "line chain" if (need, id) in links else "line"
        path = _path([layout.boxes[need], *passing, layout.boxes[id]])
        lines.append(f'<path class="{style}" d="{path}" marker-end="url(#tip)"/>')
    for phase in plan.phases:
        lines += _box(phase, layout.boxes[phase.id], in_chain=phase.id in chain)
    return "\n".join([*lines, "</svg>"])


def _box(phase: Phase, spot: Spot, *, in_chain: bool) -> Iterator[str]:
    x, y = _corner(spot)
    yield f'<g class="{"chain" if in_chain else "phase"}">'
    yield f"<title>{_text(f'{phase.id}: {phase.title}', 300)}</title>"
    style = "box gate" if phase.gate else "box"
    yield f'<rect class="{style}" x="{x}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
    yield f'<text class="id" x="{x + 10}" y="{y + 19:g}">{_text(phase.id, _LETTERS - 4)}</text>'
    yield f'<text class="title" x="{x + 10}" y="{y + 36:g}">{_text(phase.title, _LETTERS)}</text>'
    yield "</g>"


def _corner(spot: Spot) -> tuple[int, float]:
    column, row = spot
    return _EDGE + column * _COLUMN, _EDGE + row * _ROW


def _path(spots: Sequence[Spot]) -> str:
    """Return a curve from the right side of the first box to the left side of the last one."""
    places = [_corner(spot) for spot in spots]
    x, y = places[0][0] + WIDTH, places[0][1] + HEIGHT / 2
    steps = [f"M{x} {y:g}"]
    for number, (left, top) in enumerate(places[1:], start=2):
        to = top + HEIGHT / 2
        bend = (left - x) / 2
        steps.append(f"C{x + bend:g} {y:g} {left - bend:g} {to:g} {left} {to:g}")
        x, y = left, to
        if number < len(places):  # it passes this column between the boxes
            x += WIDTH
            steps.append(f"H{x}")
    return " ".join(steps)


def _text(words: str, limit: int) -> str:
    return html.escape(clean_line(words, limit))
