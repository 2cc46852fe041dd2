"""What an agent is told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitbaton.core.ids import TaskId
from gitbaton.tasks.model import Claim, Remark, Task
from gitbaton.work.prompt import REMARK_LIMIT, REMARKS_LIMIT, build_prompt

AT = "2026-05-07T03:12:00Z"


def task(**fields: object) -> Task:
    plain: dict[str, object] = {
        "id": TaskId("t-1"),
        "title": "Fix the gate",
        "created_at": AT,
        "updated_at": AT,
    }
    return Task(**{**plain, **fields})  # type: ignore[arg-type]


def prompt(**fields: object) -> str:
    return build_prompt(task(**fields), branch="task/t-1", target="main")


def remark(text: str, kind: str = "failed") -> Remark:
    return Remark(at=AT, by="ann", kind=kind, text=text)


def test_it_says_everything_the_agent_must_know() -> None:
    text = prompt(
        body="The gate squeaks.\n\nOil it.",
        deliverable="a silent gate",
        checks=("make test", "make lint"),
        paths=("src/gate/**", "docs/*.md"),
        remarks=(remark("Use olive oil", "answer"),),
    )
    for part in (
        "Task t-1: Fix the gate",
        "The gate squeaks.\n\nOil it.",
        "a silent gate",
        "- make test\n- make lint",
        "- src/gate/**\n- docs/*.md",
        "ann answered",
        "Use olive oil",
        "baton block --reason",
        "Do not push",
        "do not switch branches",
        "task/t-1",
        "main",
    ):
        assert part in text


def test_what_a_task_does_not_have_leaves_no_empty_section() -> None:
    text = prompt()
    assert "Checks" not in text
    assert "match:" not in text
    assert "said about" not in text
    assert "\n\n\n" not in text


def test_the_newest_remark_is_last_and_the_oldest_go_first_when_there_is_no_room() -> None:
    many = tuple(remark(f"attempt-{n} " + "x" * 3000) for n in range(30))
    text = prompt(remarks=many)
    shown = [n for n in range(30) if f"attempt-{n} " in text]
    assert shown == list(range(shown[0], 30))
    assert 0 < shown[0] < 29
    assert f"({shown[0]} older ones are left out.)" in text
    assert text.index("attempt-28 ") < text.index("attempt-29 ")
    assert len(text) < REMARKS_LIMIT + 5000


def test_of_a_failure_the_end_is_kept_and_of_what_people_write_the_beginning() -> None:
    long = "BEGIN" + "x" * REMARK_LIMIT + "END"
    failed, answer = prompt(remarks=(remark(long),)), prompt(remarks=(remark(long, "answer"),))
    assert ("BEGIN" in failed, "END" in failed) == (False, True)
    assert ("BEGIN" in answer, "END" in answer) == (True, False)


def test_a_remark_cannot_break_out_of_its_fence() -> None:
    text = prompt(remarks=(remark("```\nescaped\n````\n"),))
    assert "\n`````\n```\nescaped" in text


def test_a_later_attempt_is_told_that_it_is_one() -> None:
    claim = Claim(
        agent="a",
        worker="w",
        machine="m",
        epoch=2,
        nonce="n",
        claimed_at=AT,
        renewed_at=AT,
        lease=9,
    )
    assert "attempts before yours" in prompt(claim=claim, epoch=2)
    assert "attempts before yours" not in prompt(claim=claim, epoch=1)


@given(title=st.text(), body=st.text(), said=st.text())
def test_it_can_always_be_an_argument_and_a_file(title: str, body: str, said: str) -> None:
    text = prompt(title=title, body=body, remarks=(remark(said),))
    assert text.startswith("Task t-1")
    assert "\0" not in text
    assert text.encode().decode() == text
