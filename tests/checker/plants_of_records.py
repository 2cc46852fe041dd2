"""Violations of what holds for every record: history, I3, I6."""

from __future__ import annotations

from tests.checker.build import BOARD, Story, Written
from tests.checker.finding import Invariant
from tests.checker.names import live_path
from tests.checker.objects import json_body
from tests.checker.planting import breaks

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


@breaks(Invariant.HISTORY, saying="began 2 times and ended 0 times")
def a_record_that_began_twice(story: Story) -> None:
    before = story.last.pop("tasks/c")
    story.add("c")
    story.write("tasks/c", before.value, "cancel: c")
    story.board("board: keep", before.oid)


@breaks(Invariant.HISTORY, saying="follows the end of its record")
def a_record_that_goes_on_after_its_end(story: Story) -> None:
    story.add("d")
    story.write("tasks/d", {}, "drop: d", deleted=True)
    story.write("tasks/d", {"status": "cancelled"}, "cancel: d")


@breaks(Invariant.HISTORY, saying="its commit's subject is 'cancel: d'")
def an_audit_line_that_says_something_else(story: Story) -> None:
    story.add("d")
    ended = story.version("tasks/d", story.value("d", status="cancelled"), "cancel: d")
    blob = story.remote.put("blob", json_body({**ended.envelope, "subject": "edit: d"}))
    parent = story.last["tasks/d"].oid
    lie = story.remote.commit("cancel: d", parent, files={"record.json": blob})
    story.remote.point("refs/baton/tasks/d", lie)


@breaks(Invariant.HISTORY, saying="is no place for a card")
def a_card_in_the_wrong_place(story: Story) -> None:
    tip = story.remote.at(BOARD) or ""
    blob = story.remote.put("blob", b"{}")
    files = {**story.cards, "live/b/c.json": blob}
    story.remote.point(BOARD, story.remote.commit("board: ?", tip, files=files))


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


@breaks(Invariant.I3, saying="which is reachable no more")
def a_branch_whose_old_tip_nobody_saved(story: Story) -> None:
    story.add("d")
    story.claim("d")
    move = {"ref": "refs/heads/task/d", "old": None, "new": story.remote.commit("lost")}
    value = story.ended("d", "cancel", "cancelled")
    story.write("tasks/d", value, "cancel: d", moves=[move])


@breaks(Invariant.I3, saying="which is not the commit it names")
def a_rescue_ref_that_keeps_something_else(story: Story) -> None:
    story.remote.point(f"refs/baton/rescue/b/1-{'d' * 40}", story.base)


@breaks(Invariant.I3, saying="missing")
def an_object_missing_on_the_server(story: Story) -> None:
    story.remote.file(story.base).unlink()


# --- I6: whole transactions, and one place for each record


@breaks(Invariant.I6, saying="which is not there")
def half_a_transaction(story: Story) -> None:
    story.write("locks/paths", {"format": 1, "entries": []}, "claim: x by ada")
    linked = {"locks/paths": {"old": story.last["locks/paths"].oid, "seq": 2}}
    story.add("d")
    story.claim("d", companions=linked)
    story.write("tasks/d", story.ended("d", "cancel", "cancelled"), "cancel: d")


@breaks(Invariant.I6, saying="which then followed")
def halves_that_do_not_fit(story: Story) -> None:
    story.write("locks/paths", {"format": 1, "entries": []}, "claim: x by ada")
    written = story.last["locks/paths"]
    story.add("d")
    story.write(
        *("tasks/d", story.value("d", status="cancelled"), "claim: x by ada"),
        transaction=written.envelope["transaction"],
        at=written.envelope["at"],
        companions={"locks/paths": {"old": "d" * 40, "seq": 1}},
    )


@breaks(Invariant.I6, saying="is both parked and marked live")
def a_record_in_two_places(story: Story) -> None:
    story.mark("b")
    card = story.cards[live_path("b")]
    story.park("b")
    story.cards[live_path("b")] = card
    story.board("board: refresh")


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
