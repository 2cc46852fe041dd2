"""What is said of the fleet as a whole."""

from __future__ import annotations

from datetime import UTC, datetime

from gitbaton.cli.doctor.finding import Level
from gitbaton.cli.doctor.fleet import examine_capabilities, examine_load, examine_waiting
from gitbaton.core.ids import TaskId
from gitbaton.tasks.budget import PushBudget
from gitbaton.tasks.model import Claim, Status, Task

NOW = datetime(2026, 5, 7, 12, tzinfo=UTC)
BUDGET = PushBudget(6)
EARLIER = "2026-05-06T11:59:00Z"
AT = "2026-05-07T03:12:00Z"


def task(id: str, *, at: str = AT, status: Status = Status.PENDING, **more: object) -> Task:
    return Task(id=TaskId(id), title=id, created_at=at, updated_at=at, status=status, **more)  # type: ignore[arg-type]


def claimed(number: int, *, lease: float, worker: str | None = None) -> Task:
    claim = Claim(
        agent="a",
        worker=worker or f"w{number}",
        machine="m",
        epoch=1,
        nonce="n",
        claimed_at=AT,
        renewed_at=AT,
        lease=lease,
    )
    return task(f"t{number}", status=Status.IN_PROGRESS, claim=claim, epoch=1)


def test_a_load_that_fits() -> None:
    assert list(examine_load([], 900, BUDGET)) == []
    [finding] = examine_load([claimed(1, lease=900)], 900, BUDGET)
    assert finding.level is Level.OK
    assert "0.2 pushes" in finding.text


def test_too_many_workers_for_the_lease() -> None:
    [finding] = examine_load([claimed(n, lease=60) for n in range(10)], 900, BUDGET)
    assert (finding.level, finding.subject) == (Level.WARNING, "lease")
    assert "30.0 pushes" in finding.text
    assert "5m" in str(finding.next)


def test_one_worker_renews_all_it_has_in_one_push() -> None:
    [finding] = examine_load([claimed(n, lease=60, worker="w") for n in range(10)], 900, BUDGET)
    assert finding.level is Level.OK


def test_a_configured_lease_too_short_for_those_at_work() -> None:
    [finding] = examine_load([claimed(n, lease=900) for n in range(10)], 60, BUDGET)
    assert finding.level is Level.WARNING
    assert "60s" not in finding.text
    assert "1m is short for 10 workers" in finding.text


def test_capabilities_that_nobody_has_shown() -> None:
    tasks = [
        task("a", requires=("gpu",)),
        task("b", requires=("windows", "linux")),
        task("c", requires=("windows",), epoch=1),
        task("d", requires=("never",), status=Status.CANCELLED),
    ]
    [finding] = examine_capabilities(tasks, {"linux"})
    assert "'gpu'" in finding.text
    assert finding.next == "start a worker that has it: baton work --cap gpu"


def test_what_waits_for_people_for_more_than_a_day() -> None:
    tasks = [
        task("old", at=EARLIER, status=Status.BLOCKED),
        task("new", status=Status.BLOCKED),
        task("pending", at=EARLIER),
    ]
    [finding] = examine_waiting(tasks, NOW)
    assert finding.text.startswith("old is blocked")
    assert finding.next == "baton unblock old"
