"""Who should hear of what, and only once."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitbaton.core.clock import ManualClock
from gitbaton.plans.health.activity import ActivityWatch, Agent, tree_mark
from gitbaton.plans.health.alarms import Alarms, News
from gitbaton.plans.health.rules import (
    Activity,
    Alert,
    Judgement,
    Limits,
    Outlook,
    Pending,
    judge,
)
from gitbaton.plans.registry.presence import Sighted
from gitbaton.plans.registry.record import State, WorkerRecord
from gitbaton.store.memory import MemoryStore
from gitbaton.store.model import Version
from tests.unit.tasks.desk import OID, Meddler, task

NOW = datetime(2026, 1, 1, 1, tzinfo=UTC)
SESSION = "0123456789abcdef" * 2


def told(outlook: Outlook, *, now: datetime = NOW) -> list[tuple[str, str]]:
    """The alerts for this outlook: their kinds, and what they are about."""
    return [(alert.kind, alert.about) for alert in judge(outlook, Limits(), now).alerts]


def worker(state: State, watched: float) -> Sighted:
    record = WorkerRecord(name="w", machine="m", session=SESSION, state=state, interval=300.0)
    return Sighted(record, Version("v"), watched)


@pytest.mark.parametrize(
    ("state", "watched", "kinds"),
    [
        (State.SERVING, 899.0, []),
        (State.SERVING, 900.0, ["worker-gone"]),
        (State.DRAINING, 900.0, ["worker-gone"]),
        (State.REFUSING, 0.0, ["worker-refuses"]),
        (State.REFUSING, 900.0, ["worker-gone"]),
        (State.GONE, 9000.0, []),
        (State.ABSENT, 9000.0, []),
    ],
)
def test_workers(state: State, watched: float, kinds: list[str]) -> None:
    assert [kind for kind, _ in told(Outlook(workers=[worker(state, watched)]))] == kinds


def test_messages_and_agents_at_their_limits() -> None:
    outlook = Outlook(
        messages=[Pending("h1", "w", 599.9), Pending("h2", "w", 600.0, "plan/p", "p.x")],
        agents=[Activity("t1", 1, 899.9), Activity("t2", 3, 900.0)],
    )
    assert told(outlook) == [("message-pending", "w"), ("agent-stalled", "t2")]
    texts = [alert.text for alert in judge(outlook, Limits(), NOW).alerts]
    assert "from plan/p to w about p.x has had no response for 10m" in texts[0]
    assert "baton logs t2" in texts[1]


def test_tasks_that_wait_for_people() -> None:
    tasks = [
        task("r", status="review", epoch=1, result={"branch": "b", "commit": OID}),
        task("g", gate="prod"),
        task("after", gate="prod", needs=["g"]),
        task("done", status="done"),
        task("next", gate="prod", needs=["done"]),
    ]
    outlook = Outlook(tasks={each.id: each for each in tasks})
    assert told(outlook) == [("gate", "g"), ("gate", "next")]
    assert ("task-waits", "r") in told(outlook, now=datetime(2026, 1, 3, tzinfo=UTC))


def test_a_phase_that_nobody_could_take() -> None:
    [alert] = judge(Outlook(lacking={"p.x": "no worker has\x1b 'gpu'"}), Limits(), NOW).alerts
    assert (alert.kind, alert.about, alert.text) == ("no-worker", "p.x", "no worker has 'gpu'")


def test_what_was_not_looked_at_is_not_judged() -> None:
    assert judge(Outlook(), Limits(), NOW) == Judgement((), frozenset())
    assert judge(Outlook(messages=[]), Limits(), NOW).judged == {"message-pending"}


def test_a_new_session_that_goes_is_another_alert() -> None:
    other = WorkerRecord(
        name="w", machine="m", session="f" * 32, state=State.SERVING, interval=300.0
    )
    keys = {
        judge(Outlook(workers=[seen]), Limits(), NOW).alerts[0].key
        for seen in (worker(State.SERVING, 900.0), Sighted(other, Version("v"), 900.0))
    }
    assert len(keys) == 2


class Desk:
    """Alarms in a local store, and what they told."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = Meddler(MemoryStore(clock=self.clock))
        self.told: list[News] = []

    def update(self, *abouts: str, judged: str = "gate") -> list[tuple[str, bool]]:
        """Say that these wait at a gate; return what was told: about what, and whether over."""
        alerts = tuple(Alert("gate", about, f"{about} waits", f"gate {about}") for about in abouts)
        alarms = Alarms(self.store, self.clock, "remote")  # a new one each time: a restart
        kinds = frozenset({judged})
        news = alarms.update(Judgement(alerts, kinds), self.told.append)  # type: ignore[arg-type]
        return [(each.about, each.over) for each in news]


def test_an_alert_is_raised_once_and_cleared_once() -> None:
    desk = Desk()
    assert desk.update("a") == [("a", False)]
    assert desk.update("a", "b") == [("b", False)]
    assert desk.update("a", "b") == []
    assert desk.update("b") == [("a", True)]
    assert desk.update("b", judged="no-worker") == [], "nobody looked at gates"
    assert desk.update("a", "b") == [("a", False)]
    assert len({news.id for news in desk.told}) == 4, "raised again is another alert"


def test_news_that_was_told_and_not_noted_is_told_again_under_the_same_id() -> None:
    """I4: killed between the two, nobody hears of it less than once, and can tell."""
    desk = Desk()

    def die(_: object) -> None:
        raise KeyboardInterrupt

    desk.store.before_commit = lambda: die(None)
    with pytest.raises(KeyboardInterrupt):
        desk.update("a")
    desk.clock.advance(100.0)
    assert desk.update("a") == [("a", False)]
    first, second = desk.told
    assert first.id == second.id


def test_two_processes_at_once_tell_the_same_news_under_one_id() -> None:
    desk = Desk()
    desk.store.before_commit = lambda: desk.update("a")
    assert desk.update("a", "b") == [("a", False), ("b", False)]
    ids = [news.id for news in desk.told if news.about == "a"]
    assert len(ids) == 2 and len(set(ids)) == 1


def test_an_agent_is_quiet_while_neither_its_log_nor_its_files_change(tmp_path: Path) -> None:
    clock = ManualClock()
    watch = ActivityWatch(clock)
    log, tree = tmp_path / "log", tmp_path / "tree"
    (tree / "src").mkdir(parents=True)
    agent = Agent("t1", 1, log, tree)

    def quiet() -> float:
        clock.advance(50.0)
        return watch.look([agent])[0].quiet

    assert [quiet(), quiet(), quiet()] == [0.0, 50.0, 100.0]
    log.write_text("a line\n")
    assert [quiet(), quiet()] == [0.0, 50.0]
    (tree / "src" / "new.py").write_text("x")
    assert [quiet(), quiet()] == [0.0, 50.0]
    os.utime(tree / "src" / "new.py", ns=(1, 2**62))
    assert quiet() == 0.0
    clock.advance(86400.0)
    assert quiet() == 60.0, "the machine was suspended, and the agent with it"
    agent = Agent("t1", 2, log, tree)
    assert quiet() == 0.0, "another attempt"


def test_a_huge_or_hostile_worktree_takes_little_time(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    os.symlink("/", tmp_path / "deep" / "root")
    os.symlink(tmp_path, tmp_path / "deep" / "circle")
    assert tree_mark(tmp_path).startswith("3 ")
    for number in range(30):
        (tmp_path / f"f{number}").write_text("")
    assert int(tree_mark(tmp_path, most=10).split()[0]) == 11
    assert tree_mark(tmp_path / "gone") == "0 0"
