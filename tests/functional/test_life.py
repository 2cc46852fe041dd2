"""The life of a task through the command line, on the engine that needs no remote."""

from __future__ import annotations

from pathlib import Path

from tests.functional.baton import Baton

TASK_KEYS = {
    *("id", "title", "body", "status", "priority", "needs", "requires", "paths", "checks"),
    *("gate", "approved", "labels", "target", "plan", "deliverable", "attempts", "max_attempts"),
    *("timeout", "created_at", "updated_at", "not_before", "claim", "branch", "result", "reason"),
    "external_ref",
}


def test_a_task_is_added_claimed_and_done(baton: Baton) -> None:
    added = baton.ok("add", "Fix the parser", "--id", "t1", "--label", "bug")
    assert set(added) == TASK_KEYS
    assert (added["id"], added["status"], added["claim"]) == ("t1", "pending", None)

    [won] = baton.ok("claim", "--agent", "ann")["claims"]
    assert set(won) == {"task", "epoch", "token", "lease"}
    assert (won["epoch"], won["lease"]) == (1, 900)
    assert won["token"].startswith("t1:1:")
    assert set(won["task"]["claim"]) == {
        *("agent", "worker", "machine", "epoch", "claimed_at", "renewed_at", "lease"),
    }

    assert baton.ok("renew", "t1")["tasks"][0]["id"] == "t1"
    done = baton.ok("done", "t1", "--result", "it parses")
    assert done["status"] == "done"
    assert done["result"] == {"branch": None, "commit": None, "text": "it parses"}
    assert done["claim"] is None


def test_every_reading_verb_answers_in_json(baton: Baton) -> None:
    baton.ok("add", "One", "--id", "t1")
    baton.ok("add", "Two", "--id", "t2", "--needs", "t1", "--label", "later")
    assert [t["id"] for t in baton.ok("list")["tasks"]] == ["t1", "t2"]
    assert [t["id"] for t in baton.ok("list", "--label", "later")["tasks"]] == ["t2"]
    assert baton.ok("list", "--status", "done") == {"tasks": []}
    assert [t["id"] for t in baton.ok("ready")["tasks"]] == ["t1"]
    assert set(baton.ok("show", "t2")) == TASK_KEYS
    why = baton.ok("why", "t2")
    assert (why["ready"], why["obstacles"][0]["kind"]) == (False, "need")
    assert baton.ok("status")["counts"]["pending"] == 2
    graph = baton.ok("graph")
    assert graph["edges"] == [{"from": "t1", "to": "t2"}]
    events = baton.ok("log")["events"]
    assert [event["task"] for event in events] == ["t2", "t1"]
    assert set(events[0]) == {"at", "actor", "task", "event", "epoch", "subject", "commit"}


def test_a_failed_attempt_waits_and_the_last_one_fails(baton: Baton) -> None:
    baton.ok("add", "Hard", "--id", "t1", "--max-attempts", "2")
    baton.ok("claim", "t1")
    first = baton.ok("fail", "t1", "--reason", "red tests")
    assert (first["status"], first["attempts"], first["reason"]) == ("pending", 1, "red tests")
    assert first["not_before"] is not None
    assert baton("claim", "t1", "--json").error["code"] == "waiting"
    assert baton.ok("why", "t1")["obstacles"][0]["kind"] == "delay"


def test_people_steer_a_task(baton: Baton) -> None:
    baton.ok("add", "Which?", "--id", "t1")
    baton.ok("claim", "t1")
    assert baton.ok("block", "t1", "--reason", "left or right?")["status"] == "blocked"
    assert baton.ok("unblock", "t1", "--answer", "left")["status"] == "pending"
    assert "left" in baton("show", "t1").out
    edited = baton.ok("edit", "t1", "--title", "Go left", "--priority", "0", "--label", "x")
    assert (edited["title"], edited["priority"], edited["labels"]) == ("Go left", 0, ["x"])
    assert baton.ok("edit", "t1", "--clear", "labels")["labels"] == []
    baton.ok("claim", "t1")
    assert baton.ok("done", "t1", "--review")["status"] == "review"
    assert baton.ok("reject", "t1", "--reason", "too far")["status"] == "pending"
    baton.ok("claim", "t1")
    baton.ok("done", "t1", "--review")
    assert baton.ok("accept", "t1")["status"] == "done"
    assert baton.ok("retry", "t1")["status"] == "pending"
    assert baton.ok("cancel", "t1", "--reason", "no need")["status"] == "cancelled"


