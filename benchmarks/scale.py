"""How much is measured: everything, a quick look, or just enough to see that it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Numbers of one run; times in seconds.

    ``thinking``: how long the agents of the push count pretend to think, from and to.
    ``pause``: the same for the agents whose parallelism is measured, one number for all.
    """

    name: str
    links: tuple[str, ...]
    rounds: int
    slow_every: int
    racers: tuple[int, ...]
    race_tasks: int
    baseline_tasks: int
    batch: int = 10
    slots: int
    slot_tasks: int
    thinking: tuple[int, int]
    backlogs: tuple[int, ...]
    backlog_claims: int
    backlog_looks: int
    commands: int
    agents: int
    agent_tasks: int
    pause: int
    commits: int
    committers: int
    commits_each: int
    commit_files: int
    frame_workers: tuple[int, ...]
    frame_documents: tuple[int, ...]
    frame_rounds: int
    frame_sleepers: tuple[int, ...]
    frame_sleep: float
    frame_sleeps: int
    merge_workers: int
    merge_rounds: int


FULL: Final = Scale(
    name="full",
    links=("local", "https-0", "https-50", "https-150", "ssh-0", "ssh-50", "ssh-150"),
    rounds=100,
    slow_every=12,
    racers=(1, 8, 32),
    race_tasks=500,
    baseline_tasks=50,
    slots=10,
    slot_tasks=50,
    thinking=(20, 40),
    backlogs=(100, 10_000, 100_000),
    backlog_claims=30,
    backlog_looks=15,
    commands=5,
    agents=20,
    agent_tasks=3,
    pause=20,
    commits=40,
    committers=16,
    commits_each=6,
    commit_files=10_000,
    frame_workers=(1, 10, 50, 200),
    frame_documents=(10, 1_000, 10_000),
    frame_rounds=10,
    frame_sleepers=(1, 2),
    frame_sleep=60.0,
    frame_sleeps=2,
    merge_workers=50,
    merge_rounds=9,
)
QUICK: Final = Scale(
    name="quick",
    links=("local", "https-50"),
    rounds=20,
    slow_every=10,
    racers=(1, 8),
    race_tasks=60,
    baseline_tasks=10,
    slots=4,
    slot_tasks=8,
    thinking=(2, 4),
    backlogs=(100, 1_000),
    backlog_claims=5,
    backlog_looks=5,
    commands=2,
    agents=4,
    agent_tasks=2,
    pause=3,
    commits=10,
    committers=16,
    commits_each=2,
    commit_files=2000,
    frame_workers=(1, 10, 50),
    frame_documents=(10, 1_000),
    frame_rounds=3,
    frame_sleepers=(1, 2),
    frame_sleep=3.0,
    frame_sleeps=2,
    merge_workers=50,
    merge_rounds=3,
)
TINY: Final = Scale(
    name="tiny",
    links=("local",),
    rounds=2,
    slow_every=2,
    racers=(2,),
    race_tasks=6,
    baseline_tasks=3,
    batch=2,
    slots=2,
    slot_tasks=2,
    thinking=(0, 0),
    backlogs=(10,),
    backlog_claims=1,
    backlog_looks=1,
    commands=1,
    agents=2,
    agent_tasks=1,
    pause=0,
    commits=2,
    committers=3,
    commits_each=1,
    commit_files=50,
    frame_workers=(2,),
    frame_documents=(),
    frame_rounds=1,
    frame_sleepers=(2,),
    frame_sleep=0.1,
    frame_sleeps=1,
    merge_workers=1,
    merge_rounds=1,
)
SCALES: Final = {scale.name: scale for scale in (FULL, QUICK, TINY)}
