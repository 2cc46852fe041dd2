"""The board's page for people: who does what, what waits for a person, the graph (pure).

Titles and names come from anybody; nothing of them may become markup (I8).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from gitbaton.tasks.machine import OPEN
from gitbaton.tasks.model import Status, Task
from gitbaton.tasks.text import clean_line

MOST_NODES: Final = 60
_MOST_ROWS: Final = 50
_RECENT: Final = 10
_PUNCTUATION = re.compile(r"[!#$&*:<>@\[\\\]^_`{|}~]")
_NOT_PLAIN = re.compile(r"[^\w .,()+'/-]")
_COLOURS: Final = {
    Status.PENDING: "fill:#eeeeee,stroke:#999999,color:#222222",
    Status.IN_PROGRESS: "fill:#cfe3ff,stroke:#2f6fce,color:#10305e",
    Status.REVIEW: "fill:#e6d9ff,stroke:#7a4fc9,color:#33205c",
    Status.BLOCKED: "fill:#ffe0b8,stroke:#c77700,color:#5a3600",
    Status.DONE: "fill:#d3f2d8,stroke:#2f8f46,color:#13421f",
    Status.FAILED: "fill:#ffd3d3,stroke:#c62f2f,color:#5c1111",
    Status.CANCELLED: "fill:#f5f5f5,stroke:#bbbbbb,color:#888888",
}


def render_page(tasks: Mapping[str, Task], damaged: Mapping[str, str], *, others: int = 0) -> bytes:
    """Return the page in GitHub-flavoured Markdown, the same for the same tasks.

    ``others``: how many more there are that the page does not show.
    """
    every = list(tasks.values())
    parts = [
        "# Tasks\n",
        "This branch is kept by gitbaton: do not edit it. Every claim and every result is a "
        "commit in its history.\n",
        _counts(every),
        *_others(others),
        *_section("In progress", _in_progress(every)),
        *_section("Waiting for a person", _for_people(every)),
        *_section("Recently finished", _finished(every)),
        *_section("Records that cannot be read", _unreadable(damaged)),
        *_section("Open tasks", _graph(tasks)),
    ]
    return "\n".join(parts).encode()


def escape(text: str, limit: int = 120) -> str:
    """Return ``text`` as literal Markdown in one table cell (CommonMark backslash escapes)."""
    return _PUNCTUATION.sub(lambda match: "\\" + match[0], clean_line(text, limit))


def plain_label(text: str, limit: int = 50) -> str:
    """Return ``text`` with letters, digits and harmless punctuation only, for a mermaid label."""
    return clean_line(_NOT_PLAIN.sub(" ", clean_line(text, 500)), limit)


def _section(title: str, body: str) -> list[str]:
    return [f"## {title}\n", body] if body else []


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; empty without rows, cut off (and said so) when it is long."""
    if not rows:
        return ""
    lines = [_row(head), _row(["---"] * len(head)), *map(_row, rows[:_MOST_ROWS])]
    if len(rows) > _MOST_ROWS:
        lines += ["", f"... and {len(rows) - _MOST_ROWS} more."]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _counts(tasks: Sequence[Task]) -> str:
    counts = {status: sum(task.status is status for task in tasks) for status in Status}
    return _table([status.value for status in Status], [[str(n) for n in counts.values()]])


def _others(number: int) -> list[str]:
    if not number:
        return []
    return [f"And {number:,} more that wait their turn or are finished: see `baton list`.\n"]


def _in_progress(tasks: Sequence[Task]) -> str:
    rows = [
        [_name(task), escape(task.claim.agent), task.claim.claimed_at, str(task.claim.epoch)]
        for task in _by_id(tasks)
        if task.claim is not None
    ]
    return _table(["task", "agent", "since", "epoch"], rows)


def _for_people(tasks: Sequence[Task]) -> str:
    rows = []
    for task in _by_id(tasks):
        if task.status is Status.BLOCKED:
            rows.append([_name(task), escape(task.reason or "blocked"), f"`unblock {task.id}`"])
        elif task.status is Status.REVIEW:
            branch = task.result.branch if task.result else None
            what = f"review {branch}" if branch else "review"
            rows.append([_name(task), escape(what), f"`accept {task.id}`"])
        elif task.status is Status.PENDING and task.gate and task.approval is None:
            rows.append([_name(task), escape(f"gate {task.gate}"), f"`approve {task.id}`"])
        elif task.status is Status.FAILED:
            rows.append([_name(task), escape(task.reason or "failed"), f"`retry {task.id}`"])
    return _table(["task", "what", "baton"], rows)


def _finished(tasks: Sequence[Task]) -> str:
    done = [task for task in tasks if task.status not in OPEN]
    latest = sorted(done, key=lambda task: (task.updated_at, task.id), reverse=True)[:_RECENT]
    rows = [[_name(task), task.status.value, task.updated_at] for task in latest]
    return _table(["task", "status", "at"], rows)


def _unreadable(damaged: Mapping[str, str]) -> str:
    rows = [[escape(name), escape(why)] for name, why in sorted(damaged.items())]
    return _table(["record", "why"], rows)


def _name(task: Task) -> str:
    return f"`{task.id}` {escape(task.title)}"


def _by_id(tasks: Iterable[Task]) -> list[Task]:
    return sorted(tasks, key=lambda task: task.id)


def _graph(tasks: Mapping[str, Task]) -> str:
    """Return the open tasks and what they need as a diagram, the first ones if there are many."""
    waiting = [task for task in tasks.values() if task.status in OPEN]
    chosen = sorted(waiting, key=_rank)[:MOST_NODES]
    if not chosen:
        return ""
    nodes = {task.id: f"n{number}" for number, task in enumerate(chosen)}
    lines = ["```mermaid", "flowchart LR"]
    for task in chosen:
        label = f"{task.id}<br/>{plain_label(task.title)}"
        lines.append(f'    {nodes[task.id]}["{label}"]:::{_style(task.status)}')
    for task in chosen:
        known = (need for need in task.needs if need in nodes)
        lines += [f"    {nodes[need]} --> {nodes[task.id]}" for need in known]
    used = sorted({task.status for task in chosen})
    lines += [f"    classDef {_style(status)} {_COLOURS[status]}" for status in used]
    lines.append("```")
    if len(waiting) > len(chosen):
        lines += ["", f"The first {len(chosen)} of {len(waiting)} open tasks."]
    return "\n".join(lines) + "\n"


def _rank(task: Task) -> tuple[bool, int, str, str]:
    return task.status is Status.PENDING, task.priority, task.created_at, task.id


def _style(status: Status) -> str:
    return status.value.replace("-", "_")
