"""Shows a plan on a terminal, in 80 columns: each phase under what it needs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from gitbaton.cli.graphing import draw_tree
from gitbaton.cli.output import one_line
from gitbaton.core.durations import format_duration
from gitbaton.core.ids import TaskId
from gitbaton.plans.drafting import draft_plan, preview
from gitbaton.plans.graph import Graph
from gitbaton.plans.model import Phase, Plan
from gitbaton.plans.weights import is_weighed, weigh

WIDTH: Final = 80
_WIDE: Final = ("W", "F")


def plan_lines(plan: Plan, width: int = WIDTH) -> Iterator[str]:
    """Yield the lines of the drawing: what it is, the tree, the longest chain."""
    graph = plan_graph(plan)
    weights = weigh(plan)
    chain = graph.critical_path(weights)
    target = f" onto {plan.plan.target}" if plan.plan.target else ""
    count = len(plan.phases)
    yield fit(f"{plan.name}: {count} phase{'s' * (count != 1)}{target}", width)
    if plan.plan.description:
        yield fit(one_line(plan.plan.description), width)
    yield ""
    phases = {phase.id: phase for phase in plan.phases}
    for lead, task, remark in draw_tree(preview(plan)):
        mark = "* " if task.id in chain else "  "
        again = " …" if remark else ""
        yield fit(f"{mark}{lead}{_about(phases[task.id])}{again}", width)
    yield ""
    total = sum(weights[id] for id in chain)
    length = format_duration(round(total)) if is_weighed(plan) else f"{len(chain)} phases"
    yield f"* the longest chain, {length}:"
    yield from wrap_chain(chain, width)


def plan_document(plan: Plan) -> dict[str, object]:
    """Return the plan and what its graph says, as JSON shows it."""
    graph = plan_graph(plan)
    weights = weigh(plan)
    levels, tails = graph.levels(), graph.tails(weights)
    return {
        "plan": plan.name,
        "description": plan.plan.description,
        "target": plan.plan.target,
        "toolchain": plan.toolchain,
        "critical_path": graph.critical_path(weights),
        "phases": [
            {
                "id": phase.id,
                "task": draft.id,
                "title": phase.title,
                "deliverable": phase.deliverable,
                "needs": phase.needs,
                "checks": draft.checks,
                "requires": phase.requires,
                "worker": phase.worker,
                "paths": phase.paths,
                "branch": phase.branch,
                "priority": phase.priority,
                "gate": phase.gate,
                "timeout": draft.timeout,
                "max_attempts": draft.max_attempts,
                "level": levels[phase.id],
                "weight": weights[phase.id],
                "remaining": tails[phase.id],
            }
            for phase, draft in zip(plan.phases, draft_plan(plan), strict=True)
        ],
    }


def plan_graph(plan: Plan) -> Graph:
    """Return the graph of the phases of ``plan``."""
    return Graph({phase.id: phase.needs for phase in plan.phases})


def fit(text: str, width: int) -> str:
    """Return ``text`` cut to ``width`` columns of a terminal; wide characters count as two."""
    used = 0
    for at, character in enumerate(text):
        used += 2 if unicodedata.east_asian_width(character) in _WIDE else 1
        if used > width:
            return _cut(text[:at])
    return text


def _cut(text: str) -> str:
    """Return ``text`` with its last column given to an ellipsis."""
    return f"{text[:-1].rstrip()}…"


def _about(phase: Phase) -> str:
    """Return one line about ``phase``: its id, what is special, its title."""
    special = [f"p{phase.priority}"] if phase.priority != 2 else []
    special += [f"gate {phase.gate}"] if phase.gate else []
    special += [f"on {phase.worker}"] if phase.worker else []
    special += list(phase.requires)
    special += [f"after {', '.join(phase.needs)}"] if len(phase.needs) > 1 else []
    details = f" ({'; '.join(special)})" if special else ""
    return one_line(f"{TaskId(phase.id)}{details}: {phase.title}")


def wrap_chain(ids: Sequence[str], width: int) -> Iterator[str]:
    """Yield the lines of ``a -> b -> c`` within ``width`` columns."""
    line = "  "
    for number, id in enumerate(ids):
        word = id if number == 0 else f" -> {id}"
        if len(line) + len(word) > width and line.strip():
            yield line
            line, word = "  ", f"  {word}"
        line += word
    yield line
