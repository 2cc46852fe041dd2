"""The graph of needs, as a tree and as mermaid."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from gitbaton.cli.graphing import draw_mermaid, draw_tree
from gitbaton.core.ids import TaskId
from gitbaton.tasks.model import Task
from tests.unit.tasks.desk import task


def tasks(needs: Mapping[str, list[str]]) -> dict[TaskId, Task]:
    return {TaskId(name): task(name, needs=these) for name, these in needs.items()}


def tree(needs: Mapping[str, list[str]]) -> list[str]:
    return [f"{lead}{task.id}{remark}" for lead, task, remark in draw_tree(tasks(needs))]


def test_each_task_stands_under_what_it_needs() -> None:
    assert tree({"a": [], "b": ["a"], "c": ["a"], "d": ["b"], "e": []}) == [
        "a",
        "├─ b",
        "│  └─ d",
        "└─ c",
        "e",
    ]


def test_a_task_with_two_needs_is_drawn_in_full_once() -> None:
    assert tree({"a": [], "b": [], "c": ["a", "b"], "d": ["c"]}) == [
        "a",
        "└─ c",
        "   └─ d",
        "b",
        "└─ c…",
    ]


def test_a_circle_is_named_and_a_missing_need_ignored() -> None:
    assert tree({"a": ["b"], "b": ["a"], "c": ["gone"]}) == ["c", "acircle", "bcircle"]


@given(
    st.dictionaries(
        st.sampled_from("abcdefgh"),
        st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=3),
        max_size=8,
    )
)
def test_every_task_is_drawn_and_every_graph_ends(needs: dict[str, list[str]]) -> None:
    mine = tasks({name: [n for n in these if n != name] for name, these in needs.items()})
    assert {task.id for _, task, _ in draw_tree(mine)} == set(mine)
    assert draw_mermaid(mine).count("-->") == sum(
        need in mine for task in mine.values() for need in task.needs
    )


def test_a_long_chain_is_no_deep_recursion() -> None:
    names = [f"t{number:05}" for number in range(3000)]
    chain = {name: [names[i - 1]] if i else [] for i, name in enumerate(names)}
    assert len(tree(chain)) == 3000


def test_a_title_cannot_leave_its_quotes() -> None:
    drawn = draw_mermaid({TaskId("a"): task("a", title='x"] --> y; click z "javascript:1"')})
    assert drawn.count('"') == 2
