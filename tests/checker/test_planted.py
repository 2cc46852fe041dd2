"""What is wrong is seen: one planted violation each, and the checker names just that invariant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checker import Finding, Invariant, Report, check
from tests.checker.build import MAIN, Story, Written

Plant = Callable[[Story], None]
PLANTS: list[tuple[set[Invariant], str, Plant]] = []

TASK_A = "refs/heads/task/a"


def breaks(*invariants: Invariant, saying: str) -> Callable[[Plant], Plant]:
    """Register a violation: what it breaks, and words of the finding."""

    def register(plant: Plant) -> Plant:
        PLANTS.append((set(invariants), saying, plant))
        return plant

    return register


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


# --- history: one line of versions for each record


@breaks(Invariant.HISTORY, saying="both follow")
def two_successors_of_one_version(story: Story) -> None:
    story.add("d")
    first = story.last["tasks/d"]
    story.write("tasks/d", first.value, "edit: d title")
    lost = story.last.pop("tasks/d")
    story.last["tasks/d"] = first
    story.write("tasks/d", story.value("d", status="cancelled"), "cancel: d")
    story.board("board: keep", lost.oid)


@breaks(Invariant.HISTORY, saying="follows number 1")
def a_number_left_out(story: Story) -> None:
    story.add("d")
    story.write("tasks/d", story.value("d", status="cancelled"), "cancel: d", seq=3)


@breaks(Invariant.HISTORY, saying="is used by")
def a_nonce_used_by_two_transactions(story: Story) -> None:
    nonce = story.last["tasks/b"].envelope["transaction"]
    story.add("d")
    cancelled = story.value("d", status="cancelled")
    story.write("tasks/d", cancelled, "cancel: d", transaction=nonce)


@breaks(Invariant.HISTORY, saying="moved the board 2 times")
def a_transaction_that_moved_the_board_twice(story: Story) -> None:
    for _ in range(2):
        story.board("board: refresh", nonce="f" * 32)


@breaks(Invariant.HISTORY, saying="its ref names")
def a_ref_that_names_the_record_of_another(story: Story) -> None:
    story.remote.point("refs/baton/workers/w", story.last["tasks/b"].oid)


@breaks(Invariant.HISTORY, saying="no record.json")
def a_foreign_commit_among_the_records(story: Story) -> None:
    story.board("board: keep", story.remote.commit("who is this?"))


@breaks(Invariant.HISTORY, saying="but its content gives")
def a_parked_card_that_was_forged(story: Story) -> None:
    story.add_parked("waiting")
    honest = story.last["tasks/waiting"]
    forged = {**honest.envelope, "value": {**honest.value, "title": "something else"}}
    story.last["tasks/waiting"] = Written(honest.oid, forged)
    story.park("waiting")


# --- I1: one holder an epoch, epochs rise by one, the table of statuses


@breaks(Invariant.I1, saying="epoch 1 is held by ada and eve")
def a_second_winner_of_one_epoch(story: Story) -> None:
    story.add("d")
    story.claim("d", "ada")
    story.reset("d")
    story.write("tasks/d", story.claimed("d", "eve", epoch=1), "claim: d by eve")
    story.write("tasks/d", story.ended("d", "cancel", "cancelled"), "cancel: d")


@breaks(Invariant.I1, Invariant.HISTORY, saying="epoch 1 is held by ada and eve")
def two_winners_of_one_race(story: Story) -> None:
    story.add("d")
    pending = story.last["tasks/d"]
    story.claim("d", "ada")
    story.write("tasks/d", story.ended("d", "cancel", "cancelled"), "cancel: d")
    won = story.last["tasks/d"]
    story.last["tasks/d"] = pending
    other = story.version("tasks/d", story.claimed("d", "eve"), "claim: d by eve")
    story.last["tasks/d"] = won
    story.board("board: keep", other.oid)


@breaks(Invariant.I1, saying="of epoch 1 after epoch 2")
def an_epoch_that_goes_back(story: Story) -> None:
    story.add("d")
    for agent in ("ada", "ben"):
        story.claim("d", agent)
        story.reset("d")
    story.write("tasks/d", story.value("d", epoch=1), "edit: d")
    story.write("tasks/d", story.value("d", status="cancelled"), "cancel: d")


@breaks(Invariant.I1, saying="goes from cancelled to done")
def a_step_that_the_table_lacks(story: Story) -> None:
    story.add("d")
    story.write("tasks/d", story.value("d", status="cancelled"), "cancel: d")
    story.write("tasks/d", story.value("d", status="done"), "done: d")
    story.write("tasks/d", story.value("d", status="pending"), "retry: d")
    story.write("tasks/d", story.value("d", status="cancelled"), "cancel: d")


@breaks(Invariant.I1, saying="changes its holder's agent, nonce")
def a_claim_stolen_while_it_is_held(story: Story) -> None:
    story.add("d")
    story.claim("d", "ada")
    claim = {**story.value("d")["claim"], "agent": "eve", "nonce": "eve-1"}
    story.write("tasks/d", story.value("d", claim=claim), "renew: d by eve")
    story.write("tasks/d", story.ended("d", "cancel", "cancelled"), "cancel: d")


@breaks(Invariant.I1, saying="is ended by eve (done), held by ada")
def a_claim_finished_by_another(story: Story) -> None:
    story.add("d")
    story.claim("d", "ada")
    story.land("d", "refs/heads/task/d", story.work("d"), actor="eve")


@breaks(Invariant.I1, saying="ends a claim without naming it")
def an_ending_that_names_another_claim(story: Story) -> None:
    story.add("d")
    story.claim("d", "ada")
    value = story.ended("d", "cancel", "cancelled")
    story.write("tasks/d", {**value, "ended": {**value["ended"], "nonce": "?"}}, "cancel: d")


# --- I2: on a branch if and only if the claim was current


@breaks(Invariant.I2, saying="of b epoch 1, which never landed it")
def a_zombie_that_landed_on_the_target(story: Story) -> None:
    zombie = next((story.remote.path / "refs/baton/rescue/b").iterdir()).read_text().strip()
    story.remote.point(MAIN, story.remote.commit("merge", story.remote.at(MAIN) or "", zombie))


@breaks(Invariant.I2, saying="of a epoch 1, which never landed it")
def a_commit_pushed_after_the_landing(story: Story) -> None:
    story.remote.point(TASK_A, story.work("a", story.remote.at(TASK_A) or ""))


@breaks(Invariant.I2, saying="which never landed it")
def a_branch_that_moved_without_its_record(story: Story) -> None:
    story.add("d")
    story.claim("d")
    result = story.work("d", story.remote.at(MAIN) or "")
    story.remote.point(MAIN, result)
    story.write("tasks/d", story.ended("d", "cancel", "cancelled"), "cancel: d")


@breaks(Invariant.I2, saying="is on no ref")
def a_result_that_is_nowhere(story: Story) -> None:
    story.remote.point(TASK_A, story.base)


@breaks(Invariant.I2, saying="is not on refs/heads/task/a")
def a_result_that_is_only_elsewhere(story: Story) -> None:
    story.rescue("a", 1, story.remote.at(TASK_A) or "")
    story.remote.point(TASK_A, story.base)


@breaks(Invariant.I2, Invariant.I1, saying="epoch 1 landed 2 times")
def an_epoch_that_landed_twice(story: Story) -> None:
    story.add("d")
    story.claim("d")
    held = story.last["tasks/d"]
    first = story.work("d")
    story.land("d", "refs/heads/task/d", first)
    story.write("tasks/d", story.value("d", status="pending"), "retry: d")
    story.write("tasks/d", held.value, "claim: d by ada")
    story.land("d", "refs/heads/task/d", story.work("d", first))


# --- I3: nothing is lost


@breaks(Invariant.I3, saying="is reachable no more")
def a_folded_version_that_nothing_keeps(story: Story) -> None:
    story.park("c", keep=False)


@breaks(Invariant.I3, saying="stands at number 2")
def a_ref_set_back_to_an_older_version(story: Story) -> None:
    story.add("d")
    for status in ("cancelled", "pending", "cancelled"):
        story.write("tasks/d", story.value("d", status=status), f"{status}: d")
        if story.last["tasks/d"].envelope["seq"] == 2:
            older = story.last["tasks/d"].oid
    story.board("board: keep", story.last["tasks/d"].oid)
    story.remote.point("refs/baton/tasks/d", older)


@breaks(Invariant.I3, saying="there is no such record any more")
def a_record_that_vanished(story: Story) -> None:
    story.park("b")
    story.unmark("b")


@breaks(Invariant.I3, saying="is on no branch and no rescue ref")
def an_agents_commit_that_is_nowhere(story: Story) -> None:
    file = next((story.remote.path / "refs/baton/rescue/b").iterdir())
    file.unlink()


@breaks(Invariant.I3, saying="which is not the commit it names")
def a_rescue_ref_that_keeps_something_else(story: Story) -> None:
    story.remote.point(f"refs/baton/rescue/b/1-{'d' * 40}", story.base)


@breaks(Invariant.I3, saying="missing")
def an_object_missing_on_the_server(story: Story) -> None:
    story.remote.file(story.base).unlink()


# --- I4: nothing is left undone


@breaks(Invariant.I4, saying="is left in-progress")
def a_claim_that_nobody_took_back(story: Story) -> None:
    story.add("d")
    story.claim("d")


# --- I6: whole transactions, and one place for each record


@breaks(Invariant.I6, saying="which is not there")
def half_a_transaction(story: Story) -> None:
    story.write("locks/paths", {"format": 1, "entries": []}, "claim: x by ada")
    linked = {"locks/paths": {"old": story.last["locks/paths"].oid, "seq": 2}}
    story.add("d")
    story.claim("d", companions=linked)
    story.write("tasks/d", story.ended("d", "cancel", "cancelled"), "cancel: d")


@breaks(Invariant.I6, saying="has a ref, but no mark on the board")
def a_live_record_without_its_mark(story: Story) -> None:
    story.unmark("b")


@breaks(Invariant.I6, saying="is marked live, but has no ref")
def a_mark_without_its_ref(story: Story) -> None:
    story.board("board: keep", story.last["tasks/b"].oid)
    story.mark("b")
    story.remote.point("refs/baton/tasks/b", None)


@breaks(Invariant.I6, saying="is parked, but has a ref")
def a_fold_that_was_cut_off(story: Story) -> None:
    oid = story.last["tasks/b"].oid
    story.park("b")
    story.remote.point("refs/baton/tasks/b", oid)


# --- paths


@breaks(Invariant.PATHS, saying="reserves a epoch 1")
def reservations_that_meet(story: Story) -> None:
    entries = [
        {"task": "a", "epoch": 1, "paths": ["src/**/*.py"]},
        {"task": "b", "epoch": 1, "paths": ["src/main.*"]},
    ]
    story.write("locks/paths", {"format": 1, "entries": entries}, "claim: b by ada")


@breaks(Invariant.PATHS, saying="were in progress together")
def tasks_that_overlap_in_time(story: Story) -> None:
    for name in "de":
        story.add(name, paths=["src/"])
        story.claim(name)
    for name in "de":
        story.write(f"tasks/{name}", story.ended(name, "cancel", "cancelled"), f"cancel: {name}")


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
