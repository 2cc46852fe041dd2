"""What must hold when a race or a storm is over. Each function raises AssertionError if not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.checker import Report, check
from tests.integration.chaos.fleet import Fleet


class Win(NamedTuple):
    """What one player says of a claim that it was given: its result landed as ``commit``."""

    task: str
    epoch: int
    branch: str
    commit: str


@dataclass(slots=True)
class Score:
    """What players say: claims they were given, what they landed, claims that were taken away.

    A claim is a task and an epoch. Their leases are long: nothing may be taken away.
    """

    given: list[tuple[str, int]] = field(default_factory=list)
    wins: list[Win] = field(default_factory=list)
    robbed: list[tuple[str, int]] = field(default_factory=list)


def assert_each_once(score: Score, tasks: Iterable[str]) -> None:
    """Every claim was given to one player; every task was done once (I1)."""
    assert [claim for claim, times in Counter(score.given).items() if times > 1] == []
    assert score.robbed == []
    assert sorted(win.task for win in score.wins) == sorted(tasks)


def assert_landed(fleet: Fleet, wins: Sequence[Win]) -> None:
    """What the winners landed is where they landed it, and in the records (I2)."""
    tips = fleet.remote.refs()
    tasks = fleet.tasks()
    for win in wins:
        result = tasks[win.task]["result"]
        assert (result["branch"], result["commit"]) == (win.branch, win.commit)
        assert tips[f"refs/heads/{win.branch}"] == win.commit
    assert {task["status"] for task in tasks.values()} == {"done"}


def assert_sound(
    fleet: Fleet,
    *,
    reported: Iterable[Report] = (),
    unfinished: Sequence[str] = (),
    namespace: str = "refs/baton/",
    board: str = "refs/heads/baton",
) -> None:
    """The independent checker finds nothing that breaks I1 to I4 or I6."""
    found = check(
        fleet.remote.path,
        namespace=namespace,
        board=board,
        quiescent=True,
        one_clock=True,
        unfinished=unfinished,
        reported=reported,
    )
    assert not found, "\n".join(str(finding) for finding in found)


def assert_spoken(fleet: Fleet, transport: str) -> None:
    """The remote is reached by this ``transport``, fast or plain, as ``doctor`` tells."""
    found = fleet.clones[0].ok("doctor", "--no-probe")["findings"]
    [text] = [finding["text"] for finding in found if finding["subject"] == "transport"]
    assert text.startswith(transport), text


def read_reports(file: Path) -> list[Report]:
    """Return the commits that the scripted agents wrote down."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [
        Report(commit, task, int(epoch), subject)
        for commit, task, epoch, subject in (line.split(" ", 3) for line in lines)
    ]
