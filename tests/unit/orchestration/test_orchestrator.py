"""The loop: announces, adds, edits what may be edited, rings, and ends when nothing can go on."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from gitbaton.core.errors import DamagedRecord, RemoteUnreachable, TaskExists
from gitbaton.core.ids import TaskId
from gitbaton.orchestration.proclaiming import read_plan_record
from gitbaton.orchestration.standing import Verdict
from gitbaton.plans.announcement import plan_key
from gitbaton.plans.doorbell import Answer, Reply
from gitbaton.plans.registry.record import WorkerRecord
from gitbaton.plans.registry.vitals import Vitals
from gitbaton.tasks.model import Status
from tests.unit.orchestration.stage import ADDRESS, Killed, MortalStore, Stage
from tests.unit.plans.plantext import needing, phase
from tests.unit.tasks.desk import ANN


@pytest.fixture
def stage() -> Stage:
    return Stage(lease=60.0, backoff=0.0)


def revision(stage: Stage) -> int:
    record = read_plan_record(stage.store.read(), "p")
    assert record is not None
    return record.revision


def test_a_plan_is_announced_added_and_done(stage: Stage) -> None:
    show = stage.show()
    look = show.start()
    assert (revision(stage), len(look.phases)) == (1, 4)
    for name in ("top", "left", "right", "bottom"):
        assert show.step().standing.verdict is Verdict.RUNNING
        stage.do(name)
    assert show.step().standing.verdict is Verdict.DONE
    assert show.told("announced", "added", "done") == [
        ("announced", None),
        ("added", None),
        ("done", "p.top"),
        ("done", "p.left"),
        ("done", "p.right"),
        ("done", "p.bottom"),
    ]


def test_a_second_run_of_the_same_file_changes_nothing(stage: Stage) -> None:
    stage.show().start()
    before = len(stage.store.history())
    assert stage.show(seed=2).start().standing.total == 4
    assert len(stage.store.history()) == before


def test_a_task_that_was_made_by_hand_stops_everything_before_anything_is_written(
    stage: Stage,
) -> None:
    stage.desk.add("p.left")
    before = len(stage.store.history())
    with pytest.raises(TaskExists):
        stage.show().start()
    assert len(stage.store.history()) == before


def test_a_failed_phase_leaves_its_dependents_pending_and_the_rest_running(stage: Stage) -> None:
    show = stage.show()
    show.start()
    stage.do("top")
    for _ in range(3):
        claimed = stage.claim("left")
        assert claimed is not None
        stage.other.fail(claimed.token, "the parser is broken")
    look = show.step()
    assert look.standing.verdict is Verdict.RUNNING  # right can go on
    why = look.schedule.waiting[TaskId("p.bottom")]
    assert "p.left" in why and "the parser is broken" in why and "baton retry p.left" in why
    stage.do("right")
    look = show.step()
    assert look.standing.verdict is Verdict.STUCK
    assert dict(look.standing.doomed) == {"p.bottom": "p.left"}
    assert stage.task("bottom").status is Status.PENDING
    stage.other.retry("p.left", force=False, actor=ANN)
    assert stage.show(seed=2).start().standing.verdict is Verdict.RUNNING


@pytest.mark.parametrize("how", ["blocked", "review", "gate"])
def test_what_waits_for_a_person_is_waited_for_and_told_once(stage: Stage, how: str) -> None:
    gate = ['gate = "g"'] if how == "gate" else []
    show = stage.show(phase("a", *gate), phase("b"))
    show.start()
    stage.do("b")
    if how == "gate":
        assert stage.claim("a") is None
    else:
        claimed = stage.claim("a")
        assert claimed is not None
        if how == "blocked":
            stage.other.block(claimed.token, "which port?")
        else:
            stage.other.done(claimed.token, review=True)
    for _ in range(3):
        assert show.step().standing.verdict is Verdict.RUNNING
    assert show.told("waits") == [("waits", "p.a")]


def test_a_changed_file_edits_what_is_pending_and_leaves_what_runs_or_is_finished(
    stage: Stage,
) -> None:
    stage.show(phase("a"), phase("b"), phase("c"), phase("gone")).start()
    stage.do("a")
    claimed = stage.claim("b")
    assert claimed is not None
    new = [phase(id, "priority = 1") for id in "abc"]
    show = stage.show(*new, needing("d", "a"), seed=2)
    look = show.start()
    assert revision(stage) == 2
    assert [stage.task(id).priority for id in "abc"] == [2, 2, 1]
    assert show.told("edited", "drift") == [
        ("drift", "p.a"),
        ("drift", "p.b"),
        ("drift", "p.gone"),
        ("edited", "p.c"),
    ]
    assert (stage.task("gone").status, look.standing.total) == (Status.PENDING, 4)
    stage.other.release(claimed.token)  # back to pending: now the edit follows
    show.step()
    assert stage.task("b").priority == 1


def test_the_file_that_was_started_last_is_in_force(stage: Stage) -> None:
    old = stage.show(phase("a"), phase("b"))
    old.start()
    new = stage.show(phase("a", "priority = 0"), seed=2)
    new.start()
    look = old.step()
    assert (stage.task("a").priority, len(look.chart.phases)) == (0, 1)
    assert old.told("superseded") == [("superseded", None)]
    stage.do("a")
    assert old.step().standing.verdict is Verdict.DONE  # of the file in force


def test_a_phase_that_is_claimed_while_it_is_compared_is_not_edited() -> None:
    desk_stage = Stage(lease=60.0)
    desk_stage.show(phase("a")).start()
    store = desk_stage.desk.store
    show = desk_stage.show(phase("a", "priority = 0"), store=store, seed=2)
    show.orchestrator.start()

    def claim_before_the_edit() -> None:
        assert desk_stage.claim("a") is not None

    store.before_commit = claim_before_the_edit
    show.step()
    task = desk_stage.task("a")
    assert (task.status, task.priority) == (Status.IN_PROGRESS, 2)
    assert show.told("edited") == []


def test_while_the_remote_is_away_it_waits_and_goes_on(stage: Stage) -> None:
    show = stage.show(phase("a"))
    show.orchestrator.start()
    step, calls = show.orchestrator.step, []

    def away() -> object:
        calls.append(1)
        if len(calls) < 3:
            raise RemoteUnreachable("no route")
        if len(calls) == 4:
            stage.do("a")
        return step()

    show.orchestrator.step = away  # type: ignore[method-assign, assignment]
    assert show.orchestrator.run(stage.desk.clock.sleep) is Verdict.DONE
    assert [event.text for event in show.events if event.kind == "notice"] == [
        "no route; trying again"
    ]


def test_an_expired_claim_is_reaped_and_the_phase_offered_again(stage: Stage) -> None:
    show = stage.show(phase("a"))
    show.start()
    assert stage.claim("a") is not None
    for _ in range(8):
        stage.desk.clock.advance(15.0)
        show.step()
    assert (stage.task("a").status, stage.task("a").attempts) == (Status.PENDING, 1)
    assert show.told("started", "reaped") == [("started", "p.a"), ("reaped", "p.a")]


# --- doorbells


def test_ready_phases_are_rung_for_once_and_by_the_epoch(stage: Stage) -> None:
    stage.enlist("w1", slots=2)
    show = stage.show()
    show.start()
    show.step()
    assert [bell.id for bell in show.tower.rung] == ["p.top/0/w1"]
    other = stage.show(seed=2)
    other.start()
    assert [bell.id for bell in other.tower.rung] == ["p.top/0/w1"]  # a copy to the inbox


def test_two_orchestrators_ring_the_very_same_message(stage: Stage) -> None:
    stage.enlist("w1")
    drafts = []
    for seed in (1, 2):
        show = stage.show(seed=seed)
        show.start()
        drafts += [bell.draft("/x") for bell in show.tower.rung]
    assert drafts[0] == drafts[1]


def test_who_pulls_only_is_not_rung(stage: Stage) -> None:
    stage.enlist("w1", rings=False)
    show = stage.show()
    look = show.start()
    assert ([a.worker for a in look.schedule.assignments], show.tower.rung) == (["w1"], [])


def test_a_refusal_offers_the_phase_to_others_for_ten_minutes(stage: Stage) -> None:
    stage.enlist("w1")
    stage.enlist("w2")
    show = stage.show(phase("a"))
    show.start()
    [bell] = show.tower.rung
    show.tower.waiting = [(bell, Answer(Reply.REFUSED, "no disk"))]
    show.step()
    assert [bell.worker for bell in show.tower.rung] == ["w1", "w2"]
    assert show.told("declined") == [("declined", "p.a")]
    show.tower.waiting = [(show.tower.rung[1], Answer(Reply.REFUSED, "me too"))]
    look = show.step()
    assert "w1, w2" in look.schedule.waiting[TaskId("p.a")]
    stage.desk.clock.advance(601.0)
    for name in ("w1", "w2"):
        stage.registry().announce(stage.registry().list().found[name].worker, take_over=True)
    show.step()
    assert len(show.tower.rung) == 3
    assert show.tower.rung[2] not in show.tower.rung[:2], "a copy would get the old answer"


def test_who_had_no_slot_is_asked_again_soon_and_less_and_less_often(stage: Stage) -> None:
    stage.registry().announce(
        WorkerRecord(name="w1", machine="m", interval=1e6, address=ADDRESS)  # no beat comes
    )
    show = stage.show(phase("a"))
    show.start()
    clock, began, rung_at = stage.desk.clock, stage.desk.clock.elapsed(), [0.0]
    while len(rung_at) < 7:
        if not show.tower.waiting and len(show.tower.rung) == len(rung_at):
            show.tower.waiting = [(show.tower.rung[-1], Answer(Reply.BUSY, "no slot is free"))]
        show.step()
        if len(show.tower.rung) > len(rung_at):
            rung_at.append(clock.elapsed() - began)
            continue
        clock.advance(1.0)
    gaps = [after - before for before, after in itertools.pairwise(rung_at)]
    assert gaps == [15.0, 30.0, 60.0, 120.0, 240.0, 240.0]
    assert len({bell.id for bell in show.tower.rung}) == 7


def test_a_beat_that_shows_a_slot_ends_the_wait_for_it(stage: Stage) -> None:
    stage.enlist("w1")
    show = stage.show(phase("a"))
    show.start()
    show.tower.waiting = [(show.tower.rung[0], Answer(Reply.BUSY, "no slot is free"))]
    show.step()
    show.step()
    assert len(show.tower.rung) == 1
    registry = stage.registry()
    worker = registry.list().found["w1"].worker
    post = registry.announce(worker, take_over=True)
    registry.beat(post, Vitals(busy=("other",)))
    show.step()
    assert len(show.tower.rung) == 1, "it is busy"
    registry.beat(post, Vitals())
    show.step()
    assert [bell.worker for bell in show.tower.rung] == ["w1", "w1"]
    show.tower.waiting = [(show.tower.rung[1], Answer(Reply.REFUSED, "no disk"))]
    show.step()
    registry.beat(post, Vitals())
    show.step()
    assert len(show.tower.rung) == 2, "a beat says nothing about the disk"


def test_no_answer_for_two_looks_is_as_good_as_a_no(stage: Stage) -> None:
    stage.enlist("w1")
    stage.enlist("w2")
    show = stage.show(phase("a"))
    show.start()
    for _ in range(5):
        show.step()  # answers of others cause looks in between: they do not make this one late
    assert [bell.worker for bell in show.tower.rung] == ["w1"]
    stage.desk.clock.advance(15.0)
    show.step()
    assert [bell.worker for bell in show.tower.rung] == ["w1"]
    stage.desk.clock.advance(15.0)
    show.step()
    assert [bell.worker for bell in show.tower.rung] == ["w1", "w2"]
    assert show.tower.kept == frozenset()  # taken back; the new one was rung after that


def test_a_phase_that_was_claimed_after_its_bell_keeps_no_place_twice(stage: Stage) -> None:
    stage.enlist("w1", slots=2)
    show = stage.show(phase("a"), phase("b"), phase("c"))
    show.start()
    assert len(show.tower.rung) == 2
    first = show.tower.rung[0]
    assert stage.claim(first.task.removeprefix("p.")) is not None
    show.tower.waiting = [(first, Answer(Reply.CLAIMED))]
    look = show.step()
    assert len(show.tower.rung) == 2
    assert "no free place" in look.schedule.waiting[TaskId("p.c")]


# --- killed at any step (I4)


def drive(stage: Stage, calls: int | None, *, after: bool) -> int:
    """Run the diamond with an orchestrator that is killed once; return how often it called."""
    mortal = MortalStore(stage.store, calls, after=after)
    show = stage.show(store=mortal)
    begun = False
    for _ in range(12):
        try:
            look = show.step() if begun else show.start()
            begun = True
        except Killed:
            show, begun = stage.show(seed=2), False  # forgets everything
            continue
        if look.standing.verdict is Verdict.DONE:
            break
        claimed = stage.claim()
        if claimed is not None:
            stage.other.done(claimed.token)
    else:
        raise AssertionError("it did not come to an end")
    return mortal.calls


@pytest.mark.parametrize("engine", ["memory", "sqlite"])
@pytest.mark.parametrize("after", [False, True])
def test_killed_between_any_two_calls_another_one_finishes_the_plan(
    tmp_path: Path, engine: str, after: bool
) -> None:
    """I4: each phase lands once, the plan is announced once and its tasks are added once."""

    def stage_for(call: int) -> Stage:
        return Stage(file=None if engine == "memory" else tmp_path / f"{call}.sqlite")

    calls = drive(stage_for(0), None, after=after)
    assert calls > 10
    for call in range(1, calls + 1):
        stage = stage_for(call)
        drive(stage, call, after=after)
        landed = stage.landings()
        assert sorted(landed) == ["p.bottom", "p.left", "p.right", "p.top"]
        assert (landed[0], landed[-1]) == ("p.top", "p.bottom")
        assert revision(stage) == 1
        added = [c for c in stage.store.history() if c.subject.startswith("add")]
        assert len(added) == 4
        stage.store.close()


def test_a_record_that_cannot_be_read_stops_it(stage: Stage) -> None:
    stage.desk.put(plan_key("p"), {"format": 2, "name": "p"})
    with pytest.raises(DamagedRecord, match="newer"):
        stage.show().start()
