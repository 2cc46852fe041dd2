"""``baton fold``: the board is brought up to date at once."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.functional.baton import Baton
from tests.functional.outage import away
from tests.servers.site import BareRepository

Clones = Callable[[str], Baton]


def test_finished_tasks_move_to_the_board(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.ok("claim", "t1", "--create")
    one.ok("done", "t1", "--result", "fine")
    assert "refs/baton/tasks/t1" in file_remote.refs()
    folded = one.ok("fold")
    assert (folded["engine"], folded["folded"], folded["refreshed"]) == ("git", 1, True)
    refs = file_remote.refs()
    assert "refs/baton/tasks/t1" not in refs
    shown = json.loads(file_remote.git("show", "refs/heads/baton:tasks.json"))
    assert [(t["id"], t["status"]) for t in shown["tasks"]] in ([], [("t1", "done")])
    assert one.ok("show", "t1")["status"] == "done", "what is read is the same"
    assert one("fold").out == "board baton: up to date\n"


def test_the_shown_state_of_active_tasks_is_refreshed(
    clones: Clones, file_remote: BareRepository
) -> None:
    one = clones("one")
    one.ok("add", "One", "--id", "t1")
    one.ok("claim", "t1", "--agent", "ann")
    assert one("fold").out == "board baton: refreshed\n"
    [shown] = json.loads(file_remote.git("show", "refs/heads/baton:tasks.json"))["tasks"]
    assert (shown["id"], shown["status"], shown["claimedBy"]) == ("t1", "in-progress", "ann")


def test_without_a_remote_there_is_no_board(baton: Baton) -> None:
    baton.ok("add", "One")
    assert baton.ok("fold")["engine"] == "sqlite"
    assert "nothing to fold" in baton("fold").out


def test_a_remote_that_is_away(clones: Clones, file_remote: BareRepository) -> None:
    one = clones("one")
    one.ok("list")
    with away(file_remote):
        assert one("fold").status == 69


def test_a_branch_left_behind_its_record_follows_before_the_record_is_folded(
    clones: Clones, file_remote: BareRepository
) -> None:
    """I2: once it is on the board, nobody would look after it any more."""
    one = clones("one")
    one.commit("feature", "new.txt", "new\n")
    one.ok("claim", "t1", "--create")
    one.ok("done", "t1", "--branch", "feature")
    tip = file_remote.refs()["refs/heads/feature"]
    file_remote.git("update-ref", "-d", "refs/heads/feature")  # as if the server had been killed
    folded = one.ok("fold")
    assert (folded["folded"], len(folded["notes"])) == (1, 1)
    assert file_remote.refs()["refs/heads/feature"] == tip
