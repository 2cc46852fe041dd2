"""What all assignments of one worker share: where, with what, and by whom work is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitbaton.core.clock import Clock
from gitbaton.core.process import Process
from gitbaton.git.repository import CoordinationRepository
from gitbaton.tasks.queue import Queue
from gitbaton.work.checks import Commands
from gitbaton.work.company import Company
from gitbaton.work.events import Teller
from gitbaton.work.heartbeat import Heartbeats
from gitbaton.work.job import Way
from gitbaton.work.landing import Lander
from gitbaton.work.outbox import Outbox
from gitbaton.work.profiles import Profile
from gitbaton.work.reach import Reach
from gitbaton.work.rescue import Rescuer
from gitbaton.work.upstream import Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """How tasks are worked on, from the command line and the configuration. Seconds, bytes."""

    profile: Profile
    target: str
    branch_prefix: str
    way: Way = "branch"
    review: bool = False
    setup: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    timeout: float | None = None
    grace: float = 10.0
    output_cap: int = 10_000_000
    throw_away: tuple[str, ...] = ()
    port_base: int = 20_000
    echo: bool = False  # tell every line that an agent prints


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """The parts that an assignment works with. Shared by threads.

    ``in_hand``: the names of the claims that a slot works on, and of those whose worktree has to
    stay. What else this process owns in the clone was left over when something failed.
    """

    repository: CoordinationRepository
    queue: Queue
    upstream: Upstream
    lander: Lander
    rescuer: Rescuer
    outbox: Outbox
    hearts: Heartbeats
    commands: Commands
    orders: Orders
    process: Process
    env: Mapping[str, str]
    worktrees: Path
    prompts: Path
    logs: Path
    clock: Clock
    tell: Teller
    company: Company
    reach: Reach
    in_hand: set[str] = field(default_factory=set)