def test_a_gate_is_opened_by_people_and_never_by_agents(baton: Baton) -> None:
    baton.ok("add", "Ship", "--id", "t1", "--gate", "prod")
    assert baton("claim", "t1").status == 75
    for name in ("BATON_TASK", "BATON_TOKEN"):
        refused = baton.acting(**{name: "t0:1:" + "0" * 32})("approve", "t1", "--json")
        assert (refused.status, refused.error["code"]) == (77, "gate_closed")
    assert baton.ok("approve", "t1")["approved"] is True
    assert baton.ok("approve", "t1", "--revoke")["approved"] is False
    baton.ok("approve", "t1")
    changed = baton.ok("edit", "t1", "--body", "and something else")
    assert changed["approved"] is False, "an approval is for what was approved"


def test_an_approver_must_be_on_the_list_of_the_target_branch(baton: Baton) -> None:
    baton.commit("main", "baton.toml", '[gates.prod]\napprovers = ["boss@example.org"]\n')
    baton.ok("add", "Ship", "--id", "t1", "--gate", "prod")
    assert baton("approve", "t1").status == 77
    # What lies in the working tree only is nobody's permission.
    (baton.directory / "baton.toml").write_text(
        '[gates.prod]\napprovers = ["tester@gitbaton.invalid"]\n'
    )
    assert baton("approve", "t1").status == 77
    boss = baton.acting(GIT_AUTHOR_EMAIL="boss@example.org")
    assert boss.ok("approve", "t1")["approved"] is True


def test_a_broken_file_on_the_target_branch_opens_no_gate(baton: Baton) -> None:
    baton.ok("add", "Ship", "--id", "t1", "--gate", "prod")
    baton.ok("approve", "t1")
    baton.commit("main", "baton.toml", "[gates.prod]\naprovers = []\n")
    baton.git("rm", "-q", "--cached", "baton.toml")
    (baton.directory / "baton.toml").unlink()
    answer = baton("claim", "t1", "--json")
    assert answer.status == 75
    assert "approvers" in answer.error["message"], "I9: what cannot be evaluated is not passed"


def test_done_with_a_branch_records_where_it_is(baton: Baton) -> None:
    commit = baton.commit("work", "file", "text\n")
    baton.ok("claim", "t1", "--create")
    assert baton("done", "t1", "--branch", "nope").status == 2
    done = baton.ok("done", "t1", "--branch", "work")
    assert done["result"] == {"branch": "work", "commit": commit, "text": None}


def test_claim_creates_what_lives_elsewhere(baton: Baton) -> None:
    [won] = baton.ok("claim", "jira-42", "--create", "--title", "From the tracker")["claims"]
    assert won["task"]["title"] == "From the tracker"
    held = baton("claim", "jira-42", "--create", "--json")
    assert (held.status, held.error["code"]) == (75, "held")


def test_many_are_claimed_at_once(baton: Baton) -> None:
    for number in range(3):
        baton.ok("add", f"Task {number}")
    assert len(baton.ok("claim", "--count", "5")["claims"]) == 3
    assert baton("claim", "--json").error["code"] == "waiting"


def test_an_empty_queue_says_so(baton: Baton) -> None:
    answer = baton("claim", "--json")
    assert (answer.status, answer.error["code"]) == (75, "empty")
    assert answer.error["next"] == "baton add TITLE"


def test_the_directory_may_be_named_on_either_side_of_the_verb(
    baton: Baton, tmp_path: Path
) -> None:
    baton.ok("add", "One", "--id", "t1")
    outside = Baton(tmp_path)
    assert outside("-C", str(baton.directory), "list").status == 0
    assert [t["id"] for t in outside.ok("list", "-C", "alone")["tasks"]] == ["t1"]
    assert outside("--json", "-C", "alone", "list").json == baton.ok("list")
