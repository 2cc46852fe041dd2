"""What is wrong is seen: one planted violation each, and the checker names just that invariant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checker import (
    Finding,
    Invariant,
    Report,
    check,
    plants_of_records,
    plants_of_tasks,
)
from tests.checker.build import MAIN, Story
from tests.checker.planting import PLANTS, TASK_A, Plant

PLANTERS = (plants_of_records, plants_of_tasks)  # importing them filled PLANTS


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """A finished run: ``a`` landed on its branch, ``b`` on the target in its second epoch.

    ``c`` was called off; ``a`` is parked, the others are live.
    """
    story = Story(tmp_path / "remote.git")
    for name in "abc":
        story.add(name)
    story.claim("a")
    story.renew("a")
    story.renew("a")
    story.land("a", TASK_A, story.work("a"))
    story.claim("b", "zoe")
    story.rescue("b", 1, story.work("b"))
    story.reset("b")
    story.claim("b", "ben")
    story.land("b", MAIN, story.work("b"))
    story.write("tasks/c", story.value("c", status="cancelled"), "cancel: c")
    story.park("a")
    return story


@pytest.mark.parametrize(
    ("invariants", "saying", "plant"), PLANTS, ids=[plant.__name__ for *_, plant in PLANTS]
)
def test_planted(story: Story, invariants: set[Invariant], saying: str, plant: Plant) -> None:
    rescued = next((story.remote.path / "refs/baton/rescue/b").iterdir()).read_text().strip()
    reported = [Report(rescued, "b", 1)]
    assert _look(story, reported) == []
    plant(story)
    found = _look(story, reported)
    assert {finding.invariant for finding in found} == invariants, "\n".join(map(str, found))
    assert any(saying in finding.text for finding in found), "\n".join(map(str, found))


def test_every_invariant_has_a_planted_violation() -> None:
    assert {name for names, *_ in PLANTS for name in names} == set(Invariant)


def test_an_empty_remote_proves_nothing(tmp_path: Path) -> None:
    [finding] = check(Story(tmp_path / "empty.git").remote.path)
    assert (finding.invariant, finding.text) == (Invariant.HISTORY, "there are no records at all")


def test_a_broken_record_is_named(story: Story) -> None:
    blob = story.remote.put("blob", b'{"format": 7}')
    broken = story.remote.commit("?", files={"record.json": blob})
    story.remote.point("refs/baton/workers/w", broken)
    [finding] = _look(story, [])
    assert (finding.invariant, finding.subject) == (Invariant.HISTORY, broken)
    assert "format 7 is not 1" in finding.text


def _look(story: Story, reported: list[Report]) -> list[Finding]:
    return check(
        story.remote.path,
        quiescent=True,
        unfinished=["waiting"],
        reported=reported,
        one_clock=True,
    )
