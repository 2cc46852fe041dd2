"""Draws which task needs which: as a tree for terminals, as mermaid for pages (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gitbaton.core.ids import TaskId
from gitbaton.tasks.model import Task


def draw_tree(tasks: Mapping[TaskId, Task]) -> Iterator[tuple[str, Task, str]]:
    """Yield the lines of the tree: (branches, task, remark), each task under what it needs.

    A task with several needs stands under each of them, in full only once (remark: ``…``).
    Tasks in a circle of needs have no place in a tree; they follow with the remark ``circle``.
    """
    followers = _followers(tasks)
    drawn: set[TaskId] = set()
    roots = [task.id for task in tasks.values() if not any(n in tasks for n in task.needs)]
    for root in sorted(roots):
        yield from _draw(root, tasks, followers, drawn)
    for lost in sorted(set(tasks) - drawn):
        yield "", tasks[lost], "circle"


def draw_mermaid(tasks: Mapping[TaskId, Task]) -> str:
    """Return the graph in mermaid's language. Ids and titles cannot end their quotes (I8)."""
    nodes = {name: f"t{number}" for number, name in enumerate(sorted(tasks))}
    lines = ["graph TD"]
    for name, node in nodes.items():
        lines.append(f'    {node}["{_quoted(name)}: {_quoted(tasks[name].title)}"]')
        lines.append(f"    class {node} {tasks[name].status}")
    for name, node in nodes.items():
        lines += [f"    {nodes[need]} --> {node}" for need in tasks[name].needs if need in nodes]
    return "\n".join(lines)


def _followers(tasks: Mapping[TaskId, Task]) -> Mapping[TaskId, Sequence[TaskId]]:
    followers: dict[TaskId, list[TaskId]] = {}
    for task in sorted(tasks.values(), key=lambda task: task.id):
        for need in task.needs:
            followers.setdefault(need, []).append(task.id)
    return followers


def _draw(
    root: TaskId,
    tasks: Mapping[TaskId, Task],
    followers: Mapping[TaskId, Sequence[TaskId]],
    drawn: set[TaskId],
) -> Iterator[tuple[str, Task, str]]:
    """Draw depth first without recursion: a chain of needs may be long."""
    todo: list[tuple[TaskId, str, str]] = [(root, "", "")]
    while todo:
        name, lead, below = todo.pop()
        children = followers.get(name, ())
        again = name in drawn and bool(children)
        yield lead, tasks[name], "…" if again else ""
        if name in drawn:
            continue
        drawn.add(name)
        for number, child in reversed(list(enumerate(children, start=1))):
            last = number == len(children)
            todo.append(
                (child, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "))
            )


def _quoted(text: str) -> str:
    return text.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace("`", "'")
