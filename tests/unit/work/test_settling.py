"""Settling: what a branch shows to be further than its record says is moved on by anybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitbaton.core.ids import Oid
from gitbaton.store.model import Actor, Move
from gitbaton.tasks.model import Landing, Status
from gitbaton.work.settling import Settler
from tests.unit.tasks.desk import ANN, Desk, who

OLD, RESULT, MERGE = (Oid(letter * 40) for letter in "abc")


class FakeUpstream:
    """Branches, and which commits contain which."""

    def __init__(self, tips: Mapping[str, Oid], *, history: Mapping[Oid, set[Oid]]) -> None:
        self._tips, self._history = dict(tips), history
        self.asked: list[set[str]] = []

    def tips(self, branches: Iterable[str]) -> Mapping[str, Oid]:
        names = set(branches)
        self.asked.append(names)
        return {name: tip for name, tip in self._tips.items() if name in names}

    def has(self, commit: Oid) -> bool:
        return any(commit == tip or commit in past for tip, past in self._history.items())

    def contains(self, tip: Oid, commit: Oid) -> bool:
        return commit == tip or commit in self._history.get(tip, set())


HISTORY = {OLD: set[Oid](), MERGE: {OLD, RESULT}, RESULT: {OLD}}


def run(desk: Desk, upstream: FakeUpstream) -> list[str]:
    settler = Settler(desk.queue, upstream, _refuse, default_target="main")  # type: ignore[arg-type]
    return settler.run()


def _refuse(move: Move, actor: Actor) -> None:
    raise AssertionError(f"nothing is behind its record here: {move} by {actor}")


def in_review(desk: Desk, id: str, *, target: str | None = None) -> None:
    desk.add(id, target=target)
    [claimed] = desk.queue.claim(who(), ids=[id])
    desk.queue.done(claimed.token, branch=f"task/{id}", commit=RESULT, review=True)


def test_a_review_is_done_once_its_target_contains_the_commit() -> None:
    desk = Desk()
    in_review(desk, "t1")
    assert run(desk, FakeUpstream({"main": OLD}, history=HISTORY)) == []
    assert run(desk, FakeUpstream({}, history=HISTORY)) == [], "the target is gone"
    assert desk.queue.get("t1").status is Status.REVIEW
    told = run(desk, FakeUpstream({"main": MERGE}, history=HISTORY))
    assert told == ["t1: main contains its commit, so it is done"]
    assert desk.queue.get("t1").status is Status.DONE


def test_each_task_is_looked_for_on_its_own_target() -> None:
    desk = Desk()
    in_review(desk, "t1", target="stable")
    upstream = FakeUpstream({"main": MERGE, "stable": OLD}, history=HISTORY)
    assert run(desk, upstream) == []
    assert upstream.asked == [{"stable"}]


def test_an_announced_landing_that_has_happened_is_completed() -> None:
    desk = Desk()
    desk.add("t1")
    [claimed] = desk.queue.claim(who())
    desk.queue.announce(claimed.token, Landing(branch="task/t1", old=None, commit=RESULT))
    assert run(desk, FakeUpstream({}, history=HISTORY)) == []
    told = run(desk, FakeUpstream({"task/t1": RESULT}, history=HISTORY))
    assert told == ["t1: its landing on task/t1 was completed"]
    task = desk.queue.get("t1")
    assert task.status is Status.DONE
    assert task.result is not None
    assert (task.result.branch, task.result.commit) == ("task/t1", RESULT)


def test_nothing_is_asked_when_nothing_can_be_settled() -> None:
    desk = Desk()
    desk.add("t1")
    desk.add("t2")
    desk.queue.claim(who(), ids=["t2"])
    upstream = FakeUpstream({"main": MERGE}, history=HISTORY)
    assert run(desk, upstream) == []
    assert upstream.asked == []


def test_a_lost_race_is_left_to_whoever_won_it() -> None:
    desk = Desk()
    in_review(desk, "t1")
    view = desk.queue.view()
    desk.queue.view = lambda: view  # type: ignore[method-assign]
    desk.other.cancel("t1", "no", actor=ANN)
    assert run(desk, FakeUpstream({"main": MERGE}, history=HISTORY)) == []
