"""Violations of what holds for tasks: I1, I2, I4, reserved paths."""

from __future__ import annotations

from tests.checker.build import MAIN, Story
from tests.checker.finding import Invariant
from tests.checker.planting import TASK_A, breaks

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


@breaks(Invariant.I1, saying="is renewed by eve, held by ada")
def a_claim_renewed_by_another(story: Story) -> None:
    story.add("d")
    story.claim("d", "ada")
    story.write("tasks/d", story.value("d"), "renew: d by eve", heartbeat=True, actor="eve")
    story.write("tasks/d", story.ended("d", "cancel", "cancelled"), "cancel: d")


@breaks(Invariant.I1, saying="is in-progress with no claim")
def work_without_a_claim(story: Story) -> None:
    story.add("d")
    story.write("tasks/d", story.value("d", status="in-progress", epoch=1), "claim: d")
    value = story.value("d", status="cancelled", ended={"word": "cancel"})
    story.write("tasks/d", value, "cancel: d")


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


# --- I4: nothing is left undone


@breaks(Invariant.I4, saying="is left in-progress")
def a_claim_that_nobody_took_back(story: Story) -> None:
    story.add("d")
    story.claim("d")


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
